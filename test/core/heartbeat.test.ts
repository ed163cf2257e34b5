import { describe, expect, it, test } from "vitest";
import { expectedAfter, type Heartbeat, isMissing } from "../../src/core/heartbeat.js";

const MADE = Date.UTC(2026, 0, 1, 12);
const HOUR = 3_600_000;

const hourly: Heartbeat = {
  name: "backup",
  rhythm: { kind: "interval", everyMs: HOUR },
  graceMs: 300_000,
  since: MADE,
};
const nightly: Heartbeat = {
  ...hourly,
  rhythm: { kind: "cron", expression: "0 3 * * *", timeZone: "Europe/Berlin" },
};

describe("the next beat is expected", () => {
  test.each<[string, Heartbeat, number | null, number | null]>([
    ["an interval after it was defined, before there is any", hourly, null, MADE + HOUR],
    ["an interval after the last one", hourly, MADE + 5, MADE + 5 + HOUR],
    ["not from before it was defined", hourly, MADE - 9 * HOUR, MADE + HOUR],
    ["at the next fire time of a cron line, in its zone", nightly, null, Date.UTC(2026, 0, 2, 2)],
    ["at the one after the last beat", nightly, Date.UTC(2026, 0, 2, 2, 10), Date.UTC(2026, 0, 3, 2)],
    ["and not by a beat at the fire time itself", nightly, Date.UTC(2026, 0, 2, 2), Date.UTC(2026, 0, 3, 2)],
  ])("%s", (_, heartbeat, last, expected) => {
    expect(expectedAfter(heartbeat, last)).toBe(expected);
  });
});

it("is missing when the grace is over, not before", () => {
  expect(isMissing(hourly, MADE, MADE + 300_000)).toBe(false);
  expect(isMissing(hourly, MADE, MADE + 300_001)).toBe(true);
  expect(isMissing(hourly, null, MADE * 2)).toBe(false);
  expect(isMissing({ ...hourly, graceMs: 0 }, MADE, MADE)).toBe(false);
});
