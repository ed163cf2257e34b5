import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type CalendarDefinition, weekdays } from "../../../src/core/calendar.js";
import type { CalendarRule, Instant } from "../../../src/core/schedule.js";
import { compileSpec, fireTimesBetween } from "../../../src/core/time/fire-times.js";
import { OpeningTimes } from "../../../src/core/time/opening.js";
import { calendar, compile, cron, every, timesAfter } from "./given.js";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const berlin = calendar({ timeZone: "Europe/Berlin", holidays: ["2026-12-25", "12-26", "01-01"] });
const NEW_YEAR_EVE = "2026-12-31T12:00:00Z"; // a Thursday

const rolling = (line: string, roll: CalendarRule["roll"], by: CalendarDefinition = berlin) =>
  compile({ include: [cron(line, "Europe/Berlin")], calendar: { name: "c", roll } }, { c: by });

describe("a calendar rule", () => {
  it("skips what falls on days that are no business days", () => {
    expect(timesAfter(rolling("0 9 * * *", "skip"), NEW_YEAR_EVE, 2)).toEqual([
      "2027-01-04T08:00",
      "2027-01-05T08:00",
    ]);
  });

  it("skips what falls outside the opening hours", () => {
    const hours = { thu: [{ fromMs: 10 * HOUR, toMs: 11 * HOUR }] };
    const by = calendar({ businessDays: ["thu"], hours });
    const times = compile({ include: [every(HOUR / 2)], calendar: { name: "c", roll: "skip" } }, { c: by });
    expect(timesAfter(times, "2026-11-25T00:00:00Z", 3)).toEqual([
      "2026-11-26T10:00",
      "2026-11-26T10:30",
      "2026-12-03T10:00",
    ]);
  });

  it("moves to the next business day, at the same local time, and fires once where several meet", () => {
    expect(timesAfter(rolling("0 9 * * *", "next-business-day"), NEW_YEAR_EVE, 2)).toEqual([
      "2027-01-04T08:00",
      "2027-01-05T08:00",
    ]);
    expect(timesAfter(rolling("30 18 1 * *", "next-business-day"), NEW_YEAR_EVE, 2)).toEqual([
      "2027-01-04T17:30",
      "2027-02-01T17:30",
    ]);
  });

  it("moves to the business day before", () => {
    expect(timesAfter(rolling("0 9 26 12 *", "previous-business-day"), "2026-01-01T00:00:00Z", 1)).toEqual([
      "2026-12-24T08:00",
    ]);
  });

  it("keeps in order what rolling brings out of order", () => {
    const times = compile(
      {
        include: [cron("0 11 * * sat"), cron("0 9 * * sun")],
        calendar: { name: "c", roll: "next-business-day" },
      },
      { c: calendar() },
    );
    expect(timesAfter(times, "2026-11-25T00:00:00Z", 2)).toEqual(["2026-11-30T09:00", "2026-11-30T11:00"]);
  });

  it("never fires when there is no business day", () => {
    const closed = calendar({ businessDays: [] });
    for (const roll of ["skip", "next-business-day", "previous-business-day"] as const)
      expect(rolling("0 9 * * *", roll, closed).next(0)).toBeNull();
  });

  it.each(["next-business-day", "previous-business-day"] as const)(
    "%s is each fire time, rolled by itself",
    (roll) => {
      const lines = fc.constantFrom(
        "0 9 * * *",
        "17 */5 * * *",
        "0 2 * * sun,mon",
        "30 2 28-31 * *",
        "0 0 1 * *",
      );
      const zones = fc.constantFrom("UTC", "Europe/Berlin", "America/New_York");
      const days = fc.subarray([...weekdays], { minLength: 1 });
      const start = fc
        .integer({ min: Date.UTC(2026, 0), max: Date.UTC(2027, 0) })
        .map((at) => at - (at % 60_000));
      fc.assert(
        fc.property(lines, zones, days, start, (line, zone, businessDays, from) => {
          const by = calendar({ timeZone: zone, businessDays, holidays: ["03-30", "2026-10-26", "12-25"] });
          const opening = new OpeningTimes(by);
          const step = roll === "next-business-day" ? 1 : -1;
          const all = fireTimesBetween(
            compileSpec(cron(line, zone), ""),
            from - 30 * DAY,
            from + 60 * DAY,
            10_000,
          );
          const each = new Set(all.map((at) => oneRolled(opening, at, step)));
          const expected = [...each].filter((at) => at > from && at <= from + 25 * DAY).sort((a, b) => a - b);
          const times = compile({ include: [cron(line, zone)], calendar: { name: "c", roll } }, { c: by });
          expect(fireTimesBetween(times, from, from + 25 * DAY, 10_000)).toEqual(expected);
        }),
        { numRuns: 60 },
      );
    },
  );

  function oneRolled(opening: OpeningTimes, at: Instant, step: 1 | -1): Instant {
    const local = opening.localOf(at);
    if (opening.isBusinessDay(local.day)) return at;
    return opening.instantOf({ day: opening.businessDay(local.day, step) as number, ms: local.ms });
  }
});

