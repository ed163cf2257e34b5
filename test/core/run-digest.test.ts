import { describe, expect, it } from "vitest";
import { foldRun, type Run } from "../../src/core/run.js";
import { RunDigest } from "../../src/core/run-digest.js";
import type { RunFact } from "../../src/core/run-fact.js";

const T0 = Date.UTC(2026, 0, 1);
const KEY = "schedule.nightly";
const at = (minute: number) => T0 + minute * 60_000;

/** The run of a slot, as it is known from some facts. */
function runAt(minute: number, ...facts: Partial<RunFact>[]): Run {
  const fired = {
    kind: "fired",
    at: at(minute),
    scheduleId: "nightly",
    fireTime: at(minute),
    seq: minute + 1,
  } as const;
  const all = facts.map(
    (fact) => ({ at: at(minute) + 1_000, seq: minute + 1, attempt: 1, ...fact }) as RunFact,
  );
  return foldRun(`nightly:${minute}`, [fired, ...all]) as Run;
}

function reported(outcome: "missed" | "skipped" | "expired", minute: number, count = 1): Run {
  const slots = { from: at(minute), to: at(minute + count - 1), count, fireTime: at(minute) };
  const fact = {
    kind: "reported",
    at: at(minute),
    outcome,
    scheduleId: "nightly",
    reason: "why",
    ...slots,
  } as const;
  return foldRun(`nightly:${minute}`, [fact]) as Run;
}

const failed = (minute: number) => runAt(minute, { kind: "dead", error: "no disk" });
const succeeded = (minute: number) => runAt(minute, { kind: "succeeded" });

function digestOf(...runs: Run[]) {
  const digest = new RunDigest();
  for (const run of runs) digest.note(run, [KEY], false);
  return digest;
}

const pastOf = (...runs: Run[]) => digestOf(...runs).pastOf(KEY);

describe("how runs ended", () => {
  it("failures in a row are counted until one succeeds; what was cancelled or skipped is neither", () => {
    const cancelled = runAt(3, { kind: "cancelled" });
    expect(pastOf(succeeded(1), failed(2), cancelled, reported("skipped", 4), failed(5))).toMatchObject({
      failures: 2,
      succeededAt: at(1) + 1_000,
      lastFailure: { runId: "nightly:5", at: at(5) + 1_000, error: "no disk" },
    });
    expect(pastOf(failed(1), failed(2), succeeded(3))).toMatchObject({ failures: 0 });
  });

  it("an end that is told again counts once", () => {
    const digest = digestOf(failed(1));
    digest.note(failed(1), [KEY], true);
    expect(digest.pastOf(KEY).failures).toBe(1);
  });

  it("a run may count for more than one thing, and for nothing else", () => {
    const digest = new RunDigest();
    digest.note(failed(1), [KEY, "queue.mail"], false);
    expect(digest.pastOf("queue.mail").failures).toBe(1);
    expect(digest.pastOf("queue.other").failures).toBe(0);
  });

  it("backfills are about the past", () => {
    const run = { ...failed(1), trigger: "backfill" };
    expect(pastOf(run)).toMatchObject({ failures: 0, lastFailure: null });
  });
});

describe("missed slots", () => {
  it("are told of until a later slot is fired, over or not", () => {
    const missed = { outcome: "missed", from: at(5), to: at(7), count: 3, reason: "why" };
    expect(pastOf(reported("missed", 5, 3)).missed).toMatchObject(missed);
    expect(pastOf(reported("missed", 5, 3), succeeded(4)).missed).toMatchObject(missed);
    expect(pastOf(reported("missed", 5, 3), runAt(8)).missed).toBeNull();
    expect(pastOf(reported("missed", 5, 3), reported("skipped", 8)).missed).not.toBeNull();
    expect(pastOf(reported("expired", 5)).missed).toMatchObject({ outcome: "expired" });
    expect(pastOf(runAt(5, { kind: "expired" })).missed).toMatchObject({ outcome: "expired", from: at(5) });
  });
});

describe("runs that are not over", () => {
  it("are known until they are, with the beginning of the attempt that they are at", () => {
    const first = { kind: "started", startedAt: at(2) } as const;
    const digest = digestOf(runAt(1, first));
    expect([...digest.open]).toMatchObject([{ runId: "nightly:1", state: "running", startedAt: at(2) }]);
    const retried = [{ kind: "retried" }, { kind: "started", attempt: 2, startedAt: at(9) }] as const;
    digest.note(runAt(1, first, ...retried), [KEY], false);
    expect([...digest.open]).toMatchObject([{ startedAt: at(9) }]);
    digest.note(runAt(1, first, ...retried, { kind: "succeeded", attempt: 2 }), [KEY], false);
    expect([...digest.open]).toEqual([]);
  });

  it("what was seen of one holds on until more is told", () => {
    const digest = digestOf(runAt(1));
    const [queued] = [...digest.open];
    digest.begun(queued as NonNullable<typeof queued>, at(3));
    digest.note(runAt(1), [KEY], false);
    expect([...digest.open]).toMatchObject([{ state: "running", startedAt: at(3) }]);
    digest.gone("nightly:1");
    expect([...digest.open]).toEqual([]);
  });
});

describe("a crowd that waits", () => {
  it("leaves room for the runs of others", () => {
    const digest = new RunDigest();
    for (let i = 0; i < 20_000; i++) {
      const run = { ...runAt(0), id: `job-${i}`, scheduleId: null, queue: "crowded" };
      digest.note(run, ["queue.crowded"], false);
    }
    digest.note(runAt(1), [KEY], false);
    expect([...digest.open].map(({ runId }) => runId)).toContain("nightly:1");
  });
});

describe("what somebody else knew", () => {
  it("is gone on from: ends that he counted are not counted again", () => {
    const digest = new RunDigest();
    digest.takeUp(KEY, pastOf(failed(1), failed(2)));
    for (const run of [failed(1), failed(2), failed(3)]) digest.note(run, [KEY], false);
    expect(digest.pastOf(KEY).failures).toBe(3);
  });

  it("so it is with what is told anew", () => {
    const digest = digestOf(failed(1), failed(2));
    digest.rewind();
    for (const run of [failed(1), failed(2), failed(3)]) digest.note(run, [KEY], false);
    expect(digest.pastOf(KEY).failures).toBe(3);
  });
});
