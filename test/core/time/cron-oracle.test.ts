/**
 * The rule for cron lines and time zones, applied to the letter and without any cleverness: every second is
 * looked at, its local time comes from `Intl` directly, and lines are drawn from a small grammar that is
 * matched here, not parsed by the code under test.
 */
import { CronExpressionParser } from "cron-parser";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compileCron } from "../../../src/core/time/cron.js";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** One field: its text, and whether a value (of `max`, the largest of this month or week) matches it. */
interface Drawn {
  text: string;
  matches(value: number): boolean;
}

interface Line {
  second: Drawn;
  minute: Drawn;
  hour: Drawn;
  date: Drawn;
  month: Drawn;
  weekday: Drawn;
}

const textOf = (line: Line) =>
  [line.second, line.minute, line.hour, line.date, line.month, line.weekday].map((f) => f.text).join(" ");

describe("the rule, second by second", () => {
  const zones: [string, string[]][] = [
    ["Europe/Berlin", ["2024-03-31T01:00Z", "2024-10-27T01:00Z", "2037-03-29T01:00Z"]],
    ["America/New_York", ["2024-03-10T07:00Z", "2024-11-03T06:00Z"]],
    ["America/Sao_Paulo", ["2018-11-04T03:00Z", "2018-02-18T02:00Z"]],
    ["Australia/Lord_Howe", ["2024-10-05T15:30Z", "2024-04-06T15:00Z"]],
    ["Pacific/Apia", ["2011-12-30T10:00Z", "2011-09-24T14:00Z"]],
    ["Pacific/Kwajalein", ["1993-08-21T12:00Z", "1969-09-30T13:00Z"]],
    ["Asia/Kathmandu", ["1985-12-31T18:30Z"]],
    ["Asia/Pyongyang", ["2018-05-04T15:00Z", "2015-08-14T15:00Z"]],
    ["Africa/Casablanca", ["2024-03-10T02:00Z", "2024-04-14T02:00Z"]],
    ["Antarctica/Troll", ["2024-03-31T01:00Z", "2024-10-27T01:00Z"]],
    ["America/Caracas", ["2007-12-09T07:00Z", "2016-05-01T07:00Z"]],
    ["America/Noronha", ["2000-10-08T02:00Z", "2000-10-15T01:00Z"]],
    ["UTC", ["2024-02-29T00:00Z"]],
  ];
  const change = fc.constantFrom(
    ...zones.flatMap(([zone, list]) => list.map((at) => ({ zone, at: Date.parse(at) }))),
  );

  it("agrees on random lines around changes of offset", () => {
    const start = fc.oneof(
      fc.integer({ min: -30 * HOUR, max: 30 * HOUR }),
      fc.integer({ min: -3 * HOUR, max: 3 * HOUR }),
      fc.integer({ min: -90, max: 90 }).map((minutes) => minutes * MINUTE),
    );
    fc.assert(
      fc.property(change, start, lineArbitrary(), ({ zone, at }, shift, line) => {
        const from = at + shift;
        const until = from + 2 * DAY;
        const times = compileCron({ kind: "cron", expression: textOf(line), timeZone: zone });
        let cursor = from;
        for (const expected of literalFires(line, zone, from, until).slice(0, 400)) {
          const next = times.next(cursor);
          expect(show(next)).toBe(show(expected));
          cursor = expected;
        }
      }),
      { numRuns: 1500 },
    );
  }, 60_000);

  it("agrees on silence: nothing fires that the rule does not know", () => {
    fc.assert(
      fc.property(change, lineArbitrary(), ({ zone, at }, line) => {
        const from = at - 20 * HOUR;
        const until = from + 2 * DAY;
        const times = compileCron({ kind: "cron", expression: textOf(line), timeZone: zone });
        const expected = literalFires(line, zone, from, until);
        const found: number[] = [];
        for (let next = times.next(from); next !== null && next <= until; next = times.next(next)) {
          found.push(next);
        }
        expect(found.length).toBe(expected.length);
        expect(found).toEqual(expected);
      }),
      { numRuns: 500 },
    );
  }, 60_000);
});

