/** `L`, `W` and `#`, as in Quartz, whose cases these are in part (CronExpressionTest). */
import { describe, expect, it } from "vitest";
import { compileCron } from "../../../src/core/time/cron.js";

/** The dates of a year on which a line with these day fields fires at midnight UTC, as `MM-DD`. */
function dates(year: number, dayOfMonth: string, month = "*", dayOfWeek = "?"): string[] {
  const expression = `0 0 ${dayOfMonth} ${month} ${dayOfWeek}`;
  const times = compileCron({ kind: "cron", expression, timeZone: "UTC" }, "");
  const found: string[] = [];
  for (let at = times.next(Date.UTC(year, 0, 1) - 1); at !== null && at < Date.UTC(year + 1, 0, 1); ) {
    found.push(new Date(at).toISOString().slice(5, 10));
    at = times.next(at);
  }
  return found;
}

describe("L, the last day of the month", () => {
  it.each<[string, string, string[]]>([
    ["L", "1-4", ["01-31", "02-29", "03-31", "04-30"]],
    ["L-1", "1-4", ["01-30", "02-28", "03-30", "04-29"]],
    ["L-3", "2", ["02-26"]],
    ["L-30", "*", ["01-01", "03-01", "05-01", "07-01", "08-01", "10-01", "12-01"]],
    ["L-28", "2", ["02-01"]],
    ["1,L", "2", ["02-01", "02-29"]],
    ["L,L-1", "4", ["04-29", "04-30"]],
  ])("%s in month %s of 2024", (text, month, expected) => {
    expect(dates(2024, text, month)).toEqual(expected);
  });

  it("L-28 in a February of 28 days is no day", () => {
    expect(dates(2023, "L-28", "2")).toEqual([]);
  });
});

describe("W, the nearest weekday", () => {
  // 2024: 15 June is a Saturday, 1 June too; 15 September a Sunday, 31 March a Sunday, 1 September a Sunday.
  it.each<[string, string, string[]]>([
    ["15W", "5", ["05-15"]],
    ["15W", "6", ["06-14"]],
    ["15W", "9", ["09-16"]],
    ["1W", "6", ["06-03"]],
    ["1W", "9", ["09-02"]],
    ["31W", "3", ["03-29"]],
    ["30W", "3", ["03-29"]],
    ["31W", "8", ["08-30"]],
    ["1W,15W", "6", ["06-03", "06-14"]],
    ["28W", "1,2", ["01-29", "02-28"]],
  ])("%s in month %s of 2024", (text, month, expected) => {
    expect(dates(2024, text, month)).toEqual(expected);
  });

  it("never leaves the month, and is no day in a month that lacks its date", () => {
    expect(dates(2024, "31W")).toEqual(["01-31", "03-29", "05-31", "07-31", "08-30", "10-31", "12-31"]);
    expect(dates(2023, "29W", "2")).toEqual([]);
  });

  it("LW is the last weekday of the month", () => {
    expect(dates(2024, "LW")).toEqual([
      ...["01-31", "02-29", "03-29", "04-30", "05-31", "06-28"],
      ...["07-31", "08-30", "09-30", "10-31", "11-29", "12-31"],
    ]);
  });

  it("L-2W is the weekday nearest to two days before the last", () => {
    // 28 January 2024 would be L-3, a Sunday; L-2 is Monday the 29th. L-2 of June is Friday the 28th.
    expect(dates(2024, "L-2W", "1,6")).toEqual(["01-29", "06-28"]);
    expect(dates(2024, "L-3W", "1")).toEqual(["01-29"]);
  });
});

describe("weekdays of the month", () => {
  it.each<[string, string, string[]]>([
    ["5#2", "1-3", ["01-12", "02-09", "03-08"]],
    ["fri#5", "1-6", ["03-29", "05-31"]],
    ["1#1", "1", ["01-01"]],
    ["5L", "1-3", ["01-26", "02-23", "03-29"]],
    ["sunL", "3", ["03-31"]],
    ["7L", "3", ["03-31"]],
    ["1#1,5L", "1", ["01-01", "01-26"]],
  ])("%s in month %s of 2024", (text, month, expected) => {
    expect(dates(2024, "?", month, text)).toEqual(expected);
  });

  it("are joined to a restricted day of month by OR", () => {
    expect(dates(2024, "LW", "3", "5#1")).toEqual(["03-01", "03-29"]);
  });
});
