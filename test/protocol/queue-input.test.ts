import { describe, expect, test } from "vitest";
import { defaultQueueSettings, type QueueRequest, settingsOf } from "../../src/core/queue.js";
import { limits } from "../../src/protocol/limits.js";
import { parseWith } from "../../src/protocol/parse.js";
import { queueInput, queueInputOf, queueRequestOf } from "../../src/protocol/queue-input.js";

const read = (input: unknown): QueueRequest => queueRequestOf(parseWith(queueInput, input, "queue"));

describe("settings of a queue", () => {
  test("are as by default where nothing is said", () => {
    expect(read({})).toEqual({});
    expect(settingsOf({})).toEqual(defaultQueueSettings);
    expect(settingsOf({ maxDepth: undefined })).toEqual(defaultQueueSettings);
  });

  test("are read with their units", () => {
    const input = {
      ackWait: "30s",
      maxAttempts: 4,
      backoff: ["1s", 5_000, "1m"],
      concurrency: 8,
      note: "n",
      maxDepth: 100,
      history: "off",
      rate: "100/m",
      perKey: { concurrency: 2, rate: { limit: 5, burst: 1 } },
    };
    expect(read(input)).toEqual({
      ackWaitMs: 30_000,
      maxAttempts: 4,
      backoffMs: [1_000, 5_000, 60_000],
      concurrency: 8,
      note: "n",
      maxDepth: 100,
      history: "off",
      rate: { limit: 100, periodMs: 60_000, burst: 100 },
      perKey: { concurrency: 2, rate: { limit: 5, periodMs: 1_000, burst: 1 }, order: false },
    });
    expect(read(queueInputOf(read(input)))).toEqual(read(input));
  });

  test.each([
    ["5/10s", { limit: 5, periodMs: 10_000, burst: 5 }],
    ["1/ms", { limit: 1, periodMs: 1, burst: 1 }],
    [
      { limit: 7, period: "2h", burst: 1 },
      { limit: 7, periodMs: 7_200_000, burst: 1 },
    ],
  ])("a rate may be written as %j", (rate, expected) => {
    expect(read({ rate })).toEqual({ rate: expected });
  });

  test("a time to which it is paused pauses it", () => {
    const pausedUntil = Date.UTC(2030, 0, 1);
    expect(read({ pausedUntil: "2030-01-01T00:00:00Z" })).toEqual({ paused: true, pausedUntil });
    expect(read({ paused: false, pausedUntil: "2030-01-01T00:00:00Z" })).toEqual({ paused: false });
  });

  test.each<[string, unknown, RegExp]>([
    ["what is none", "x", /expected an object, got/],
    ["an unknown field", { ackWaitMs: 1 }, /unknown field "ackWaitMs"/],
    ["no duration", { ackWait: "soon" }, /ackWait: expected a duration.*got "soon"/],
    ["too short an ack wait", { ackWait: "99ms" }, /ackWait: expected at least 100ms, got "99ms"/],
    ["no attempts", { maxAttempts: 0 }, /maxAttempts: expected at least 1, got 0/],
    ["too many attempts", { maxAttempts: 101 }, /maxAttempts: expected at most 100, got 101/],
    ["half an attempt", { maxAttempts: 1.5 }, /maxAttempts: expected a whole number, got/],
    ["a wait that is none", { backoff: ["1s", -1] }, /backoff\[1\]: expected a duration.*got -1/],
    ["no list of waits", { backoff: "1s" }, /backoff: expected a list/],
    ["more waits than attempts", { backoff: [1, 2], maxAttempts: 2 }, /backoff: expected at most 1.*got 2/],
    ["more waits than default attempts", { backoff: [1, 2, 3, 4, 5] }, /backoff: expected at most 4.*got 5/],
    ["no concurrency", { concurrency: 0 }, /concurrency: expected at least 1, got 0/],
    [
      "too much concurrency",
      { concurrency: limits.queueConcurrency + 1 },
      /concurrency: expected at most 100000/,
    ],
    ["no depth", { maxDepth: 0 }, /maxDepth: expected at least 1, got 0/],
    [
      "an unknown level",
      { history: "some" },
      /history: expected one of "full"\|"outcome"\|"off", got "some"/,
    ],
    ["no time", { pausedUntil: "2030-02-30T00:00:00Z" }, /pausedUntil: expected an RFC 3339 time/],
    [
      "too long a note",
      { note: "x".repeat(limits.noteLength + 1) },
      /note: expected at most 1000 characters/,
    ],
    ["no rate", { rate: "fast" }, /rate: expected a rate such as "100\/s".*got "fast"/],
    ["a rate of nothing", { rate: "0/s" }, /rate: expected a rate/],
    ["a rate in no time", { rate: "1/0s" }, /rate: expected a rate/],
    ["a rate that is a number", { rate: 5 }, /rate: expected a rate.*got 5/],
    ["a rate without a limit", { rate: { period: "1s" } }, /rate.limit: expected a number, got/],
    [
      "a rate without a period",
      { rate: { limit: 1, period: 0 } },
      /rate.period: expected at least 1ms, got 0/,
    ],
    ["a burst of none", { rate: { limit: 1, burst: 0 } }, /rate.burst: expected at least 1, got 0/],
    ["a misspelt rate", { rate: { limit: 1, per: "1s" } }, /rate: unknown field "per"/],
    [
      "no concurrency of keys",
      { perKey: { concurrency: 0 } },
      /perKey.concurrency: expected at least 1, got 0/,
    ],
    [
      "too much of keys",
      { perKey: { concurrency: limits.keyConcurrency + 1 } },
      /perKey.concurrency: expected at most 100/,
    ],
    ["a misspelt limit of keys", { perKey: { rates: 1 } }, /perKey: unknown field "rates"/],
    [
      "order among several",
      { perKey: { order: true, concurrency: 2 } },
      /perKey.concurrency: expected 1 with/,
    ],
    ["a rate of keys that is none", { perKey: { rate: "x" } }, /perKey.rate: expected a rate/],
  ])("refuses %s", (_what, input, message) => {
    expect(() => read(input)).toThrow(message);
  });
});
