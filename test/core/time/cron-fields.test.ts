import { describe, expect, it } from "vitest";
import { PunctualError } from "../../../src/core/errors.js";
import { parseCronFields } from "../../../src/core/time/cron-fields.js";

describe("values", () => {
  it("reads five fields, at second 0", () => {
    const fields = parseCronFields("*/20 1,13 1-3 JAN-mar mon");
    expect(fields.second.values).toEqual([0]);
    expect(fields.minute.values).toEqual([0, 20, 40]);
    expect(fields.hour.values).toEqual([1, 13]);
    expect(fields.dayOfMonth.values).toEqual([1, 2, 3]);
    expect(fields.month.values).toEqual([1, 2, 3]);
    expect(fields.dayOfWeek.values).toEqual([1]);
  });

  it("reads six fields, seconds first, and any white space", () => {
    const fields = parseCronFields(" 5,10-20/5\t0  0 * * ?\n");
    expect(fields.second.values).toEqual([5, 10, 15, 20]);
    expect(fields.dayOfWeek.restricted).toBe(false);
  });

  it("takes 7 for Sunday, alone and at the end of a range", () => {
    expect(parseCronFields("0 0 * * 7").dayOfWeek.values).toEqual([0]);
    expect(parseCronFields("0 0 * * 5-7").dayOfWeek.values).toEqual([0, 5, 6]);
    expect(parseCronFields("0 0 * * 0-7").dayOfWeek.values).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });

  it("merges items that overlap", () => {
    expect(parseCronFields("1-5,3,4-6 * * * *").minute.values).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it("reads the last day, last weekdays and n-th weekdays", () => {
    const fields = parseCronFields("0 0 15,L * friL,1#2,7#1");
    expect(fields.dayOfMonth).toMatchObject({ values: [15], last: 1 });
    expect(fields.dayOfWeek).toMatchObject({ values: [], last: 1 << 5, nth: [1, 1 << 1, 0, 0, 0] });
  });

  it("looks up the next value", () => {
    const { next } = parseCronFields("10,30 * * * *").minute;
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
    expect(parseCronFields(`0 0 ${text} * *`).dayOfMonth.restricted).toBe(restricted);
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
    expect(parseCronFields(`* ${text} * * *`).daily).toBe(daily);
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
    expect(parseCronFields(name)).toEqual(parseCronFields(line));
  });
});

describe("refusals", () => {
  const FIVE = "expected 5 fields";
  it.each([
    ["", `${FIVE} (minute, hour, day of month, month, day of week), 6 with leading seconds`],
    ["   ", "got 0 fields"],
    ["*", "got 1 field in"],
    ["* * * *", "got 4 fields"],
    ["* * * * * * *", "got 7 fields"],
    ["@reboot", "@reboot is not supported: it names no time"],
    ["@fortnightly", "expected one of @yearly, @annually, @monthly"],
    ["@DAILY", 'got "@DAILY"'],
    ["@every 5m", 'a fixed interval is a spec of kind "every"'],
    ["@toString", 'got "@toString"'],
    [
      "60 * * * *",
      'minute: expected 0-59, ranges such as 1-5, steps such as */5, or a list of these, got "60"',
    ],
    ["60 * * * * *", "second: expected 0-59"],
    [
      "0 24 * * *",
      'hour: expected 0-23, ranges such as 1-5, steps such as */5, or a list of these, got "24"',
    ],
    ["0 0 0 * *", "day of month: expected 1-31 or L, the last day"],
    ["0 0 32 * *", 'got "32"'],
    ["0 0 * 13 *", "month: expected 1-12 or JAN-DEC"],
    ["0 0 * 0 *", 'got "0"'],
    ["0 0 * JANFEB *", 'got "JANFEB"'],
    ["0 0 * january *", 'got "january"'],
    ["0 0 * * 8", "day of week: expected 0-7 or SUN-SAT"],
    ["0 0 * * monday", 'got "monday"'],
    ["0 0 * * L", "day of week: expected 0-7 or SUN-SAT, 5L for the last Friday"],
    ["0 0 * * 1-5#2", 'got "1-5#2"'],
    ["0 0 * * 1#6", 'got "1#6"'],
    ["0 0 * * 1#0", 'got "1#0"'],
    ["0 0 * * *#2", 'got "*#2"'],
    ["0 0 L-3 * *", 'got "L-3"'],
    ["0 0 3L * *", 'got "3L"'],
    ["0 0 15W * *", "the nearest weekday (W) is not supported"],
    ["0 0 LW * *", "the nearest weekday (W) is not supported"],
    ["H * * * *", "hashed values (H) are not supported"],
    ["H/15 * * * *", "hashed values (H) are not supported"],
    ["*/0 * * * *", 'minute: expected a step from 1 to 60, got "*/0"'],
    ["*/90 * * * *", "steps start again with each hour"],
    ["0 */48 * * *", "hour: expected a step from 1 to 24"],
    ["0 0 * * */8", "day of week: expected a step from 1 to 7"],
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
    ["0 0 * * 1 rm", "day of week: expected 0-7"],
    ["TZ=UTC 0 3 * * *", "the time zone does not belong in the line"],
    [`${"1,".repeat(600)}1 * * * *`, "expected at most 1024 characters"],
  ])("%j", (line, message) => {
    expect(messageOf(line)).toContain(message);
  });

  it.each(["0 0 31 2 *", "0 0 30 2 *", "0 0 31 4,6,9,11 *", "0 0 30-31 FEB ?"])(
    "%s can never fire",
    (line) => {
      expect(messageOf(line)).toBe(`"${line}" can never fire: no month it names has such a day`);
    },
  );

  it.each(["0 0 29 2 *", "0 0 31 2,3 *", "0 0 31 2 1", "0 0 L 2 *", "0 0 ? 2 1#5", "0 0 30 4 *"])(
    "%s can",
    (line) => {
      expect(() => parseCronFields(line)).not.toThrow();
    },
  );
});

function messageOf(line: string): string {
  try {
    parseCronFields(line);
  } catch (error) {
    if (!(error instanceof PunctualError)) throw error;
    expect(error.code).toBe("invalid");
    expect(error.issues).toHaveLength(1);
    expect(error.issues[0]!.path).toBe("expression");
    return error.issues[0]!.message;
  }
  throw new Error(`accepted ${line}`);
}
