import { describe, expect, test } from "vitest";
import { type Evidence, explain } from "../../src/core/explain.js";
import type { PastEvent } from "../../src/core/lookback.js";
import type { CompositeSpec, Schedule } from "../../src/core/schedule.js";
import { compileSpec } from "../../src/core/time/fire-times.js";
import { lease, schedule } from "./given.js";

const AT = Date.UTC(2026, 0, 1, 12);
const HOUR = 3_600_000;
const MADE = AT - 24 * HOUR;
const hourly = { kind: "every", everyMs: HOUR, phaseMs: 0 } as const;

const made = (more: Partial<Schedule> = {}): Schedule =>
  schedule("s", { spec: hourly, misfire: "once", revision: 3, changedAt: MADE, changedBy: "anna", ...more });

const evidence = (more: Partial<Evidence> = {}): Evidence => ({
  at: AT,
  now: AT + HOUR,
  revisions: [made()],
  compile: (spec) => compileSpec(spec, "s"),
  lease: lease(AT + HOUR),
  events: [],
  outcomes: { fired: new Map(), reports: [] },
  isInWork: false,
  ...more,
});

const event = (type: string, data: PastEvent["data"] = {}): PastEvent => ({ type, at: AT, data });
const fired = { fired: new Map([[AT, 7]]), reports: [] };
const firing = { scheduleId: "s", slot: AT, revision: 3, firstTerm: 1 };
const report = (outcome: "skipped" | "missed" | "expired", reason: string) => ({
  fired: new Map<number, number>(),
  reports: [{ scheduleId: "s", outcome, reason, from: AT - HOUR, to: AT + HOUR, count: 3 }],
});

describe("a slot that fired", () => {
  test.each<[string, Partial<Evidence>, RegExp]>([
    ["succeeded", { events: [event("started"), event("succeeded")] }, /the run succeeded/],
    [
      "failed",
      { events: [event("dead", { reason: "the last attempt failed" })] },
      /for good \(the last attempt failed\)/,
    ],
    ["is tried again", { events: [event("retried")] }, /tried again/],
    ["was begun", { events: [event("started")] }, /has begun it/],
    ["was cancelled", { events: [event("cancelled")] }, /was cancelled/],
    ["is queued", { outcomes: fired, isInWork: true }, /is queued, or a worker has it/],
    ["was done by a bare worker", { outcomes: fired }, /no longer queued, and no worker told/],
  ])("and %s is told as fired", (_, known, text) => {
    const told = explain(evidence(known));
    expect(told).toMatchObject({ code: "fired", revision: 3 });
    expect(told.text).toMatch(text);
  });

  test("is told as fired whatever its definition says by now", () => {
    const now = [
      made({ changedAt: AT - 1, paused: true }),
      made({ revision: 9, changedAt: AT, deleted: true }),
    ];
    expect(explain(evidence({ revisions: now, outcomes: fired })).code).toBe("fired");
  });
});

describe("a slot that did not fire", () => {
  test.each<[string, Partial<Evidence>, RegExp]>([
    ["overlap", { outcomes: report("skipped", "overlap") }, /an earlier run .* queued or running/],
    ["misfire", { outcomes: report("skipped", "misfire") }, /over a minute late/],
    ["max-runs", { outcomes: report("skipped", "maxRuns") }, /as often as maxRuns/],
    ["expired", { outcomes: report("expired", "start deadline") }, /before its start deadline/],
    ["expired", { events: [event("expired", { attempt: 1 })] }, /before its start deadline/],
    [
      "missed",
      { outcomes: report("missed", "older than the catch-up window") },
      /older than the catch-up window/,
    ],
    ["missed", { outcomes: report("missed", "ambiguous") }, /not known whether it was published/],
    ["missed", { events: [event("missed", { reason: "refused: no" })] }, /refused: no/],
    ["skipped", { events: [event("skipped", { reason: "buffer full" })] }, /buffer full/],
  ])("is told as %s", (code, known, text) => {
    const told = explain(evidence(known));
    expect(told.code).toBe(code);
    expect(told.text).toMatch(text);
  });

  test("is not told by a report on slots around an instant that is none", () => {
    const outcomes = report("skipped", "overlap");
    expect(explain(evidence({ at: AT + 1, outcomes })).code).toBe("not-a-fire-time");
  });
});

