import { describe, expect, it, test } from "vitest";
import {
  judgeQueue,
  judgeSchedule,
  meansQueue,
  meansSchedule,
  type QueueFacts,
  type ScheduleFacts,
} from "../../src/core/alert-judge.js";
import type { AlertRule, Condition } from "../../src/core/alert-rule.js";
import { parseSelector } from "../../src/core/labels.js";
import type { OpenRun } from "../../src/core/open-runs.js";
import { NO_PAST } from "../../src/core/run-digest.js";

const NOW = Date.UTC(2026, 0, 2);
const MADE = NOW - 30 * 3_600_000;
const SCHEDULES = { of: "schedules" } as const;
const QUEUES = { of: "queues" } as const;

const rule = (condition: Condition): AlertRule => ({ ...condition, name: "r", madeAt: MADE });

function schedule(more: Partial<ScheduleFacts> = {}): ScheduleFacts {
  const none = { open: [], unfired: [], past: NO_PAST, delayOf: () => 0 };
  return { id: "nightly", isPaused: false, effectiveFrom: 0, ...none, ...more };
}

function queue(more: Partial<QueueFacts> = {}): QueueFacts {
  return { queue: "mail", past: NO_PAST, open: [], waiting: 0, oldestAgeMs: null, deaths: [], ...more };
}

function run(more: Partial<OpenRun> = {}): OpenRun {
  const of = { scheduleId: "nightly", queue: "mail", trigger: "schedule", seq: 1, nextAt: null };
  const times = { fireTime: NOW - 60_000, queuedAt: NOW - 60_000, startedAt: null };
  return { runId: "nightly:1", ...of, ...times, state: "queued", ...more };
}

const ofSchedule = (condition: Condition, facts: Partial<ScheduleFacts>) =>
  judgeSchedule(rule(condition), schedule(facts), NOW);
const ofQueue = (condition: Condition, facts: Partial<QueueFacts>) =>
  judgeQueue(rule(condition), queue(facts), NOW);

describe("late", () => {
  const late: Condition = { kind: "late", on: SCHEDULES, afterMs: 30_000 };
  const due = (ms: number) => run({ fireTime: NOW - ms });

  test.each<[string, Partial<ScheduleFacts>, string]>([
    ["no run", {}, "fine"],
    ["a run that was due just so long ago", { open: [due(30_000)] }, "fine"],
    ["a run that was due longer ago", { open: [due(30_001)] }, "breached"],
    [
      "one that waits for another attempt, of a worker that says nothing",
      { open: [run({ state: "retrying" })] },
      "fine",
    ],
    ["one that has started", { open: [run({ startedAt: NOW - 1 })] }, "fine"],
    ["one of a backfill", { open: [run({ trigger: "backfill" })] }, "fine"],
    ["one that was triggered by hand", { open: [run({ trigger: "manual" })] }, "fine"],
    ["one of a misfire", { open: [run({ trigger: "catch-up" })] }, "breached"],
    ["one of no fire time", { open: [run({ fireTime: null })] }, "fine"],
    ["one that is spread by jitter", { open: [due(31_000)], delayOf: () => 1_000 }, "fine"],
    ["one that is later than its jitter", { open: [due(31_001)], delayOf: () => 1_000 }, "breached"],
    ["a slot that nobody fires", { unfired: [NOW - 30_001] }, "breached"],
    ["a slot that is not late", { unfired: [NOW - 30_000] }, "fine"],
    ["a slot of a paused schedule", { unfired: [NOW - 60_000], isPaused: true }, "fine"],
    ["a run of a paused schedule", { open: [due(60_000)], isPaused: true }, "breached"],
  ])("%s", (_, facts, kind) => expect(ofSchedule(late, facts).kind).toBe(kind));

  it("counts a slot once that was fired just now", () => {
    const found = ofSchedule(late, { open: [due(40_000)], unfired: [NOW - 40_000] });
    expect(found).toMatchObject({ data: { count: 1, slots: ["2026-01-01T23:59:20.000Z"] } });
  });

  it("names the oldest, and says since when it is late", () => {
    const found = ofSchedule(late, { open: [due(40_000), due(50_000)], unfired: [NOW - 45_000] });
    expect(found).toEqual({
      kind: "breached",
      since: NOW - 20_000,
      text: "the run of schedule nightly at 2026-01-01T23:59:10.000Z has not started, and 2 later one(s)",
      data: {
        slots: ["2026-01-01T23:59:10.000Z", "2026-01-01T23:59:15.000Z", "2026-01-01T23:59:20.000Z"],
        count: 3,
      },
    });
  });
});

