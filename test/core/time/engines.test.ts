/** Where cron-parser and croner answer otherwise, case by case, and what their users have reported. */
import { describe, expect, it } from "vitest";
import { compileCron } from "../../../src/core/time/cron.js";
import { fireTimesBetween } from "../../../src/core/time/fire-times.js";
import { previousFireTime } from "../../../src/core/time/previous.js";
import { engines, namedDifference, ours } from "./oracle/engines.js";

const iso = (at: number | null) => (at === null ? null : new Date(at).toISOString().slice(0, 16));
const BERLIN = "Europe/Berlin";

interface Case {
  engine: "croner" | "cron-parser";
  why: string;
  line: string;
  zone?: string;
  after: string;
  mine: string;
  theirs: string;
}

const make: Case[] = [
  {
    engine: "cron-parser",
    why: "02:30 does not come: it fires an hour later, at 03:30; the rule is at the end of the gap",
    line: "30 2 * * *",
    after: "2026-03-28T12:00",
    mine: "2026-03-29T01:00",
    theirs: "2026-03-29T01:30",
  },
  {
    engine: "croner",
    why: "all minutes of the hour are skipped: it drops the night for a line with several minutes",
    line: "*/10 2 * * *",
    after: "2026-03-28T12:00",
    mine: "2026-03-29T01:00",
    theirs: "2026-03-30T00:00",
  },
  {
    engine: "cron-parser",
    why: "a gap of half an hour: it drops the night",
    zone: "Australia/Lord_Howe",
    line: "10 2 * * *",
    after: "2024-10-05T12:00",
    mine: "2024-10-05T15:30",
    theirs: "2024-10-06T15:10",
  },
  {
    engine: "croner",
    why: "a whole day is skipped: it drops the fire of that day",
    zone: "Pacific/Apia",
    line: "0 3 * * *",
    after: "2011-12-29T20:00",
    mine: "2011-12-30T10:00",
    theirs: "2011-12-30T13:00",
  },
];
const noMakeUp: Case[] = [
  {
    engine: "cron-parser",
    why: "every second hour is a rhythm: 02:30 is not made up for",
    line: "30 */2 * * *",
    after: "2026-03-29T00:00",
    mine: "2026-03-29T02:30",
    theirs: "2026-03-29T01:30",
  },
  {
    engine: "cron-parser",
    why: "a gap of half an hour: it fires a full hour later, where every second hour has no match at all",
    zone: "Australia/Lord_Howe",
    line: "1 */2 * * *",
    after: "1995-10-28T15:29",
    mine: "1995-10-28T17:01",
    theirs: "1995-10-28T16:01",
  },
  {
    engine: "croner",
    why: "so is a range, be it of one hour",
    line: "30 2-2 * * *",
    after: "2026-03-28T12:00",
    mine: "2026-03-30T00:30",
    theirs: "2026-03-29T01:00",
  },
];
const secondPass: Case[] = [
  {
    engine: "cron-parser",
    why: "asked from within the second pass it fires in that; where one asks from must not matter",
    line: "30 2 * * *",
    after: "2026-10-25T01:00",
    mine: "2026-10-26T01:30",
    theirs: "2026-10-25T01:30",
  },
  {
    engine: "cron-parser",
    why: "midnight comes twice: it takes the second one for the last Sunday of the month",
    zone: "Europe/Vatican",
    line: "0 0 * 6-12 0L",
    after: "1970-09-26T09:09",
    mine: "1970-09-26T22:00",
    theirs: "1970-09-26T23:00",
  },
];
const bothPasses: Case[] = [
  {
    engine: "cron-parser",
    why: "every second hour is a rhythm: what comes twice fires twice",
    line: "30 */2 * * *",
    after: "2026-10-25T00:30",
    mine: "2026-10-25T01:30",
    theirs: "2026-10-25T03:30",
  },
  {
    engine: "croner",
    why: "so is a range, be it of one hour",
    line: "30 2-2 * * *",
    after: "2026-10-25T00:30",
    mine: "2026-10-25T01:30",
    theirs: "2026-10-26T01:30",
  },
];

