import { describe, expect, it } from "vitest";
import type { RruleSpec } from "../../../src/core/schedule.js";
import { compileRrule } from "../../../src/core/time/rrule.js";
import { timesAfter } from "./given.js";

const rrule = (rule: string, timeZone = "UTC", start?: string): RruleSpec => ({
  kind: "rrule",
  rule,
  timeZone,
  start,
});
const firesAfter = (rule: RruleSpec, from: string, count: number) =>
  timesAfter(compileRrule(rule), from, count);
const NOV_25 = "2026-11-25T00:00:00Z";

describe("a recurrence rule", () => {
  it.each([
    [
      "the last Friday of the month",
      rrule("FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=17"),
      ["2026-11-27T17:00", "2026-12-25T17:00"],
    ],
    [
      "every second day, counted from its start",
      rrule("FREQ=DAILY;INTERVAL=2", "UTC", "2026-11-24T08:15:00"),
      ["2026-11-26T08:15", "2026-11-28T08:15"],
    ],
    [
      "the last weekday of the month",
      rrule("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1"),
      ["2026-11-30T00:00", "2026-12-31T00:00"],
    ],
    ["in lower case", rrule("freq=weekly;byday=mo"), ["2026-11-30T00:00", "2026-12-07T00:00"]],
    ["until a time", rrule("FREQ=DAILY;UNTIL=20261126T000000Z"), ["2026-11-26T00:00"]],
    ["29 February", rrule("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29"), ["2028-02-29T00:00", "2032-02-29T00:00"]],
    [
      "29 February, day by day",
      rrule("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=29"),
      ["2028-02-29T00:00", "2032-02-29T00:00"],
    ],
    [
      "a number of times",
      rrule("FREQ=DAILY;COUNT=3", "UTC", "2026-11-24T09:00:00"),
      ["2026-11-25T09:00", "2026-11-26T09:00"],
    ],
    [
      "many times",
      rrule("FREQ=DAILY;COUNT=10000", "UTC", "2000-01-01T00:00:00"),
      ["2026-11-26T00:00", "2026-11-27T00:00"],
    ],
  ])("%s", (_, rule, expected) => {
    expect(firesAfter(rule, NOV_25, 2)).toEqual(expected);
  });

  it("leaves out a local time that is skipped, and takes the first of two", () => {
    const rule = rrule("FREQ=DAILY;BYHOUR=2;BYMINUTE=30", "Europe/Berlin");
    expect(firesAfter(rule, "2026-03-28T00:00:00Z", 2)).toEqual(["2026-03-28T01:30", "2026-03-30T00:30"]);
    expect(firesAfter(rule, "2026-10-25T00:00:00Z", 2)).toEqual(["2026-10-25T00:30", "2026-10-26T01:30"]);
  });

  it("is over when nothing more can match", () => {
    for (const rule of [
      "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
      "FREQ=SECONDLY;BYMONTH=2,4;BYMONTHDAY=31",
      "FREQ=DAILY;UNTIL=20200101T000000Z",
      "FREQ=YEARLY;INTERVAL=4;BYMONTH=2;BYMONTHDAY=29", // counted from 1970
      "FREQ=DAILY;COUNT=5",
      "FREQ=DAILY;BYSETPOS=2",
      "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=6",
    ]) {
      const times = compileRrule(rrule(rule));
      expect(times.next(Date.parse(NOV_25))).toBeNull();
      expect(times.next(Date.parse(NOV_25) + 1)).toBeNull();
    }
  });
});

describe("a rule that is refused", () => {
  it.each([
    ["", 'expected parts as in FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=17, got ""'],
    ["BYDAY=MO", "expected FREQ, as in"],
    ["FREQ=OFTEN", 'FREQ: expected YEARLY, MONTHLY, WEEKLY, DAILY, HOURLY, MINUTELY, SECONDLY, got "OFTEN"'],
    ["FREQ=DAILY;FOO=1", 'expected parts as in FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=17, got "FOO=1"'],
    ["FREQ=DAILY;BYHOUR=25", 'BYHOUR: expected whole numbers from 0 to 23, got "25"'],
    ["FREQ=DAILY;BYHOUR=9,x", 'got "9,X"'],
    ["FREQ=MONTHLY;BYMONTHDAY=0", "BYMONTHDAY: expected whole numbers from 1 to 31, or from -31 to -1"],
    ["FREQ=DAILY;INTERVAL=0", "INTERVAL: expected a whole number from 1 to 1000000"],
    ["FREQ=DAILY;COUNT=20000", "COUNT: expected a whole number from 1 to 10000"],
    ["FREQ=DAILY;INTERVAL=1,2", 'got "1,2"'],
    ["FREQ=WEEKLY;BYDAY=XX", 'BYDAY: expected weekdays such as MO or -1FR, got "XX"'],
    ["FREQ=DAILY;UNTIL=soon", "UNTIL: expected a time such as 20261231T235959Z"],
    ["FREQ=DAILY;FREQ=DAILY", "expected one FREQ, got two"],
    ["FREQ=DAILY;COUNT=1;UNTIL=20261231T235959Z", "expected COUNT or UNTIL, got both"],
  ])("%s", (rule, message) => {
    expect(() => compileRrule(rrule(rule))).toThrow(`rrule: `);
    expect(() => compileRrule(rrule(rule))).toThrow(message);
  });

  it("has an unknown zone", () => {
    expect(() => compileRrule(rrule("FREQ=DAILY", "Foo/Bar"))).toThrow(
      "timeZone: expected an IANA time zone",
    );
  });
});