describe("cron-parser", () => {
  it("agrees in UTC on random lines", () => {
    let compared = 0;
    const start = fc.integer({ min: Date.UTC(1975, 0, 1), max: Date.UTC(2120, 0, 1) });
    fc.assert(
      fc.property(lineArbitrary(), start, (line, from) => {
        const expression = textOf(line);
        const theirs = CronExpressionParser.parse(expression, { currentDate: from, tz: "UTC" });
        const ours = compileCron({ kind: "cron", expression, timeZone: "UTC" });
        let cursor = from;
        for (let i = 0; i < 5; i++) {
          cursor = ours.next(cursor)!;
          expect(show(cursor)).toBe(show(theirs.next().getTime()));
          compared++;
        }
      }),
      { numRuns: 1000 },
    );
    expect(compared).toBe(5000);
  }, 60_000);
});

const show = (at: number | null) => (at === null ? "none" : new Date(at).toISOString());

/** Every fire in (from, until], by the definition. */
function literalFires(line: Line, zone: string, from: number, until: number): number[] {
  const daily = /^\d+(,\d+)*$/.test(line.hour.text);
  const fires: number[] = [];
  const firstMinute = Math.floor(from / MINUTE) * MINUTE;
  for (let minute = firstMinute; minute <= until; minute += MINUTE) {
    const offset = offsetAt(zone, minute);
    const before = offsetAt(zone, minute - MINUTE);
    const makeUp = daily && offset > before && matchesWithin(line, minute + before, minute + offset);
    const matching = matchingSeconds(line, minute + offset).map((second) => minute + second * 1000);
    const regular = daily && matching.length > 0 && isSecondPass(zone, minute) ? [] : matching;
    const all = makeUp && regular[0] !== minute ? [minute, ...regular] : regular;
    fires.push(...all.filter((at) => at > from && at <= until));
  }
  return fires;
}

/** Whether an overlap has begun at T, and the local time at `minute` had been reached before T. */
function isSecondPass(zone: string, minute: number): boolean {
  const offset = offsetAt(zone, minute);
  for (let earlier = minute; earlier > minute - 25 * HOUR; earlier -= MINUTE) {
    const shrunkBy = offsetAt(zone, earlier - MINUTE) - offsetAt(zone, earlier);
    if (shrunkBy > 0) return minute + offset < earlier + offset + shrunkBy;
  }
  return false;
}

/** Whether a local time in [from, until) matches; both are whole minutes. */
function matchesWithin(line: Line, from: number, until: number): boolean {
  for (let local = from; local < until; local += MINUTE) {
    if (matchingSeconds(line, local).length > 0) return true;
  }
  return false;
}

function matchingSeconds(line: Line, localMinute: number): number[] {
  const wall = new Date(localMinute);
  if (!line.minute.matches(wall.getUTCMinutes()) || !line.hour.matches(wall.getUTCHours())) return [];
  if (!line.month.matches(wall.getUTCMonth() + 1) || !matchesDay(line, wall)) return [];
  return Array.from({ length: 60 }, (_, second) => second).filter((second) => line.second.matches(second));
}

