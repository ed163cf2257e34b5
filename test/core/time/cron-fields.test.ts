import { describe, expect, it } from "vitest";
import { PunctualError } from "../../../src/core/errors.js";
import { hasHashedValues, parseCronFields } from "../../../src/core/time/cron-fields.js";

/** Lines without hashed values do not depend on the seed. */
const read = (line: string, seed = "nightly") => parseCronFields(line, seed);

describe("values", () => {
  it("reads five fields, at second 0", () => {
    const fields = read("*/20 1,13 1-3 JAN-mar mon");
    expect(fields.second.values).toEqual([0]);
    expect(fields.minute.values).toEqual([0, 20, 40]);
    expect(fields.hour.values).toEqual([1, 13]);
    expect(fields.dayOfMonth.values).toEqual([1, 2, 3]);
    expect(fields.month.values).toEqual([1, 2, 3]);
    expect(fields.dayOfWeek.values).toEqual([1]);
  });

  it("reads six fields, seconds first, and any white space", () => {
    const fields = read(" 5,10-20/5\t0  0 * * ?\n");
    expect(fields.second.values).toEqual([5, 10, 15, 20]);
    expect(fields.dayOfWeek.restricted).toBe(false);
  });

  it("takes 7 for Sunday, alone and at the end of a range", () => {
    expect(read("0 0 * * 7").dayOfWeek.values).toEqual([0]);
    expect(read("0 0 * * 5-7").dayOfWeek.values).toEqual([0, 5, 6]);
    expect(read("0 0 * * 0-7").dayOfWeek.values).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });

  it("merges items that overlap", () => {
    expect(read("1-5,3,4-6 * * * *").minute.values).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it("reads the last day, last weekdays and n-th weekdays", () => {
    const fields = read("0 0 15,L * friL,1#2,7#1");
    expect(fields.dayOfMonth).toMatchObject({ values: [15], last: 1 });
    expect(fields.dayOfWeek).toMatchObject({ values: [], last: 1 << 5, nth: [1, 1 << 1, 0, 0, 0] });
  });

  it("reads days before the last, and nearest weekdays", () => {
    const field = read("0 0 1,L-3,L-30,LW,L-2W,15W,01W,31W * *").dayOfMonth;
    expect(field.values).toEqual([1]);
    expect(field.last).toBe((1 << 3) | (1 << 30));
    expect(field.nearestToLast).toBe((1 << 0) | (1 << 2));
    expect(field.nearest).toBe((1 << 15) | (1 << 1) | (1 << 31));
  });

  it("looks up the next value", () => {
    const { next } = read("10,30 * * * *").minute;
    expect([next[0], next[10], next[11], next[31], next[60]]).toEqual([10, 10, 30, -1, -1]);
  });
});

describe("restricted", () => {
  it.each([
    ["*", false],
    ["?", false],
    ["*/1", true],
    ["1-31", true],
    ["*,1", true],
  ])("day of month %s", (text, restricted) => {
    expect(read(`0 0 ${text} * *`).dayOfMonth.restricted).toBe(restricted);
  });
});

describe("daily or rhythmic", () => {
  it.each([
    ["3", true],
    ["1,13", true],
    ["03", true],
    ["*", false],
    ["?", false],
    ["3-3", false],
    ["*/24", false],
    ["3/12", false],
    ["1,5-6", false],
  ])("hour field %s", (text, daily) => {
    expect(read(`* ${text} * * *`).daily).toBe(daily);
  });
});

describe("hashed values", () => {
  const ids = Array.from({ length: 2000 }, (_, index) => `job-${index}`);
  const spreadOf = (line: string, field: "minute" | "hour" | "dayOfMonth" | "dayOfWeek") =>
    [...new Set(ids.flatMap((id) => read(line, id)[field].values))].sort((a, b) => a - b);
  const upTo = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

  it("never change for an id", () => {
    expect(read("H H H H H H", "nightly")).toMatchObject({
      second: { text: "7" },
      minute: { text: "27" },
      hour: { text: "7" },
      dayOfMonth: { text: "13" },
      month: { text: "10" },
      dayOfWeek: { text: "0" },
    });
    expect(read("H/15 H(9-17)/3 * * *", "weekly-report")).toMatchObject({
      minute: { text: "0-59/15" },
      hour: { text: "11-17/3" },
    });
  });

  it("reach every value of the field, and no other", () => {
    expect(spreadOf("H * * * *", "minute")).toEqual(upTo(0, 59));
    expect(spreadOf("0 H * * *", "hour")).toEqual(upTo(0, 23));
    expect(spreadOf("0 0 H * *", "dayOfMonth")).toEqual(upTo(1, 28));
    expect(spreadOf("0 0 * * H", "dayOfWeek")).toEqual(upTo(0, 6));
    expect(spreadOf("0 0 * * H(mon-fri)", "dayOfWeek")).toEqual(upTo(1, 5));
    expect(spreadOf("0 H(9-17) * * *", "hour")).toEqual(upTo(9, 17));
  });

  it("spread ids evenly", () => {
    const counts = new Array<number>(60).fill(0);
    for (const id of ids) counts[read("H * * * *", id).minute.values[0]!]!++;
    // 33 each on average.
    expect(Math.min(...counts)).toBeGreaterThan(10);
    expect(Math.max(...counts)).toBeLessThan(70);
  });

  it("differ from field to field", () => {
    const same = ids.filter((id) => {
      const { second, minute } = read("H H * * * *", id);
      return second.values[0] === minute.values[0];
    });
    expect(same.length).toBeLessThan(100);
  });

  it("with a step: a hashed start, then every such value", () => {
    for (const id of ids.slice(0, 100)) {
      const { values } = read("H/20 * * * *", id).minute;
      expect(values).toEqual([values[0], values[0]! + 20, values[0]! + 40]);
    }
    expect(spreadOf("H/20 * * * *", "minute")).toEqual(upTo(0, 59));
  });

  it("stand in lists", () => {
    expect(read("H,0-1 * * * *", "nightly").minute.values).toEqual([0, 1, 27]);
  });

  it("count as a value, with a step as a step", () => {
    expect(read("H H * * *").daily).toBe(true);
    expect(read("H H(0-5),12 * * *").daily).toBe(true);
    expect(read("H H/6 * * *").daily).toBe(false);
  });

  it("are found by their H, not by that of a name", () => {
    expect(hasHashedValues("0 0 * MARCH THU")).toBe(false);
    expect(hasHashedValues("0 0 * * THU,H")).toBe(true);
    expect(hasHashedValues("H * * * *")).toBe(true);
    expect(hasHashedValues("0 H/2 * * *")).toBe(true);
  });
});

describe("nicknames", () => {
  it.each([
    ["@yearly", "0 0 1 1 *"],
    ["@annually", "0 0 1 1 *"],
    ["@monthly", "0 0 1 * *"],
    ["@weekly", "0 0 * * 0"],
    ["@daily", "0 0 * * *"],
    ["@midnight", "0 0 * * *"],
    ["@hourly", "0 * * * *"],
  ])("%s", (name, line) => {
    expect(read(name)).toEqual(read(line));
  });
});

describe("refusals", () => {
  const FIVE = "expected 5 fields";
  it.each([
    ["", `${FIVE} (minute, hour, day of month, month, day of week), 6 with leading seconds`],
    ["   ", "got 0 fields"],
    ["*", "column 2: expected 5 fields"],
    ["*", "got 1 field in"],
    ["* * * *", "got 4 fields"],
    ["* * * * * * *", "column 13: expected 5 fields"],
    ["* * * * * * *", "got 7 fields"],
    ["@reboot", "@reboot is not supported: it names no time"],
    ["@fortnightly", "expected one of @yearly, @annually, @monthly"],
    ["@DAILY", 'got "@DAILY"'],
    ["@every 5m", 'a fixed interval is a spec of kind "every"'],
    ["@toString", 'got "@toString"'],
    [
      "60 * * * *",
      'minute, column 1: expected 0-59, ranges such as 1-5, steps such as */5, H for a hashed value, or a list of these, got "60"; for example */5 * * * *',
    ],
    ["60 * * * * *", "second, column 1: expected 0-59"],
    [
      "0 24 * * *",
      'hour, column 3: expected 0-23, ranges such as 1-5, steps such as */5, H for a hashed value, or a list of these, got "24"; for example 30 3 * * *',
    ],
    ["0 0 0 * *", "day of month, column 5: expected 1-31, L for the last day"],
    ["0 0 32 * *", 'got "32"'],
    ["0 0 * 13 *", "month, column 7: expected 1-12 or JAN-DEC"],
    ["0 0 * 0 *", 'got "0"'],
    ["0 0 * JANFEB *", 'got "JANFEB"'],
    ["0 0 * january *", 'got "january"'],
    ["0 0 * * 8", "day of week, column 9: expected 0-7 or SUN-SAT"],
    ["0 0 * * monday", 'got "monday"'],
    ["0 0 * * L", "day of week, column 9: expected 0-7 or SUN-SAT, 5L for the last Friday"],
    ["0 0 * * 1-5#2", 'got "1-5#2"'],
    ["0 0 * * 1#6", 'got "1#6"'],
    ["0 0 * * 1#0", 'got "1#0"'],
    ["0 0 * * *#2", 'got "*#2"'],
    ["0 0 L-0 * *", 'got "L-0"'],
    ["0 0 L-31 * *", 'got "L-31"'],
    ["0 0 L3 * *", 'got "L3"'],
    ["0 0 1-5W * *", 'got "1-5W"'],
    ["0 0 0W * *", 'got "0W"'],
    ["0 0 32W * *", 'got "32W"'],
    ["0 0 W * *", 'got "W"'],
    ["0 0 * * 5W", 'got "5W"'],
    ["h * * * *", 'got "h"'],
    ["H5 * * * *", 'got "H5"'],
    ["H() * * * *", 'got "H()"'],
    ["H(5) * * * *", 'got "H(5)"'],
    ["H(1-60) * * * *", "minute, column 1: expected 0-59"],
    ["0 H(5-1) * * *", 'got "H(5-1)"'],
    ["0 0 H(0-5) * *", 'got "H(0-5)"'],
    ["H/0 * * * *", "expected a step from 1 to 60"],
    ["H(0-9)/11 * * * *", "expected a step from 1 to 10"],
    ["0 0 H/29 * *", "day of month, column 5: expected a step from 1 to 28"],
    ["1,H,99 * * * *", "minute, column 5: expected 0-59"],
    ["  0  1,99   * * *", "hour, column 8: expected 0-23"],
    ["0 0 3L * *", 'got "3L"'],
    ["*/0 * * * *", 'minute, column 1: expected a step from 1 to 60, got "*/0"'],
    ["*/90 * * * *", "steps start again with each hour"],
    ["0 */48 * * *", "hour, column 3: expected a step from 1 to 24"],
    ["0 0 * * */8", "day of week, column 9: expected a step from 1 to 7"],
    ["*/1.5 * * * *", 'got "*/1.5"'],
    ["*/ * * * *", 'got "*/"'],
    ["5-1 * * * *", "write 5-59,0-1"],
    ["0 0 * * fri-mon", "write fri-6,0-mon"],
    ["1-2-3 * * * *", 'got "1-2-3"'],
    ["1,,2 * * * *", 'got "" in "1,,2"'],
    [", * * * *", 'got "" in ","'],
    ["1,99 * * * *", 'got "99" in "1,99"'],
    ["** * * * *", 'got "**"'],
    ["-1 * * * *", 'got "-1"'],
    ["+1 * * * *", 'got "+1"'],
    ["0x5 * * * *", 'got "0x5"'],
    ["0 0 * * 1 rm", "day of week, column 11: expected 0-7"],
    ["TZ=UTC 0 3 * * *", "the time zone does not belong in the line"],
    [`${"1,".repeat(600)}1 * * * *`, "expected at most 1024 characters"],
  ])("%j", (line, message) => {
    expect(messageOf(line)).toContain(message);
  });

  it.each([
    "0 0 31 2 *",
    "0 0 30 2 *",
    "0 0 31 4,6,9,11 *",
    "0 0 30-31 FEB ?",
    "0 0 L-29 2 *",
    "0 0 30W 2 *",
    "0 0 L-30W 4 *",
  ])("%s can never fire", (line) => {
    expect(messageOf(line)).toBe(`"${line}" can never fire: no month it names has such a day`);
  });

  it.each([
    "0 0 29 2 *",
    "0 0 31 2,3 *",
    "0 0 31 2 1",
    "0 0 L 2 *",
    "0 0 L-28 2 *",
    "0 0 29W 2 *",
    "0 0 LW 2 *",
    "0 0 L-30 1,2 *",
    "0 0 ? 2 1#5",
    "0 0 30 4 *",
  ])("%s can", (line) => {
    expect(() => read(line)).not.toThrow();
  });
});

function messageOf(line: string): string {
  try {
    read(line);
  } catch (error) {
    if (!(error instanceof PunctualError)) throw error;
    expect(error.code).toBe("invalid");
    expect(error.issues).toHaveLength(1);
    expect(error.issues[0]!.path).toBe("expression");
    return error.issues[0]!.message;
  }
  throw new Error(`accepted ${line}`);
}
