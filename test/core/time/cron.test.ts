import { describe, expect, it } from "vitest";
import { compileCron } from "../../../src/core/time/cron.js";
import { fireTimesBetween } from "../../../src/core/time/fire-times.js";

/** The fire times after `from` up to and with `to`, as UTC without the milliseconds. */
function fires(expression: string, timeZone: string, from: string, to: string): string[] {
  const times = compileCron({ kind: "cron", expression, timeZone }, "");
  return fireTimesBetween(times, Date.parse(from), Date.parse(to), 1000).map(iso);
}

function next(expression: string, timeZone: string, after: string): string | null {
  const at = compileCron({ kind: "cron", expression, timeZone }, "").next(Date.parse(after));
  return at === null ? null : iso(at);
}

const iso = (at: number) => new Date(at).toISOString().replace(".000", "");

describe("a gap of one hour: Europe/Berlin, 31 March 2024, 02:00 becomes 03:00 at 01:00Z", () => {
  const on = (line: string) => fires(line, "Europe/Berlin", "2024-03-30T23:00:00Z", "2024-03-31T03:00:00Z");
  it.each([
    ["a daily match in the gap fires at its end", "30 2 * * *", ["2024-03-31T01:00:00Z"]],
    ["so does the first instant of the gap", "0 2 * * *", ["2024-03-31T01:00:00Z"]],
    ["many matches make one fire", "*/10 2 * * *", ["2024-03-31T01:00:00Z"]],
    ["merged with a regular fire there", "0,30 2,3 * * *", ["2024-03-31T01:00:00Z", "2024-03-31T01:30:00Z"]],
    [
      "a regular fire later in the hour stays",
      "30 2,3 * * *",
      ["2024-03-31T01:00:00Z", "2024-03-31T01:30:00Z"],
    ],
    ["daily lines around it are untouched", "59 1,3 * * *", ["2024-03-31T00:59:00Z", "2024-03-31T01:59:00Z"]],
    ["the date is tested", "30 2 30 * *", []],
    ["and the weekday: this is a Sunday", "30 2 * * SUN", ["2024-03-31T01:00:00Z"]],
    ["not a Monday", "30 2 * * MON", []],
    ["a rhythmic line gets no make-up", "30 * * * *", ["23:30", "00:30", "01:30", "02:30"]],
    ["a step in the hours is rhythmic", "30 */2 * * *", ["23:30", "02:30"]],
    ["a range is rhythmic", "30 2-2 * * *", []],
  ])("%s: %s", (_name, line, expected) => {
    const full = expected.map((time) =>
      time.length > 5 ? time : `2024-03-${time.startsWith("23") ? 30 : 31}T${time}:00Z`,
    );
    expect(on(line)).toEqual(full);
  });

  it("starts strictly after an instant near the gap", () => {
    expect(next("30 2 * * *", "Europe/Berlin", "2024-03-31T00:59:59.999Z")).toBe("2024-03-31T01:00:00Z");
    expect(next("30 2 * * *", "Europe/Berlin", "2024-03-31T01:00:00Z")).toBe("2024-04-01T00:30:00Z");
  });
});

describe("an overlap of one hour: Europe/Berlin, 27 October 2024, 03:00 becomes 02:00 at 01:00Z", () => {
  const on = (line: string) => fires(line, "Europe/Berlin", "2024-10-26T23:00:00Z", "2024-10-27T03:00:00Z");
  it.each([
    ["a daily line fires in the first pass", "30 2 * * *", ["00:30"]],
    ["with all its minutes", "*/20 2 * * *", ["00:00", "00:20", "00:40"]],
    ["and goes on after the second", "0,30 2,3 * * *", ["00:00", "00:30", "02:00", "02:30"]],
    ["a rhythmic line fires in both", "30 * * * *", ["23:30", "00:30", "01:30", "02:30"]],
    ["also when a step or a range made it so", "30 */2 * * *", ["00:30", "01:30"]],
    ["seconds too", "30 59 2-3 * * *", ["00:59:30", "01:59:30", "02:59:30"]],
  ])("%s: %s", (_name, line, expected) => {
    const full = expected.map(
      (time) => `2024-10-${time.startsWith("23") ? 26 : 27}T${time.length > 5 ? time : `${time}:00`}Z`,
    );
    expect(on(line)).toEqual(full);
  });

  it("does not fire again for a start between or in the passes", () => {
    expect(next("30 2 * * *", "Europe/Berlin", "2024-10-27T00:30:00Z")).toBe("2024-10-28T01:30:00Z");
    expect(next("30 2 * * *", "Europe/Berlin", "2024-10-27T01:10:00Z")).toBe("2024-10-28T01:30:00Z");
    expect(next("30 2-2 * * *", "Europe/Berlin", "2024-10-27T01:10:00Z")).toBe("2024-10-27T01:30:00Z");
  });
});

