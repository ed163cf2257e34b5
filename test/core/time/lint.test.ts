import { describe, expect, it } from "vitest";
import type { DstPolicy, ScheduleSpec } from "../../../src/core/schedule.js";
import { collisionsOf } from "../../../src/core/time/collisions.js";
import { compileSpec } from "../../../src/core/time/fire-times.js";
import { lintSpec } from "../../../src/core/time/lint.js";

const NOW = Date.parse("2026-01-15T12:00:00Z");
const lint = (spec: ScheduleSpec, now = NOW) =>
  lintSpec(spec, "nightly", compileSpec(spec, "nightly"), now).map(
    ({ code, message }) => `${code}: ${message}`,
  );
const lintLine = (expression: string, timeZone = "UTC", dst?: DstPolicy) =>
  lint({ kind: "cron", expression, timeZone, dst });

describe("uneven-step", () => {
  it.each([
    ["*/7 * * * *", "minute */7 starts again with each hour: the last step is 4, not 7"],
    ["*/40 * * * * *", "second */40 starts again with each minute: the last step is 20, not 40"],
    ["0 */5 * * *", "hour */5 starts again with each day: the last step is 4, not 5"],
    ["30/20 * * * *", "minute 30/20 starts again with each hour: the last step is 40, not 20"],
    ["0 0 1 */5 *", "month */5 starts again with each year: the last step is 2, not 5"],
    ["0 0 * * */2", "day of week */2 starts again with each week: the last step is 1, not 2"],
    [
      "0 0 */2 * *",
      "day of month */2 starts again with each month: the last step is what is left of it, not 2",
    ],
  ])("%s", (line, message) => {
    expect(lintLine(line)).toEqual([`uneven-step: ${message}`]);
  });

  it.each(["*/15 * * * *", "*/1 * * * *", "5/20 * * * *", "0 */8 * * *", "10-50/7 * * * *", "H/7 * * * *"])(
    "not %s",
    (line) => {
      expect(lintLine(line)).toEqual([]);
    },
  );
});

describe("skips-months", () => {
  it.each([
    ["0 0 31 * *", "February, April, June, September, November"],
    ["0 0 30 * *", "February"],
    ["0 0 29 * *", "February (but in leap years)"],
    ["0 0 31W 4,5 *", "April"],
    ["0 0 L-30 1-4 *", "February, April"],
    ["0 0 30,31 2,3 *", "February"],
  ])("%s", (line, months) => {
    expect(lintLine(line)).toEqual([
      `skips-months: there is no such day in ${months}; the last day of every month is L`,
    ]);
  });

  it.each(["0 0 28 * *", "0 0 L * *", "0 0 1,31 * *", "0 0 31 1,3 *", "0 0 LW * *", "0 0 L-27 * *"])(
    "not %s",
    (line) => {
      expect(lintLine(line)).toEqual([]);
    },
  );
});

it("day-or", () => {
  expect(lintLine("0 0 13 * fri")).toEqual([
    "day-or: fires when day of month is 13 or day of week is fri, not only when both hold",
  ]);
  expect(lintLine("0 0 13 * ?")).toEqual([]);
});

describe("dst-gap and dst-overlap", () => {
  const gap = "dst-gap: 02:30 on 29 March 2026 in Europe/Berlin does not come: the line";
  const overlap = "dst-overlap: 02:30 on 25 October 2026 in Europe/Berlin comes twice: the line fires";
  it.each<[string, DstPolicy | undefined, string[]]>([
    ["30 2 * * *", undefined, [`${gap} fires at 03:00`, `${overlap} the first time`]],
    [
      "30 2 * * *",
      { gap: "skip", overlap: "second" },
      [`${gap} does not fire`, `${overlap} the second time`],
    ],
    ["30 */2 * * *", undefined, [`${gap} does not fire`, `${overlap} both times`]],
    ["30 2 29 3 *", undefined, [`${gap} fires at 03:00`]],
    ["30 * * * *", undefined, []],
    ["30 3 * * *", undefined, []],
    ["30 2 * 1 *", undefined, []],
  ])("%s %j", (line, dst, expected) => {
    expect(lintLine(line, "Europe/Berlin", dst)).toEqual(expected);
  });

  it("a zone without changes has neither", () => {
    expect(lintLine("30 2 * * *", "Asia/Tokyo")).toEqual([]);
  });
});

it("faster-than-second", () => {
  expect(lint({ kind: "every", everyMs: 100, phaseMs: 0 })).toEqual([
    "faster-than-second: every 100 ms is more than once a second, 864000 runs a day",
  ]);
  expect(lint({ kind: "every", everyMs: 1_000, phaseMs: 0 })).toEqual([]);
});

it("never-fires", () => {
  const spec: ScheduleSpec = { kind: "cron", expression: "0 0 1 1 *", timeZone: "UTC" };
  expect(lint(spec, 8.64e15 - 1)).toEqual([
    "never-fires: there is no fire time after +275760-09-12T23:59:59.999Z",
  ]);
  expect(lint({ kind: "at", at: 5 })).toEqual([]);
  const rest = { kind: "composite" as const, spreadMs: 0, jitterMs: 0 };
  const include = [{ kind: "every" as const, everyMs: 1_000, phaseMs: 0 }];
  expect(lint({ ...rest, include, exclude: [], endAt: NOW - 1 })).toEqual([
    "never-fires: there is no fire time after 2026-01-15T12:00:00.000Z",
  ]);
});

describe("collision", () => {
  const daily = (expression: string) => (id: string) => ({
    id,
    times: compileSpec({ kind: "cron", expression, timeZone: "UTC" }, id),
  });
  const ids = Array.from({ length: 60 }, (_, index) => `job-${index}`);

  it("tells the most crowded instants of the next day", () => {
    const schedules = [...ids.map(daily("0 3 * * *")), ...ids.slice(0, 50).map(daily("0 4 * * *"))];
    expect(collisionsOf(schedules, NOW).map(({ message }) => message)).toEqual([
      "60 schedules fire at 2026-01-16T03:00:00.000Z, among them job-0, job-1, job-2; H in place of a minute spreads them",
      "50 schedules fire at 2026-01-16T04:00:00.000Z, among them job-0, job-1, job-2; H in place of a minute spreads them",
    ]);
  });

  it("of what is crowded every hour, three", () => {
    expect(collisionsOf(ids.map(daily("0 * * * *")), NOW)).toHaveLength(3);
  });

  it("none with hashed minutes, below the limit, or beyond the day", () => {
    expect(collisionsOf(ids.map(daily("H 3 * * *")), NOW)).toEqual([]);
    expect(collisionsOf(ids.slice(0, 49).map(daily("0 3 * * *")), NOW)).toEqual([]);
    expect(collisionsOf(ids.map(daily("0 3 1 * *")), NOW)).toEqual([]);
  });
});
