import { describe, expect, it } from "vitest";
import { PunctualError } from "../../src/core/errors.js";
import { parseWith } from "../../src/protocol/parse.js";
import { definitionOf, inputOf, retryOf, scheduleInput } from "../../src/protocol/schedule-input.js";

const NOW = Date.UTC(2026, 0, 1);
const CONTEXT = { now: NOW, queueMaxAttempts: 5, firstRevision: 0 };
const parse = (input: unknown) => parseWith(scheduleInput, input, "schedule");
const define = (input: unknown) => definitionOf(parse(input), CONTEXT);
const DURATION = 'expected a duration such as "90s", "1h30m" or whole milliseconds, at most 366 days, got ';
const INSTANT = 'expected an RFC 3339 time with offset such as "2026-12-24T18:00:00Z", got ';

function refusal(input: unknown): PunctualError {
  try {
    parse(input);
  } catch (error) {
    if (error instanceof PunctualError) return error;
    throw error;
  }
  throw new Error(`not refused: ${JSON.stringify(input)}`);
}

/** Field by field: the bad input, where it is bad, and what is said. */
const BAD: [input: unknown, path: string, message: string][] = [
  [null, "", "expected an object, got"],
  [{}, "", "expected one of cron, every, at, rrule, include, got 0 of them"],
  [{ cron: "* * * * *", every: "5s" }, "", "expected one of cron, every, at, rrule, include, got 2 of them"],
  [{ every: "5s", crom: "x" }, "", 'unknown field "crom"'],
  [{ every: "5s", startDeadline: "soon" }, "startDeadline", `${DURATION}"soon"`],
  [{ every: "5s", maxRuns: 0 }, "maxRuns", "expected at least 1, got 0"],
  [{ every: "5s", maxRuns: 1.5 }, "maxRuns", "expected a whole number, got"],
  [{ every: "5s", pauseOnFailure: 101 }, "pauseOnFailure", "expected at most 100, got 101"],
  [{ every: "5s", catchUpRate: 0 }, "catchUpRate", "expected at least 0.01, got 0"],
  [{ every: "5s", pausedUntil: "tomorrow" }, "pausedUntil", `${INSTANT}"tomorrow"`],
  [{ cron: 5 }, "cron", "expected a text, got"],
  [{ cron: "x".repeat(300) }, "cron", "expected at most 256 characters, got "],
  [{ cron: "@daily", timeZone: 5 }, "timeZone", "expected a text, got"],
  [{ every: "5s", timeZone: "UTC" }, "timeZone", 'goes with cron or rrule only, got "UTC"'],
  [{ every: "5s", dst: {} }, "dst", "goes with cron only, got {}"],
  [{ cron: "@daily", dst: { gap: "first" } }, "dst.gap", 'expected one of "next"|"skip", got "first"'],
  [
    { cron: "@daily", dst: { overlap: true } },
    "dst.overlap",
    'expected one of "first"|"second"|"both", got true',
  ],
  [{ cron: "@daily", dst: { fold: 1 } }, "dst", 'unknown field "fold"'],
  [{ every: "5x" }, "every", `${DURATION}"5x"`],
  [{ every: true }, "every", `${DURATION}true`],
  [{ every: 0 }, "every", "expected at least 1 ms, got 0"],
  [{ every: "400d" }, "every", `${DURATION}"400d"`],
  [{ every: "5s", phase: "5s" }, "phase", 'expected less than every, got "5s"'],
  [{ every: "5s", phase: -1 }, "phase", `${DURATION}-1`],
  [{ cron: "@daily", phase: "1s" }, "phase", 'goes with every only, got "1s"'],
  [{ at: "tomorrow" }, "at", `${INSTANT}"tomorrow"`],
  [{ at: "2026-12-24T18:00:00" }, "at", `${INSTANT}"2026-12-24T18:00:00"`],
  [{ at: "2026-02-30T18:00:00Z" }, "at", `${INSTANT}"2026-02-30T18:00:00Z"`],
  [{ at: "2026-02-28T24:00:00Z" }, "at", `${INSTANT}"2026-02-28T24:00:00Z"`],
  [{ at: 5 }, "at", "expected a text, got"],
  [{ every: "5s", queue: "a.b" }, "queue", "expected 1 to 64 characters of "],
  [{ every: "5s", payload: () => 1 }, "payload", "got function"],
  [{ every: "5s", headers: [] }, "headers", "expected an object, got"],
  [{ every: "5s", headers: { "a b": "x" } }, "headers.a b", "expected an HTTP-like header name"],
  [
    { every: "5s", headers: { "Nats-Msg-Id": "x" } },
    "headers.Nats-Msg-Id",
    "Nats- or Punctual- are reserved",
  ],
  [{ every: "5s", headers: { a: "x\ny" } }, "headers.a", "expected a value of one line"],
  [{ every: "5s", headers: { a: 5 } }, "headers.a", "expected a text, got"],
  [{ every: "5s", headers: { a: "x".repeat(5_000) } }, "headers.a", "at most 4096 characters"],
  [{ every: "5s", headers: manyHeaders(65) }, "headers", "expected at most 64 headers, got 65"],
  [{ every: "5s", retry: { maxAttempts: 0 } }, "retry.maxAttempts", "expected at least 1, got 0"],
  [{ every: "5s", retry: { maxAttempts: 101 } }, "retry.maxAttempts", "expected at most 100, got 101"],
  [{ every: "5s", retry: { maxAttempts: 1.5 } }, "retry.maxAttempts", "expected a whole number"],
  [{ every: "5s", retry: { initialDelay: "x" } }, "retry.initialDelay", `${DURATION}"x"`],
  [{ every: "5s", retry: { factor: 0.5 } }, "retry.factor", "expected at least 1, got 0.5"],
  [{ every: "5s", retry: { maxDelay: -5 } }, "retry.maxDelay", `${DURATION}-5`],
  [{ every: "5s", retry: { tries: 5 } }, "retry", 'unknown field "tries"'],
  [{ every: "5s", timeout: "x" }, "timeout", `${DURATION}"x"`],
  [{ every: "5s", priority: "top" }, "priority", 'expected one of "high"|"normal"|"low", got "top"'],
  [
    { every: "5s", overlap: "queue" },
    "overlap",
    'expected one of "allow"|"skip"|"buffer-one"|"buffer-all"|"cancel-other"|"terminate-other", got "queue"',
  ],
  [{ every: "5s", maxConcurrent: 0 }, "maxConcurrent", "expected at least 1, got 0"],
  [{ every: "5s", maxConcurrent: 65 }, "maxConcurrent", "expected at most 64, got 65"],
  [
    { every: "5s", overlap: "allow", maxConcurrent: 2 },
    "maxConcurrent",
    "goes with another overlap than allow",
  ],
  [
    { every: "5s", overlap: "buffer-one", bufferLimit: 5 },
    "bufferLimit",
    "goes with overlap buffer-all only",
  ],
  [
    { every: "5s", overlap: "buffer-all", bufferLimit: 1_001 },
    "bufferLimit",
    "expected at most 1000, got 1001",
  ],
  [{ every: "5s", misfire: "never" }, "misfire", 'expected one of "skip"|"once"|"all", got "never"'],
  [{ every: "5s", catchUpWindow: "-1s" }, "catchUpWindow", `${DURATION}"-1s"`],
  [{ every: "5s", delivery: "exactly-once" }, "delivery", 'got "exactly-once"'],
  [{ every: "5s", paused: "yes" }, "paused", "expected true or false, got"],
  [{ every: "5s", note: "x".repeat(1_001) }, "note", "expected at most 1000 characters"],
];