describe("a slot that is under way", () => {
  test("is in flight, or waits where runs take turns", () => {
    const held = lease(AT, { firing: [firing] });
    expect(explain(evidence({ lease: held })).code).toBe("in-flight");
    const revisions = [made({ overlap: "buffer-all" })];
    expect(explain(evidence({ lease: held, revisions })).code).toBe("waiting");
  });

  test("is in flight as a misfire that waits for its rate", () => {
    const backlog = [{ scheduleId: "s", revision: 3, after: AT - HOUR, until: AT + HOUR }];
    const held = lease(AT + HOUR, { backlog });
    expect(explain(evidence({ lease: held }))).toMatchObject({
      code: "in-flight",
      text: expect.stringMatching(/catch-up rate/),
    });
    expect(explain(evidence({ lease: held, at: AT + 1 })).code).toBe("not-a-fire-time");
    expect(explain(evidence({ lease: held, at: AT - HOUR })).code).toBe("unknown");
  });

  test("is undecided as long as its shard has not come to it", () => {
    const behind = { ...lease(AT - 1), holder: "orchestrator-1" };
    expect(explain(evidence({ lease: behind }))).toMatchObject({
      code: "undecided",
      text: expect.stringMatching(/orchestrator-1 holds its shard/),
    });
    expect(explain(evidence({ lease: null })).text).toMatch(/no orchestrator holds its shard/);
  });

  test("is not due before its time", () => {
    expect(explain(evidence({ now: AT - 1, lease: lease(AT - 5) })).code).toBe("not-due");
  });

  test("of which nothing is kept is unknown", () => {
    expect(explain(evidence()).code).toBe("unknown");
  });
});

describe("by the definition of that time", () => {
  test("it was paused: note and author are told", () => {
    const revisions = [
      made(),
      made({ revision: 5, changedAt: AT - 1, changedBy: "ben", paused: true, note: "audit" }),
    ];
    expect(explain(evidence({ revisions }))).toEqual({
      code: "paused",
      revision: 5,
      text: "It did not run: the schedule was paused (audit); last changed 2026-01-01T11:59:59.999Z by ben.",
    });
    const resumed = made({ revision: 6, changedAt: AT + 1 });
    expect(explain(evidence({ revisions: [...revisions, resumed] })).code).toBe("paused");
    const until = [made({ paused: true, pausedUntil: AT })];
    expect(explain(evidence({ revisions: until })).code).toBe("unknown"); // the pause was over
    expect(explain(evidence({ revisions: [made({ paused: true })], now: AT - 1 })).text).toMatch(
      /^It will not run/,
    );
  });

  test("it was deleted, or had not been made, or that is no longer kept", () => {
    const gone = made({ revision: 5, firstRevision: 3, changedAt: AT - 1, deleted: true, changedBy: "ben" });
    expect(explain(evidence({ revisions: [made(), gone] }))).toMatchObject({
      code: "deleted",
      text: expect.stringMatching(/deleted .* by ben/),
    });
    const late = made({ changedAt: AT + 1 });
    expect(explain(evidence({ revisions: [late] }))).toMatchObject({ code: "did-not-exist", revision: null });
    const kept = made({ revision: 30, firstRevision: 3, changedAt: AT + 1 });
    expect(explain(evidence({ revisions: [kept] })).code).toBe("unknown");
  });

  test("it is no fire time: the nearest are told", () => {
    expect(explain(evidence({ at: AT + 5 }))).toMatchObject({
      code: "not-a-fire-time",
      nearest: { before: AT, after: AT + HOUR },
    });
  });

  test("an update counts from when it was made", () => {
    const everyDay = made({ revision: 5, changedAt: AT + 1, spec: { ...hourly, everyMs: 24 * HOUR } });
    const revisions = [made(), everyDay];
    expect(explain(evidence({ revisions, outcomes: fired })).revision).toBe(3);
    expect(
      explain(evidence({ revisions, at: AT + HOUR, now: AT + 2 * HOUR, lease: lease(AT + 2 * HOUR) })),
    ).toMatchObject({
      code: "not-a-fire-time",
      revision: 5,
    });
  });

  const spec = (more: Partial<CompositeSpec>): CompositeSpec => ({
    ...{ kind: "composite", include: [hourly], exclude: [], spreadMs: 0, jitterMs: 0 },
    ...more,
  });
  const noon = { kind: "cron", expression: "0 12 * * *", timeZone: "UTC" } as const;
  test.each<[string, Partial<CompositeSpec>, RegExp]>([
    [
      "excluded",
      { exclude: [{ kind: "at", at: AT - HOUR }, noon] },
      /exclude\[1\], the cron line 0 12 \* \* \*/,
    ],
    [
      "excluded",
      { exclude: [{ kind: "range", from: AT, to: AT + 1 }] },
      /exclude\[0\], 2026-01-01T12:00:00\.000Z to/,
    ],
    ["out-of-bounds", { startAt: AT + 1 }, /before the start/],
    ["out-of-bounds", { endAt: AT - 1 }, /after the end/],
  ])("it is %s", (code, more, text) => {
    const told = explain(evidence({ revisions: [made({ spec: spec(more) })] }));
    expect(told.code).toBe(code);
    expect(told.text).toMatch(text);
    expect(told.nearest).toBeDefined();
  });
});