describe.each([
  ["make-up", make],
  ["no make-up", noMakeUp],
  ["second pass", secondPass],
  ["both passes", bothPasses],
] as const)("the difference %j", (name, cases) => {
  it.each(cases)(
    "$engine, $line after $after: $why",
    ({ engine, line, zone = BERLIN, after, mine, theirs }) => {
      const question = { line, zone, after: Date.parse(`${after}Z`) };
      const answer = engines[engine]!(question);
      expect([iso(ours(question)), iso(answer)]).toEqual([mine, theirs]);
      expect(namedDifference(question, answer)).toBe(name);
    },
  );
});

describe("an answer that differs without a reason has no name", () => {
  it.each([
    ["30 2 * * *", "2026-03-27T12:00", "2026-03-28T01:31"],
    ["30 12 * * *", "2026-03-29T00:00", "2026-03-29T11:30"],
    ["30 * * * *", "2026-10-24T12:00", "2026-10-24T13:30"],
  ])("%s", (line, after, theirs) => {
    const question = { line, zone: BERLIN, after: Date.parse(`${after}Z`) };
    expect(namedDifference(question, Date.parse(`${theirs}Z`))).toBeNull();
  });
});

describe("reports about cron-parser", () => {
  const compile = (expression: string, timeZone: string) =>
    compileCron({ kind: "cron", expression, timeZone }, "");

  it.each([
    ["30 2 * * 7", "2025-03-30T01:00"],
    ["0 3 * * 7", "2025-03-30T01:00"],
    ["0 4 * * 7", "2025-03-30T02:00"],
    ["0 5 * * 7", "2025-03-30T03:00"],
  ])("#404: across the gap in Rome, %s goes on, this Sunday and the next", (line, expected) => {
    const times = compile(line, "Europe/Rome");
    const [first, second] = fireTimesBetween(
      times,
      Date.parse("2025-03-28T23:59:59Z"),
      Date.parse("2025-04-30T00:00Z"),
      2,
    );
    expect(iso(first!)).toBe(expected);
    expect(new Date(second!).getUTCDate()).toBe(6);
  });

  it("#404: an hourly line of Sundays runs on through the gap", () => {
    const start = Date.parse("2025-03-29T22:30Z");
    const fires = fireTimesBetween(compile("0 * * * 7", "Europe/Rome"), start, start + 5 * 3_600_000, 10);
    expect(fires.map(iso)).toEqual([
      ...["2025-03-29T23:00", "2025-03-30T00:00", "2025-03-30T01:00"],
      ...["2025-03-30T02:00", "2025-03-30T03:00"],
    ]);
  });

  it("#378: looking back from just after the gap finds the fire of the gap, not that of the day before", () => {
    const times = compile("0 2 * * *", "America/New_York");
    const after = Date.parse("2020-03-08T03:01:00-04:00");
    expect(iso(previousFireTime(times, after))).toBe("2020-03-08T07:00");
    expect(iso(times.next(after))).toBe("2020-03-09T06:00");
    expect(iso(previousFireTime(times, times.next(after)!))).toBe("2020-03-08T07:00");
  });

  it("#446: looking back, the hour that comes twice has one fire, as looking forward", () => {
    const times = compile("0 30 1 * * *", "America/New_York");
    const once = previousFireTime(times, Date.parse("2025-11-02T02:00:00-05:00"));
    expect(iso(once)).toBe("2025-11-02T05:30");
    expect(iso(previousFireTime(times, once!))).toBe("2025-11-01T05:30");
  });

  it("#273: where one starts to look does not change what fires", () => {
    const times = compile("10 1 * * 0", "America/Toronto");
    const next = (from: string) => iso(times.next(Date.parse(from)));
    expect(next("2020-11-01T05:00Z")).toBe("2020-11-01T05:10");
    expect(next("2020-11-01T05:55Z")).toBe("2020-11-08T06:10");
    expect(next("2020-11-01T06:00Z")).toBe("2020-11-08T06:10");
  });
});