function manyHeaders(count: number): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, i) => [`h${i}`, "x"]));
}

describe("a schedule that is refused", () => {
  it.each(BAD)("%j at %j: %s", (input, path, message) => {
    const error = refusal(input);
    expect(error.code).toBe("invalid");
    expect(error.issues.map((issue) => issue.path)).toEqual([path]);
    expect(error.message).toContain(path === "" ? `schedule: ${message}` : `schedule: ${path}: `);
    expect(error.message).toContain(message);
  });

  it("names every bad field at once", () => {
    const error = refusal({ every: "5s", queue: "", retry: { maxAttempts: 0, factor: 0 }, note: 1 });
    expect(error.issues.map((issue) => issue.path).sort()).toEqual([
      "note",
      "queue",
      "retry.factor",
      "retry.maxAttempts",
    ]);
  });
});

describe("a schedule that is taken", () => {
  it("has the documented defaults", () => {
    expect(define({ every: "5s" })).toEqual({
      spec: { kind: "every", everyMs: 5_000, phaseMs: 0 },
      job: {
        queue: "default",
        payload: null,
        headers: {},
        retry: { maxAttempts: 5, initialDelayMs: 1_000, factor: 2, maxDelayMs: 600_000 },
        timeoutMs: 0,
      },
      startDeadlineMs: 0,
      maxRuns: 0,
      countsFrom: NOW,
      pauseOnFailure: 0,
      maxConcurrent: 1,
      bufferLimit: 100,
      catchUpRate: 10,
      overlap: "skip",
      misfire: "once",
      catchUpWindowMs: 86_400_000,
      delivery: "at-least-once",
      paused: false,
      note: undefined,
      deleted: false,
      effectiveFrom: NOW,
      firstRevision: 0,
    });
  });

  it.each([
    [{ cron: "@daily" }, { kind: "cron", expression: "@daily", timeZone: "UTC" }],
    [{ cron: "0 3 * * *", timeZone: "Asia/Tokyo" }, { timeZone: "Asia/Tokyo" }],
    [
      { cron: "@daily", dst: { overlap: "both" } },
      { kind: "cron", dst: { overlap: "both" } },
    ],
    [{ cron: "@every 1h30m" }, { kind: "every", everyMs: 5_400_000, phaseMs: 0 }],
    [
      { cron: "  @every  10s ", timeZone: "Asia/Tokyo" },
      { kind: "every", everyMs: 10_000, phaseMs: 0 },
    ],
    [
      { every: "1m", phase: "15s" },
      { kind: "every", everyMs: 60_000, phaseMs: 15_000 },
    ],
    [{ at: "2028-02-29T23:59:59.5+01:00" }, { kind: "at", at: Date.UTC(2028, 1, 29, 22, 59, 59, 500) }],
    [{ at: "2026-12-24t18:00z" }, { kind: "at", at: Date.UTC(2026, 11, 24, 18) }],
  ])("%j", (input, spec) => {
    expect(define(input).spec).toMatchObject(spec);
  });

  it.each(["@every", "@every never", "@every 0s", "@every 400d"])("but not %s", (cron) => {
    const message = `cron: column 1: expected @every with a duration such as @every 90s or @every 1h30m, got "${cron}"`;
    expect(() => define({ cron })).toThrow(message);
  });

  it("says nothing of dst when it was given empty", () => {
    expect(define({ cron: "@daily", dst: {} }).spec).toEqual({
      kind: "cron",
      expression: "@daily",
      timeZone: "UTC",
    });
  });

  it("refuses more attempts than the queue allows, and has them by default", () => {
    expect(retryOf({}, 3).maxAttempts).toBe(3);
    expect(retryOf({ maxAttempts: 3 }, 3).maxAttempts).toBe(3);
    expect(() => retryOf({ maxAttempts: 4 }, 3)).toThrow(
      "retry.maxAttempts: expected at most 3, the queue's limit, got 4",
    );
  });

  it.each([
    { cron: "*/5 9-17 * * MON-FRI", timeZone: "Europe/Berlin", note: "office hours", paused: true },
    { every: "5m", overlap: "buffer-all", maxConcurrent: 3, bufferLimit: 7 },
    { every: "5m", overlap: "cancel-other" },
    { every: "5m", priority: "high" },
    { every: "5m", startDeadline: "30s", maxRuns: 12, pauseOnFailure: 3, catchUpRate: 0.5 },
    { every: "5m", pausedUntil: "2030-01-01T00:00:00.000Z", note: "until the new year" },
    { every: "1h30m", phase: "250ms", overlap: "allow", misfire: "all", delivery: "at-most-once" },
    { at: "2030-01-01T00:00:00.000Z", payload: { deep: [1, null, "ü"] }, headers: { "X-A": "b" } },
    { every: 1, retry: { maxAttempts: 2, initialDelay: 0, factor: 1.5, maxDelay: "1d" }, timeout: "90s" },
  ])("is shown in a form that says the same: %j", (input) => {
    const definition = define(input);
    expect(define(inputOf(definition))).toEqual(definition);
  });
});