describe("missed", () => {
  const missed: Condition = { kind: "missed", on: SCHEDULES };

  it("is so until a later slot fires, which the digest knows", () => {
    expect(ofSchedule(missed, {}).kind).toBe("fine");
    const slots = { at: NOW - 5, from: NOW - 60_000, to: NOW - 60_000, count: 1, reason: "misfire policy" };
    const past = { ...NO_PAST, missed: { ...slots, outcome: "missed" as const } };
    expect(ofSchedule(missed, { past })).toMatchObject({
      since: NOW - 5,
      text: "schedule nightly: the slot at 2026-01-01T23:59:00.000Z was missed (misfire policy)",
    });
    const many = { ...NO_PAST, missed: { ...slots, count: 7, outcome: "expired" as const, reason: null } };
    expect(ofSchedule(missed, { past: many })).toMatchObject({
      text: "schedule nightly: 7 slots, the last at 2026-01-01T23:59:00.000Z, were expired",
      data: { count: 7, outcome: "expired" },
    });
  });
});

describe("failing", () => {
  const lastFailure = { runId: "x", at: NOW - 9, error: "no disk" };

  test.each([
    [2, "fine"],
    [3, "breached"],
    [4, "breached"],
  ])("%i failures in a row, of 3", (failures, kind) => {
    const past = { ...NO_PAST, failures, lastFailure };
    expect(ofSchedule({ kind: "failing", on: SCHEDULES, times: 3 }, { past }).kind).toBe(kind);
    expect(ofQueue({ kind: "failing", on: QUEUES, times: 3 }, { past }).kind).toBe(kind);
  });

  it("names the last run and its error", () => {
    const past = { ...NO_PAST, failures: 1, lastFailure };
    expect(ofQueue({ kind: "failing", on: QUEUES, times: 1 }, { past })).toMatchObject({
      since: NOW - 9,
      text: "queue mail: the last run failed",
      data: { failures: 1, runId: "x", error: "no disk" },
    });
  });
});

describe("running-long", () => {
  const long: Condition = { kind: "running-long", on: QUEUES, afterMs: 60_000 };
  const began = (ms: number, state: OpenRun["state"] = "running") => run({ startedAt: NOW - ms, state });

  test.each<[string, OpenRun[], string]>([
    ["just so long", [began(60_000)], "fine"],
    ["longer", [began(60_001)], "breached"],
    ["one that waits for its next attempt", [began(90_000, "retrying")], "fine"],
    ["one that is not known to have begun", [run({ state: "running" })], "fine"],
  ])("%s", (_, open, kind) => {
    expect(ofQueue(long, { open }).kind).toBe(kind);
    expect(ofSchedule({ kind: "running-long", on: SCHEDULES, afterMs: 60_000 }, { open }).kind).toBe(kind);
  });

  it("names the longest", () => {
    const open = [began(70_000), { ...began(90_000), runId: "nightly:0" }];
    expect(ofQueue(long, { open })).toMatchObject({
      since: NOW - 30_000,
      text: "queue mail: run nightly:0 has been running since 2026-01-01T23:58:30.000Z, and 1 more run(s)",
      data: { runIds: ["nightly:0", "nightly:1"], count: 2 },
    });
  });
});

describe("not-succeeded", () => {
  const within = 26 * 3_600_000;
  const rare: Condition = { kind: "not-succeeded", on: SCHEDULES, withinMs: within };
  const succeeded = (at: number) => ({ past: { ...NO_PAST, succeededAt: at } });

  test.each<[string, Partial<ScheduleFacts>, string]>([
    ["a success that is just old enough", succeeded(NOW - within), "fine"],
    ["one that is too old", succeeded(NOW - within - 1), "breached"],
    ["none, since the rule was made", {}, "breached"],
    ["none, of a schedule that was made later", { effectiveFrom: NOW - within }, "fine"],
    ["none, of a schedule that was made long ago", { effectiveFrom: NOW - within - 1 }, "breached"],
    ["a success before the schedule was resumed", { ...succeeded(MADE - 1), effectiveFrom: NOW - 1 }, "fine"],
    ["a schedule that is paused", { isPaused: true }, "fine"],
  ])("%s", (_, facts, kind) => expect(ofSchedule(rare, facts).kind).toBe(kind));

  it("counts from a success that is older than the rule", () => {
    expect(ofSchedule(rare, succeeded(MADE - 1_000))).toMatchObject({
      since: MADE - 1_000 + within,
      text: "schedule nightly: the last run that succeeded ended at 2025-12-31T17:59:59.000Z",
    });
  });

  it("holds nothing against anybody from before the rule", () => {
    const young = { ...rule(rare), madeAt: NOW - within };
    expect(judgeSchedule(young, schedule(), NOW).kind).toBe("fine");
    expect(judgeSchedule(young, schedule(), NOW + 1)).toMatchObject({
      kind: "breached",
      text: "schedule nightly: no run is known to have succeeded",
      data: { lastSuccess: null },
    });
  });
});

