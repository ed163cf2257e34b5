/** The fold of a run: what it makes of facts, and that it makes the same of them in any order. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { foldRun, isOver, type Run, runStates } from "../../src/core/run.js";
import { type FactKind, factKinds, type RunFact } from "../../src/core/run-fact.js";

const T = Date.UTC(2026, 0, 1);
const at = (ms: number) => T + ms;
const fold = (...facts: RunFact[]): Run => foldRun("r", facts) as Run;

const stored: RunFact = { kind: "stored", at: at(0), seq: 7, queue: "emails", lane: "work", subject: "s" };
const fired: RunFact = { kind: "fired", at: at(50), seq: 7, scheduleId: "nightly", fireTime: T };
const worked = { seq: 7, queue: "emails", worker: "w-1" };

describe("the state of a run", () => {
  const retried: RunFact = { kind: "retried", at: at(30), ...worked, attempt: 1, error: "no", delayMs: 500 };
  const cases: [string, RunFact[], Partial<Run>][] = [
    ["queued", [stored], { queuedAt: T, queue: "emails", attemptCount: 0 }],
    ["queued", [fired], { scheduleId: "nightly", fireTime: T, trigger: "schedule" }],
    ["waiting", [{ kind: "waiting", at: at(0), until: at(9_000) }], { nextAt: at(9_000) }],
    ["running", [stored, { kind: "started", at: at(5), ...worked, attempt: 1 }], { startedAt: at(5) }],
    ["retrying", [stored, retried], { nextAt: at(530), error: "no", attemptCount: 1 }],
    [
      "running",
      [stored, retried, { kind: "started", at: at(600), ...worked, attempt: 2 }],
      { attemptCount: 2, nextAt: null },
    ],
    [
      "succeeded",
      [stored, { kind: "succeeded", at: at(40), ...worked, attempt: 1, durationMs: 12, result: 3 }],
      { startedAt: at(28), endedAt: at(40), durationMs: 12, result: 3, worker: "w-1" },
    ],
    [
      "dead",
      [stored, { kind: "dead", at: at(40), ...worked, attempt: 1, reason: "not retryable", error: "no" }],
      { error: "no", reason: "not retryable" },
    ],
    ["cancelled", [stored, { kind: "cancelled", at: at(4), ...worked, attempt: 1 }], { endedAt: at(4) }],
    ["expired", [stored, { kind: "expired", at: at(4), seq: 7, reason: "start deadline" }], {}],
    [
      "skipped",
      [{ kind: "reported", at: at(9), outcome: "skipped", reason: "overlap", from: T, to: at(5), count: 2 }],
      { reason: "overlap", slots: { from: T, to: at(5), count: 2 }, fireTime: T },
    ],
    ["unknown", [stored, { kind: "gone", at: at(9), seq: 7 }], { endedAt: null }],
  ];
  test.each(cases)("%s", (state, facts, expected) => {
    expect(fold(...facts)).toMatchObject({ state, ...expected });
  });

  test("nothing is known of nothing", () => expect(foldRun("r", [])).toBeNull());
});

describe("a worker that only answers the server", () => {
  const acked: RunFact = { kind: "acked", at: at(90), seq: 7, attempt: 1, queue: "emails", durationMs: 60 };

  test("has a history: queued, done, how long, how often", () => {
    expect(fold(stored, acked)).toMatchObject({
      ...{ state: "succeeded", queue: "emails", queuedAt: T, startedAt: at(30), endedAt: at(90) },
      ...{ durationMs: 60, attemptCount: 1 },
    });
  });

  test("gives back, and does it the second time", () => {
    const run = fold(stored, { kind: "naked", at: at(9), seq: 7, attempt: 1 }, { ...acked, attempt: 2 });
    expect(run.attempts.map(({ number, outcome }) => [number, outcome])).toEqual([
      [1, "failed"],
      [2, "succeeded"],
    ]);
  });

  test("gives a job up without a dead letter", () => {
    expect(fold(stored, { kind: "terminated", at: at(9), seq: 7, attempt: 1 }).state).toBe("failed");
  });

  test("does not answer: its last attempt is lost, and the run dead", () => {
    const exhausted: RunFact = { kind: "exhausted", at: at(99), seq: 7, attempt: 5 };
    expect(fold(stored, exhausted)).toMatchObject({
      ...{ state: "dead", attemptCount: 5 },
      attempts: [{ number: 5, outcome: "lost" }],
    });
    const buried: RunFact = {
      kind: "dead",
      at: at(120),
      seq: 7,
      attempt: 5,
      reason: "delivery limit reached",
    };
    expect(fold(stored, exhausted, buried).attempts).toMatchObject([{ number: 5, outcome: "lost" }]);
  });
});

test("what a worker tells counts before what the server saw of it", () => {
  const dead: RunFact = { kind: "dead", at: at(40), ...worked, attempt: 1, error: "no" };
  const terminated: RunFact = { kind: "terminated", at: at(39), seq: 7, attempt: 1 };
  expect(fold(stored, terminated, dead).state).toBe("dead");
});

test("a worker that was lost: its attempt is over when another one begins", () => {
  const started = (attempt: number, ms: number): RunFact => ({
    kind: "started",
    at: at(ms),
    ...worked,
    attempt,
  });
  const run = fold(stored, started(1, 5), started(2, 900));
  expect(run.attempts.map(({ outcome }) => outcome)).toEqual(["lost", null]);
});

test("a slot that was fired was not skipped, whatever else is told", () => {
  const skipped: RunFact = { kind: "reported", at: at(1), outcome: "skipped", reason: "one too many" };
  expect(fold(skipped, fired).state).toBe("queued");
});

test("an id that is used again stands for its newest job", () => {
  const succeeded: RunFact = { kind: "succeeded", at: at(40), ...worked, attempt: 1 };
  const again: RunFact = { ...stored, at: at(1_000), seq: 9 };
  expect(fold(stored, succeeded, again)).toMatchObject({ state: "queued", seq: 9, attempts: [] });
});

test("a slot that was stored twice all the same is one run", () => {
  const succeeded: RunFact = { kind: "succeeded", at: at(90), ...worked, attempt: 1 };
  const run = fold(
    fired,
    succeeded,
    { ...fired, at: at(200), seq: 12 },
    { kind: "acked", at: at(210), seq: 12, attempt: 1 },
  );
  expect(run).toMatchObject({ state: "succeeded", endedAt: at(90), attemptCount: 1 });
});

describe("whatever happens to the facts", () => {
  const instant = fc.integer({ min: 0, max: 50 }).map(at);
  const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
  const fact: fc.Arbitrary<RunFact> = fc
    .record({
      kind: fc.constantFrom<FactKind[]>(...factKinds),
      at: instant,
      seq: optional(fc.integer({ min: 1, max: 3 })),
      attempt: optional(fc.integer({ min: 1, max: 4 })),
      queue: optional(fc.constantFrom("a", "b")),
      worker: optional(fc.constantFrom("w", "v")),
      error: optional(fc.constantFrom("e", "f")),
      durationMs: optional(fc.integer({ min: 0, max: 9 })),
      delayMs: optional(fc.integer({ min: 0, max: 9 })),
      progress: optional(fc.integer()),
      outcome: optional(fc.constantFrom("skipped", "missed", "expired")),
      lines: optional(fc.constant([{ time: "t", level: "info", msg: "m" }])),
    })
    .map(
      (drawn) =>
        Object.fromEntries(Object.entries(drawn).filter(([, value]) => value !== undefined)) as never,
    );
  const facts = fc.array(fact, { minLength: 1, maxLength: 12 });

  test("their order and repeats do not matter", () => {
    const disordered = facts.chain((once) =>
      fc.record({
        once: fc.constant(once),
        again: fc
          .shuffledSubarray(once, { minLength: 0 })
          .chain((repeats) =>
            fc.shuffledSubarray([...once, ...repeats], { minLength: once.length + repeats.length }),
          ),
      }),
    );
    fc.assert(
      fc.property(disordered, ({ once, again }) => {
        expect(foldRun("r", again)).toEqual(foldRun("r", once));
      }),
      { numRuns: 2_000 },
    );
  });

  test("what was told again later changes nothing of how it stands", () => {
    fc.assert(
      fc.property(facts, fc.nat(), fc.integer({ min: 1, max: 100 }), (once, index, later) => {
        const again = once[index % once.length] as RunFact;
        const many = ["log", "progress", "reported"].includes(again.kind);
        fc.pre(!many);
        const told = foldRun("r", [...once, { ...again, at: again.at + later }]);
        expect(told).toEqual(foldRun("r", once));
      }),
      { numRuns: 2_000 },
    );
  });

  test("no run is impossible, however few of the facts are left", () => {
    fc.assert(
      fc.property(
        facts.chain((all) => fc.subarray(all)),
        (left) => {
          const run = foldRun("r", left);
          if (run === null) return;
          expect(runStates).toContain(run.state);
          const numbers = run.attempts.map(({ number }) => number);
          expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
          expect(run.attemptCount).toBe(numbers.at(-1) ?? 0);
          const open = run.attempts.filter(({ outcome }) => outcome === null);
          // One attempt at a time, the last; none of a run that is over.
          expect(open.length).toBeLessThanOrEqual(isOver(run.state) ? 0 : 1);
          if (open.length === 1) expect(run.attempts.at(-1)).toBe(open[0]);
          if (run.state === "retrying") expect(run.attempts.at(-1)?.outcome).toBe("failed");
          if (!isOver(run.state)) expect(run.endedAt).toBeNull();
          if (run.nextAt !== null) expect(["waiting", "retrying"]).toContain(run.state);
        },
      ),
      { numRuns: 5_000 },
    );
  });
});

test("a run that waited elsewhere between two attempts goes on", () => {
  const retried: RunFact = { kind: "retried", at: at(30), ...worked, attempt: 1, error: "no", delayMs: 500 };
  const done: RunFact = { kind: "acked", at: at(31), seq: 7, attempt: 1 };
  expect(fold(stored, retried, done)).toMatchObject({ state: "retrying", nextAt: at(530) });
  const again: RunFact = { ...stored, at: at(600), seq: 9, before: 1 };
  const acked: RunFact = { kind: "acked", at: at(700), seq: 9, attempt: 1, durationMs: 5 };
  const run = fold(stored, retried, done, again, acked);
  expect(run).toMatchObject({ state: "succeeded", attemptCount: 2, endedAt: at(700), seq: 9 });
  expect(run.attempts.map(({ outcome }) => outcome)).toEqual(["failed", "succeeded"]);
});