describe("opening times", () => {
  it("change when they say, whatever the clocks do", () => {
    const hours = {
      sun: [
        { fromMs: 2 * HOUR, toMs: 2.5 * HOUR },
        { fromMs: 3 * HOUR, toMs: DAY },
      ],
    };
    const by = calendar({ timeZone: "Europe/Berlin", businessDays: ["sun", "mon"], hours });
    const opening = new OpeningTimes(by);
    const instants = fc.integer({ min: Date.UTC(2026, 2, 28, 22), max: Date.UTC(2026, 2, 29, 3) });
    const autumn = fc.integer({ min: Date.UTC(2026, 9, 24, 23), max: Date.UTC(2026, 9, 25, 3) });
    fc.assert(
      fc.property(fc.oneof(instants, autumn), (at) => {
        const change = opening.changeAfter(at);
        expect(change).toBeGreaterThan(at);
        const state = opening.isOpen(at);
        for (let part = 0; part < 20; part++)
          expect(opening.isOpen(Math.floor(at + ((change - at - 1) * part) / 19))).toBe(state);
      }),
    );
  });

  it("are as they were written", () => {
    const opening = new OpeningTimes({ ...berlin, hours: { fri: [{ fromMs: 9 * HOUR, toMs: 17 * HOUR }] } });
    const isOpen = (text: string) => opening.isOpen(Date.parse(text));
    expect(isOpen("2026-11-27T08:00:00Z")).toBe(true);
    expect(isOpen("2026-11-27T07:59:59.999Z")).toBe(false);
    expect(isOpen("2026-11-27T15:59:59.999Z")).toBe(true);
    expect(isOpen("2026-11-27T16:00:00Z")).toBe(false);
    expect(isOpen("2026-11-26T23:30:00Z")).toBe(false); // Friday in Berlin, before opening
    expect(isOpen("2026-12-25T10:00:00Z")).toBe(false);
    expect(isOpen("2028-12-26T10:00:00Z")).toBe(false);
    expect(isOpen("2026-11-26T03:00:00Z")).toBe(true); // all day
  });

  it("as an exclusion leave out while closed, or while open", () => {
    const c = calendar();
    const include = [cron("0 12 * * *")];
    const closed = compile(
      { include, exclude: [{ kind: "calendar", calendar: "c", when: "closed" }] },
      { c },
    );
    const open = compile({ include, exclude: [{ kind: "calendar", calendar: "c", when: "open" }] }, { c });
    expect(timesAfter(closed, "2026-11-27T12:00:00Z", 1)).toEqual(["2026-11-30T12:00"]);
    expect(timesAfter(open, "2026-11-25T00:00:00Z", 2)).toEqual(["2026-11-28T12:00", "2026-11-29T12:00"]);
  });
});
