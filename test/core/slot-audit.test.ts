/** Every slot has one fate; what is taken from the record or said twice is found, whatever it is. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Schedule } from "../../src/core/schedule.js";
import { type Account, auditSlots, type SlotFate, type ToldSlots } from "../../src/core/slot-audit.js";
import { lease, schedule, timesOf } from "./given.js";

const HOUR = 3_600_000;
const told = (more: Partial<ToldSlots> = {}): ToldSlots => ({
  fired: [],
  reports: [],
  keptFrom: null,
  ...more,
});
const fire = (slot: number, seq: number | null = slot) => ({ scheduleId: "s", slot, seq });
const report = (from: number, to = from, outcome: "skipped" | "missed" | "expired" = "skipped") => ({
  ...{ scheduleId: "s", outcome, reason: "overlap", from, to, count: 1 },
});

function fates(more: Partial<Account> = {}): Record<number, SlotFate> {
  const account: Account = {
    ...{ from: 1_000, to: 5_000, now: HOUR, revisions: [schedule("s")] },
    ...{ compile: timesOf, lease: lease(HOUR), told: told() },
    ...more,
  };
  return Object.fromEntries([...auditSlots(account)].map(({ slot, fate }) => [slot, fate]));
}

const all = [1_000, 2_000, 3_000, 4_000, 5_000];
const FIRED = told({ fired: all.map((slot) => fire(slot)) });

describe("the fate of slots", () => {
  it("is that they fired, when each is told once", () => {
    expect(fates({ told: FIRED })).toEqual(Object.fromEntries(all.map((slot) => [slot, "fired"])));
  });

  it("is not told of more slots than are looked at, and that is said", () => {
    const cut: number[] = [];
    const found = fates({ told: FIRED, most: 3, onCut: (slot) => cut.push(slot) });
    expect(Object.keys(found)).toEqual(["1000", "2000", "3000"]);
    expect(cut).toEqual([4_000]);
    fates({ told: FIRED, most: 5, onCut: () => expect.unreachable() });
  });

  it("is missing, when the shard has passed them and nothing is told", () => {
    const fired = FIRED.fired.filter(({ slot }) => slot !== 3_000);
    expect(fates({ told: told({ fired }) })).toMatchObject({ 2000: "fired", 3000: "missing" });
  });

  it("is doubled, when they are in WORK twice; told twice of the same message is once", () => {
    const fired = [...FIRED.fired, fire(2_000, 99), fire(4_000), fire(5_000, null)];
    expect(fates({ told: told({ fired }) })).toEqual({
      ...{ 1000: "fired", 2000: "doubled", 3000: "fired", 4000: "fired", 5000: "fired" },
    });
  });

  it("is contradicted, when they fired and are told not to have", () => {
    expect(fates({ told: { ...FIRED, reports: [report(2_000)] } })[2_000]).toBe("contradicted");
    // A run that was fired in time may be too late for its worker.
    expect(fates({ told: { ...FIRED, reports: [report(2_000, 2_000, "expired")] } })[2_000]).toBe("fired");
  });

  it("is what a report on them says, alone or together", () => {
    const reports = [report(1_000, 3_000, "missed"), report(4_000), report(5_000, 5_000, "expired")];
    expect(fates({ told: told({ reports }) })).toEqual({
      ...{ 1000: "missed", 2000: "missed", 3000: "missed", 4000: "skipped", 5000: "expired" },
    });
  });

  it("is open, as long as the shard has not passed them or the record carries them", () => {
    const firing = [{ scheduleId: "s", slot: 2_000, revision: 1, firstTerm: 1 }];
    const backlog = [{ scheduleId: "s", revision: 1, after: 2_000, until: 3_000 }];
    const record = lease(3_500, { firing, backlog, reports: [report(1_000)] });
    expect(fates({ lease: record, now: 5_000 })).toEqual(
      Object.fromEntries(all.map((slot) => [slot, "open"])),
    );
  });

  it("is overdue, when nobody decides them for over a minute", () => {
    const record = lease(2_500);
    expect(fates({ lease: record, told: FIRED, now: 90_000 })[3_000]).toBe("fired");
    expect(fates({ lease: record, now: 90_000 })).toMatchObject({ 3000: "overdue", 2000: "missing" });
    expect(fates({ lease: null, now: 60_000 })).toMatchObject({ 1000: "open" });
  });

  it("is unknown, where the history does not reach", () => {
    expect(fates({ told: told({ keptFrom: 2_500 }) })).toMatchObject({ 2000: "unknown", 3000: "missing" });
  });

  it("goes by the revision that ruled at the time, and is unknown around a change", () => {
    const at = (changedAt: number, more: Partial<Schedule>) =>
      schedule("s", { changedAt, firstRevision: 1, revision: changedAt, ...more });
    const slower = at(60_000, { spec: { kind: "every", everyMs: 10_000, phaseMs: 0 } });
    const revisions = [schedule("s", { changedAt: 0 }), slower, at(120_000, { deleted: true })];
    const seen = fates({ revisions, to: 200_000 });
    expect(seen[54_000]).toBe("missing");
    expect(seen[55_000]).toBe("unknown");
    expect(seen[61_000]).toBeUndefined();
    expect(seen[70_000]).toBe("missing");
    expect(seen[110_000]).toBe("missing");
    expect(seen[130_000]).toBeUndefined();
  });

  it("is nothing in a pause, and unknown with a limit of runs", () => {
    expect(fates({ revisions: [schedule("s", { paused: true })] })).toEqual({});
    expect(fates({ revisions: [schedule("s", { maxRuns: 2 })] })[3_000]).toBe("unknown");
  });

  it("holds for any outcomes: all that is lost is found, and nothing else", () => {
    const outcome = fc.constantFrom("fired", "skipped", "missed", "lost", "doubled");
    fc.assert(
      fc.property(fc.array(outcome, { minLength: 1, maxLength: 60 }), (outcomes) => {
        const slots = outcomes.map((kind, index) => ({ kind, slot: (index + 1) * 1_000 }));
        const of = (kind: string) => slots.filter((one) => one.kind === kind).map(({ slot }) => slot);
        const fired = [...of("fired"), ...of("doubled")].map((slot) => fire(slot));
        fired.push(...of("doubled").map((slot) => fire(slot, slot + 1)));
        const reports = [
          ...of("skipped").map((slot) => report(slot)),
          ...of("missed").map((slot) => report(slot, slot, "missed")),
        ];
        const expected = slots.map(({ slot, kind }) => [slot, kind === "lost" ? "missing" : kind]);
        const seen = fates({ to: slots.length * 1_000, told: told({ fired, reports }) });
        expect(seen).toEqual(Object.fromEntries(expected));
      }),
    );
  });
});