describe("other changes of offset", () => {
  it("America/New_York: 02:00 becomes 03:00 on 10 March, 02:00 becomes 01:00 on 3 November 2024", () => {
    const zone = "America/New_York";
    expect(fires("15 2 * * *", zone, "2024-03-09T12:00:00Z", "2024-03-11T12:00:00Z")).toEqual([
      "2024-03-10T07:00:00Z",
      "2024-03-11T06:15:00Z",
    ]);
    expect(fires("15 1 * * *", zone, "2024-11-02T12:00:00Z", "2024-11-04T12:00:00Z")).toEqual([
      "2024-11-03T05:15:00Z",
      "2024-11-04T06:15:00Z",
    ]);
  });

  it("Australia/Lord_Howe moves by half an hour: a gap 02:00-02:30 on 6 October 2024", () => {
    // +10:30 until 15:30Z, +11:00 after.
    const zone = "Australia/Lord_Howe";
    expect(fires("10 2 * * *", zone, "2024-10-05T00:00:00Z", "2024-10-06T20:00:00Z")).toEqual([
      "2024-10-05T15:30:00Z",
      "2024-10-06T15:10:00Z",
    ]);
    // 02:30 is a regular fire at the same instant.
    expect(fires("10,30,45 2 * * *", zone, "2024-10-05T00:00:00Z", "2024-10-05T20:00:00Z")).toEqual([
      "2024-10-05T15:30:00Z",
      "2024-10-05T15:45:00Z",
    ]);
    expect(fires("*/10 * * * *", zone, "2024-10-05T15:10:00Z", "2024-10-05T15:40:00Z")).toEqual([
      "2024-10-05T15:20:00Z",
      "2024-10-05T15:30:00Z",
      "2024-10-05T15:40:00Z",
    ]);
  });

  it("Australia/Lord_Howe: an overlap 01:30-02:00 on 7 April 2024", () => {
    // +11:00 until 15:00Z on the 6th, +10:30 after.
    const zone = "Australia/Lord_Howe";
    expect(fires("15,45 1 * * *", zone, "2024-04-06T12:00:00Z", "2024-04-06T18:00:00Z")).toEqual([
      "2024-04-06T14:15:00Z",
      "2024-04-06T14:45:00Z",
    ]);
    expect(fires("45 1-1 * * *", zone, "2024-04-06T12:00:00Z", "2024-04-06T18:00:00Z")).toEqual([
      "2024-04-06T14:45:00Z",
      "2024-04-06T15:15:00Z",
    ]);
  });

  it("Pacific/Apia had no 30 December 2011: -10 becomes +14 at 10:00Z", () => {
    const zone = "Pacific/Apia";
    const on = (line: string) => fires(line, zone, "2011-12-29T10:00:00Z", "2011-12-31T09:59:59Z");
    // 29 December 03:00, the fire for the skipped day, 31 December 03:00.
    expect(on("0 3 * * *")).toEqual(["2011-12-29T13:00:00Z", "2011-12-30T10:00:00Z", "2011-12-30T13:00:00Z"]);
    // Midnight of the skipped day and of the 31st are one fire.
    expect(on("0 0 * * *")).toEqual(["2011-12-30T10:00:00Z"]);
    expect(on("0 3 30 12 *")).toEqual(["2011-12-30T10:00:00Z"]);
    // The skipped day was a Friday.
    expect(on("0 3 * * FRI")).toEqual(["2011-12-30T10:00:00Z"]);
    expect(on("0 3 * * SAT")).toEqual(["2011-12-30T13:00:00Z"]);
    expect(on("0 */12 30 12 *")).toEqual([]);
    expect(on("0 */12 * * *")).toEqual([
      "2011-12-29T22:00:00Z",
      "2011-12-30T10:00:00Z",
      "2011-12-30T22:00:00Z",
    ]);
  });

  it("Pacific/Kwajalein had most of 30 September 1969 twice: +11 becomes -12 at 13:00Z", () => {
    // The clock reached 1 October 00:00 and went back to 30 September 01:00.
    const zone = "Pacific/Kwajalein";
    const on = (line: string) => fires(line, zone, "1969-09-29T13:00:00Z", "1969-10-01T13:00:00Z");
    expect(on("0 6 * * *")).toEqual(["1969-09-29T19:00:00Z"]);
    expect(on("0 6-6 * * *")).toEqual(["1969-09-29T19:00:00Z", "1969-09-30T18:00:00Z"]);
    expect(on("0 0 * * *")).toEqual(["1969-10-01T12:00:00Z"]);
  });

  it("Africa/Monrovia moved by 44 minutes and 30 seconds on 7 January 1972", () => {
    // -00:44:30 becomes 0 at 00:44:30Z: the clock jumps from 00:00:00 to 00:44:30.
    const zone = "Africa/Monrovia";
    const on = (line: string) => fires(line, zone, "1972-01-07T00:00:00Z", "1972-01-07T02:00:00Z");
    expect(on("15 0 * * *")).toEqual(["1972-01-07T00:44:30Z"]);
    // 23:50 of the day before, then 00:15 is lost to a rhythmic line.
    expect(on("15,50 * * * *")).toEqual([
      "1972-01-07T00:34:30Z",
      "1972-01-07T00:50:00Z",
      "1972-01-07T01:15:00Z",
      "1972-01-07T01:50:00Z",
    ]);
  });

  it("Asia/Kathmandu moved from +05:30 to +05:45 at the start of 1986, and keeps its quarter", () => {
    // 31 December 18:30Z: 00:00 becomes 00:15.
    const zone = "Asia/Kathmandu";
    expect(fires("10 0 * * *", zone, "1985-12-31T00:00:00Z", "1986-01-01T23:00:00Z")).toEqual([
      "1985-12-31T18:30:00Z",
      "1986-01-01T18:25:00Z",
    ]);
    expect(next("0 9 * * *", zone, "2024-05-01T00:00:00Z")).toBe("2024-05-01T03:15:00Z");
  });

  it("Asia/Pyongyang changed its standard time: 23:30 became 24:00 on 4 May 2018", () => {
    // +08:30 becomes +09:00 at 15:00Z.
    expect(fires("45 23 4 5 *", "Asia/Pyongyang", "2018-05-01T00:00:00Z", "2018-05-06T00:00:00Z")).toEqual([
      "2018-05-04T15:00:00Z",
    ]);
  });

  it("America/Sao_Paulo skipped midnight on 4 November 2018", () => {
    expect(fires("0 0 * * *", "America/Sao_Paulo", "2018-11-03T00:00:00Z", "2018-11-05T12:00:00Z")).toEqual([
      "2018-11-03T03:00:00Z",
      "2018-11-04T03:00:00Z",
      "2018-11-05T02:00:00Z",
    ]);
  });
});

