import { describe, expect, test } from "vitest";
import { attemptsOf, isMeant, type Letter, type LetterFilter } from "../../src/core/letters.js";
import type { PastEvent } from "../../src/core/lookback.js";

const letter: Letter = {
  id: 4,
  queue: "mail",
  runId: "a:1",
  scheduleId: "nightly",
  reason: "the last attempt failed",
  attempts: 3,
  error: "connect ECONNREFUSED",
  stack: null,
  subject: "test.work.mail.a",
  seq: 7,
  diedAt: 1_000,
  bodyBytes: 2,
  keptBytes: 2,
  headers: {},
};

const meant: LetterFilter[] = [
  {},
  { queue: "mail", schedule: "nightly" },
  { reason: "Last Attempt" },
  { error: "econnrefused" },
  { since: 1_000, until: 1_001 },
];
test.each(meant)("%j means it", (filter) => expect(isMeant(filter, letter)).toBe(true));

const others: LetterFilter[] = [
  { queue: "mai" },
  { schedule: "night" },
  { reason: "invalid" },
  { error: "timeout" },
  { since: 1_001 },
  { until: 1_000 },
  { queue: "mail", error: "timeout" },
];
test.each(others)("%j does not", (filter) => expect(isMeant(filter, letter)).toBe(false));

test("a letter without an error has none of its parts", () => {
  expect(isMeant({ error: "x" }, { ...letter, error: null, scheduleId: null })).toBe(false);
});

describe("the attempts of a letter", () => {
  const event = (at: number, type: string, data: PastEvent["data"] = {}): PastEvent => ({ at, type, data });
  const first = [
    event(10, "started", { attempt: 1 }),
    event(20, "retried", { attempt: 1, error: "no route", delayMs: 500 }),
    event(30, "dead", { attempt: 2, error: "still no route" }),
  ];

  test("are those that failed, each with its error", () => {
    expect(attemptsOf(first, 29)).toEqual([
      { attempt: 1, at: 20, error: "no route", delayMs: 500 },
      { attempt: 2, at: 30, error: "still no route", delayMs: null },
    ]);
  });

  test("are those of its own end, where a run id was used again", () => {
    const events = [...first, event(40, "succeeded"), event(50, "dead", { attempt: 1, error: "later" })];
    expect(attemptsOf(events, 29).map(({ error }) => error)).toEqual(["no route", "still no route"]);
    expect(attemptsOf(events, 49).map(({ error }) => error)).toEqual(["later"]);
  });

  test("are told even when the end is not yet", () => {
    expect(attemptsOf(first.slice(0, 2), 29).map(({ error }) => error)).toEqual(["no route"]);
    expect(attemptsOf([], 29)).toEqual([]);
  });

  test("may come from anyone", () => {
    expect(attemptsOf([event(30, "dead", { attempt: "x", error: 7 })], 30)).toEqual([
      { attempt: 0, at: 30, error: null, delayMs: null },
    ]);
  });
});
