import { describe, expect, it } from "vitest";
import {
  type Commit,
  commitTo,
  emptyLease,
  type Firing,
  isAfter,
  LAST_ID,
  laterOf,
  release,
  takeOver,
} from "../../src/core/lease.js";
import { lease } from "./given.js";

const firing = (slot: number): Firing => ({ scheduleId: "a", slot, revision: 1, firstTerm: 1 });

const commit = (more: Partial<Commit> = {}): Commit => ({
  nonce: "new",
  view: 0,
  cursor: { time: 0, id: LAST_ID },
  runsFrom: 0,
  fire: [],
  keep: [],
  reports: [],
  ...more,
});

describe("the order of slots", () => {
  it("is by time, then by id, and LAST_ID is after every id", () => {
    expect(isAfter({ time: 2, id: "a" }, { time: 1, id: "z" })).toBe(true);
    expect(isAfter({ time: 1, id: "b" }, { time: 1, id: "a" })).toBe(true);
    expect(isAfter({ time: 1, id: "a" }, { time: 1, id: "a" })).toBe(false);
    for (const id of ["z", "zzz", "Z", "_", "=", "a-z", "z".repeat(128)]) {
      expect(isAfter({ time: 1, id: LAST_ID }, { time: 1, id })).toBe(true);
    }
  });

  it("has a later one of two", () => {
    const [early, late] = [
      { time: 1, id: "a" },
      { time: 1, id: "b" },
    ];
    expect(laterOf(early, late)).toBe(late);
    expect(laterOf(late, early)).toBe(late);
  });
});

describe("the first record", () => {
  it("has decided nothing and nobody holds it", () => {
    expect(emptyLease(5)).toMatchObject({ holder: null, term: 0, view: 0, cursor: { time: 5 }, firing: [] });
  });
});

describe("taking over", () => {
  it("begins a new term and inherits all the rest", () => {
    const before = lease(100, { holder: "a", nonce: "old", term: 6, runsFrom: 4, firing: [firing(90)] });
    expect(takeOver(before, "b", "new")).toEqual({ ...before, holder: "b", nonce: "new", term: 7 });
  });

  it("is a new term for the same holder too", () => {
    expect(takeOver(lease(0, { holder: "a", term: 3 }), "a", "n").term).toBe(4);
  });
});

describe("committing", () => {
  it("keeps holder and term", () => {
    const record = lease(100, { holder: "a", term: 6 });
    expect(commitTo(record, commit())).toMatchObject({ holder: "a", term: 6, nonce: "new" });
  });

  it("never lowers view or cursor: a successor's clock may be behind", () => {
    const record = lease(100, { view: 9 });
    expect(commitTo(record, commit({ view: 8, cursor: { time: 99, id: LAST_ID } }))).toMatchObject({
      view: 9,
      cursor: record.cursor,
    });
    expect(commitTo(record, commit({ view: 10, cursor: { time: 101, id: "a" } }))).toMatchObject({
      view: 10,
      cursor: { time: 101, id: "a" },
    });
  });

  it("carries what is still in flight and what was decided, and drops the rest", () => {
    const record = lease(100, { firing: [firing(80), firing(90)] });
    const next = commitTo(record, commit({ keep: [firing(90)], fire: [firing(110)] }));
    expect(next.firing.map(({ slot }) => slot)).toEqual([90, 110]);
  });

  it("never moves runsFrom back", () => {
    const record = lease(100, { runsFrom: 5 });
    expect(commitTo(record, commit({ runsFrom: 8 })).runsFrom).toBe(8);
    expect(commitTo(record, commit({ runsFrom: 3 })).runsFrom).toBe(5);
    expect(commitTo(record, commit()).runsFrom).toBe(5);
  });

  it("carries the reports it is given, and no older ones", () => {
    const report = { scheduleId: "a", outcome: "skipped", reason: "r", from: 1, to: 1, count: 1 } as const;
    expect(commitTo(lease(0), commit({ reports: [report] })).reports).toEqual([report]);
    expect(commitTo(lease(0, { reports: [report] }), commit()).reports).toEqual([]);
  });
});

describe("releasing", () => {
  it("keeps everything but the holder", () => {
    const record = lease(100, { holder: "a", term: 6, firing: [firing(90)] });
    expect(release(record, "n")).toEqual({ ...record, holder: null, nonce: "n" });
  });
});