describe("dates", () => {
  it("joins day of month and day of week by OR when both are restricted", () => {
    // Mondays in June 2024: 3, 10, 17, 24.
    const june = (line: string) =>
      fires(line, "UTC", "2024-05-31T12:00:00Z", "2024-06-30T12:00:00Z").map((time) =>
        Number(time.slice(8, 10)),
      );
    expect(june("0 0 13 * MON")).toEqual([3, 10, 13, 17, 24]);
    expect(june("0 0 13 * *")).toEqual([13]);
    expect(june("0 0 * * MON")).toEqual([3, 10, 17, 24]);
    expect(june("0 0 ? * MON")).toEqual([3, 10, 17, 24]);
    expect(june("0 0 */10 * MON")).toEqual([1, 3, 10, 11, 17, 21, 24]);
    expect(june("0 0 L * *")).toEqual([30]);
    expect(june("0 0 * * 1L")).toEqual([24]);
    expect(june("0 0 * * 6#1,6#5,0#5")).toEqual([1, 29, 30]);
    expect(june("0 0 1-31 * MON")).toHaveLength(30);
  });

  it("knows leap years, also over 2100", () => {
    const leap = (after: string) => next("0 0 29 2 *", "Europe/Berlin", after);
    expect(leap("2023-01-01T00:00:00Z")).toBe("2024-02-28T23:00:00Z");
    expect(leap("2096-02-28T23:00:00Z")).toBe("2104-02-28T23:00:00Z");
    expect(leap("1999-01-01T00:00:00Z")).toBe("2000-02-28T23:00:00Z");
  });

  it("waits forty years for a fifth Monday in February", () => {
    expect(next("0 0 * 2 1#5", "UTC", "2072-03-01T00:00:00Z")).toBe("2112-02-29T00:00:00Z");
  });

  it("fires on the 31st only where there is one", () => {
    expect(fires("0 0 31 2,3,4,5 *", "UTC", "2024-01-01T00:00:00Z", "2024-12-31T00:00:00Z")).toEqual([
      "2024-03-31T00:00:00Z",
      "2024-05-31T00:00:00Z",
    ]);
  });

  it("fires on a day that the month lacks by its weekday alone", () => {
    expect(next("0 0 31 2 MON", "UTC", "2024-01-01T00:00:00Z")).toBe("2024-02-05T00:00:00Z");
  });

  it("works before 1970 and far from it", () => {
    expect(next("0 0 1 1 *", "UTC", "1899-06-01T00:00:00Z")).toBe("1900-01-01T00:00:00Z");
    expect(next("0 0 1 1 *", "UTC", "-000001-06-01T00:00:00Z")).toBe("0000-01-01T00:00:00Z");
    expect(next("0 0 1 1 *", "UTC", "9999-06-01T00:00:00Z")).toBe("+010000-01-01T00:00:00Z");
  });
});