function matchesDay(line: Line, wall: Date): boolean {
  const tomorrow = new Date(wall.getTime() + DAY);
  const inAWeek = new Date(wall.getTime() + 7 * DAY);
  const lastDay = tomorrow.getUTCMonth() !== wall.getUTCMonth();
  const lastWeek = inAWeek.getUTCMonth() !== wall.getUTCMonth();
  const date = wall.getUTCDate();
  const weekday = wall.getUTCDay();
  const byDate = line.date.text === "L" ? lastDay : line.date.matches(date);
  const [, day, kind, nth] = /^(\d)(L|#)(\d)?$/.exec(line.weekday.text) ?? [];
  const byWeekday =
    day === undefined
      ? line.weekday.matches(weekday)
      : Number(day) % 7 === weekday &&
        (kind === "L" ? lastWeek : Math.floor((date - 1) / 7) + 1 === Number(nth));
  const free = (text: string) => text === "*" || text === "?";
  if (free(line.date.text)) return free(line.weekday.text) || byWeekday;
  return free(line.weekday.text) ? byDate : byDate || byWeekday;
}

const formats = new Map<string, Intl.DateTimeFormat>();
const offsets = new Map<string, Map<number, number>>();

/** The difference between what the clock on the wall shows and UTC, asked anew for every minute. */
function offsetAt(zone: string, minute: number): number {
  let ofZone = offsets.get(zone);
  if (ofZone === undefined) {
    ofZone = new Map();
    offsets.set(zone, ofZone);
  }
  const known = ofZone.get(minute);
  if (known !== undefined) return known;
  let format = formats.get(zone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat("en-CA", {
      timeZone: zone,
      hourCycle: "h23",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
    });
    formats.set(zone, format);
  }
  const part = Object.fromEntries(
    format.formatToParts(minute).map(({ type, value }) => [type, Number(value)]),
  );
  const wall = Date.UTC(part.year!, part.month! - 1, part.day, part.hour, part.minute, part.second);
  ofZone.set(minute, wall - minute);
  return wall - minute;
}

function lineArbitrary(): fc.Arbitrary<Line> {
  const mostly = (common: Drawn, rest: fc.Arbitrary<Drawn>) =>
    fc.oneof({ weight: 3, arbitrary: fc.constant(common) }, { weight: 2, arbitrary: rest });
  const every: Drawn = { text: "*", matches: () => true };
  const anything: Drawn = { text: "?", matches: () => true };
  const last = fc.constant<Drawn>({ text: "L", matches: () => false });
  const special = fc
    .tuple(fc.integer({ min: 0, max: 7 }), fc.constantFrom("L", "#1", "#2", "#3", "#4", "#5"))
    .map(([day, kind]): Drawn => ({ text: `${day}${kind}`, matches: () => false }));
  return fc.record({
    second: mostly(single(0), fieldArbitrary(0, 59)),
    minute: fc.oneof(fieldArbitrary(0, 59), fc.constantFrom(single(0), single(30))),
    hour: fc.oneof(
      listArbitrary(0, 3),
      listArbitrary(0, 23),
      fieldArbitrary(0, 23),
      fc.constantFrom(every, anything),
    ),
    date: mostly(every, fc.oneof(fieldArbitrary(1, 28), last)),
    month: mostly(every, fieldArbitrary(1, 12)),
    weekday: mostly(every, fc.oneof(fieldArbitrary(0, 6), fc.constant(anything), special)),
  });
}

const single = (value: number): Drawn => ({ text: String(value), matches: (other) => other === value });

function listArbitrary(min: number, max: number): fc.Arbitrary<Drawn> {
  return fc
    .uniqueArray(fc.integer({ min, max }), { minLength: 1, maxLength: 3 })
    .map((values) => ({ text: values.join(","), matches: (value) => values.includes(value) }));
}

function fieldArbitrary(min: number, max: number): fc.Arbitrary<Drawn> {
  const range = fc
    .tuple(fc.integer({ min, max }), fc.integer({ min, max }), fc.integer({ min: 1, max: max - min + 1 }))
    .map(([a, b, step]): Drawn => {
      const [low, high] = [Math.min(a, b), Math.max(a, b)];
      return {
        text: step === 1 ? `${low}-${high}` : `${low}-${high}/${step}`,
        matches: (value) => value >= low && value <= high && (value - low) % step === 0,
      };
    });
  const steps = fc
    .integer({ min: 2, max: Math.max(2, (max - min) >> 1) })
    .map((step): Drawn => ({ text: `*/${step}`, matches: (value) => (value - min) % step === 0 }));
  return fc.oneof(listArbitrary(min, max), range, steps);
}