describe("queue-deep", () => {
  test.each<[{ over?: number; olderThanMs?: number }, Partial<QueueFacts>, string]>([
    [{ over: 10 }, { waiting: 10 }, "fine"],
    [{ over: 10 }, { waiting: 11 }, "breached"],
    [{ over: 0 }, { waiting: 0, oldestAgeMs: 1_000 }, "fine"],
    [{ olderThanMs: 1_000 }, { oldestAgeMs: 1_000 }, "fine"],
    [{ olderThanMs: 1_000 }, { oldestAgeMs: 1_001 }, "breached"],
    [{ olderThanMs: 1_000 }, { waiting: 99, oldestAgeMs: null }, "fine"],
    [{ over: 10, olderThanMs: 1_000 }, { waiting: 11 }, "breached"],
    [{ over: 10, olderThanMs: 1_000 }, { waiting: 1, oldestAgeMs: 2_000 }, "breached"],
  ])("%j with %j", (threshold, facts, kind) => {
    expect(ofQueue({ kind: "queue-deep", on: QUEUES, ...threshold }, facts).kind).toBe(kind);
  });

  it("says what is too much", () => {
    const both: Condition = { kind: "queue-deep", on: QUEUES, over: 1, olderThanMs: 1_000 };
    expect(ofQueue(both, { waiting: 5, oldestAgeMs: 61_000 })).toMatchObject({
      text: "queue mail: 5 jobs wait, and its oldest job is 61 s old",
      data: { waiting: 5, oldestAgeSeconds: 61 },
    });
    expect(ofQueue(both, { waiting: 1, oldestAgeMs: 61_000 })).toMatchObject({
      text: "queue mail: its oldest job is 61 s old",
    });
  });
});

describe("dead-letters", () => {
  const growing: Condition = { kind: "dead-letters", on: QUEUES, over: 2, withinMs: 1_000 };

  test.each<[string, number[], string]>([
    ["as many as may be", [NOW - 999, NOW], "fine"],
    ["one more", [NOW - 999, NOW, NOW], "breached"],
    ["one more, but too old", [NOW - 1_000, NOW, NOW], "fine"],
  ])("%s", (_, deaths, kind) => expect(ofQueue(growing, { deaths }).kind).toBe(kind));
});

describe("what a rule means", () => {
  const on = (selector: object) => rule({ kind: "missed", on: { ...SCHEDULES, ...selector } });
  const billing = { id: "a", labels: { team: "billing" } };

  it("all schedules, those of some ids, those of some labels, or both", () => {
    expect(meansSchedule(on({}), billing)).toBe(true);
    expect(meansSchedule(on({ ids: ["a"] }), billing)).toBe(true);
    expect(meansSchedule(on({ ids: ["b"] }), billing)).toBe(false);
    expect(meansSchedule(on({ labels: parseSelector("team=billing") }), billing)).toBe(true);
    expect(meansSchedule(on({ labels: parseSelector("team=ops") }), billing)).toBe(false);
    expect(meansSchedule(on({ ids: ["a"], labels: parseSelector("team=ops") }), billing)).toBe(false);
    expect(meansSchedule(on({ labels: parseSelector("!team") }), { id: "b" })).toBe(true);
  });

  it("all queues, or those of some names; never both", () => {
    const deep = (names?: string[]) => rule({ kind: "queue-deep", on: { ...QUEUES, names }, over: 1 });
    expect(meansQueue(deep(), "mail")).toBe(true);
    expect(meansQueue(deep(["mail"]), "mail")).toBe(true);
    expect(meansQueue(deep(["files"]), "mail")).toBe(false);
    expect(meansQueue(on({}), "mail")).toBe(false);
    expect(meansSchedule(deep(), billing)).toBe(false);
  });
});