describe("next", () => {
  const everySecond = compileCron({ kind: "cron", expression: "* * * * * *", timeZone: "UTC" }, "");

  it("is strictly after its start, to the millisecond", () => {
    expect(everySecond.next(0)).toBe(1000);
    expect(everySecond.next(-1)).toBe(0);
    expect(everySecond.next(999)).toBe(1000);
    expect(everySecond.next(999.5)).toBe(1000);
    expect(everySecond.next(-1000)).toBe(0);
  });

  it("ends with the time that a date can hold", () => {
    expect(everySecond.next(8.64e15 - 1)).toBe(8.64e15);
    expect(everySecond.next(8.64e15)).toBeNull();
    expect(everySecond.next(Number.POSITIVE_INFINITY)).toBeNull();
    expect(everySecond.next(Number.NaN)).toBeNull();
    expect(everySecond.next(Number.NEGATIVE_INFINITY)).toBe(-8.64e15 + 1000);
  });

  it("is null when the zone always skips what a rhythmic line wants", () => {
    // The last Sunday of March between two and three: the hour that Berlin skips, by rule, for ever.
    expect(next("30 2-2 * 3 0L", "Europe/Berlin", "2024-01-01T00:00:00Z")).toBeNull();
    expect(next("30 2 * 3 0L", "Europe/Berlin", "2024-01-01T00:00:00Z")).toBe("2024-03-31T01:00:00Z");
  });
});
