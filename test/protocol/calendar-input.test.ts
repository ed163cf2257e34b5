import { describe, expect, it } from "vitest";
import { calendarInput, calendarInputOf, calendarOf } from "../../src/protocol/calendar-input.js";
import { parseWith } from "../../src/protocol/parse.js";
import { decodeCalendar, encodeCalendar } from "../../src/protocol/stored-calendar.js";

const define = (input: unknown) => calendarOf(parseWith(calendarInput, input, "calendar"));
const HOUR = 3_600_000;

describe("a calendar", () => {
  it("has the documented defaults", () => {
    expect(define({})).toEqual({
      timeZone: "UTC",
      businessDays: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
      holidays: [],
      hours: {},
      deleted: false,
    });
    expect(define({ hours: { tue: ["09:00-24:00"], mon: ["09:00-12:00"] } }).businessDays).toEqual([
      "mon",
      "tue",
    ]);
  });

  it("is written back and stored as it was read", () => {
    const input = {
      timeZone: "Europe/Berlin",
      businessDays: ["mon", "tue", "wed"],
      holidays: ["12-25", "2026-12-24"],
      hours: { mon: ["09:00-12:00", "13:00-17:30"] },
      note: "office",
    };
    const definition = define(input);
    expect(definition.hours.mon).toEqual([
      { fromMs: 9 * HOUR, toMs: 12 * HOUR },
      { fromMs: 13 * HOUR, toMs: 17.5 * HOUR },
    ]);
    expect(calendarInputOf(definition)).toEqual(input);
    expect(decodeCalendar(encodeCalendar(definition), "office")).toEqual(definition);
  });

  it.each([
    [{ holidays: ["2026-02-30"] }, 'calendar: holidays[0]: expected a date such as "2026-12-25"'],
    [{ holidays: ["13-01"] }, "calendar: holidays[0]: expected a date"],
    [{ holidays: ["25.12."] }, "calendar: holidays[0]: expected a date"],
    [{ hours: { mon: ["9-17"] } }, "calendar: hours.mon[0]: expected a time of day from and to"],
    [{ hours: { mon: ["17:00-09:00"] } }, "calendar: hours.mon[0]: expected a time of day"],
    [{ hours: { mon: ["09:00-24:30"] } }, "calendar: hours.mon[0]: expected a time of day"],
    [{ hours: { mon: ["09:00-12:00", "11:00-13:00"] } }, "calendar: hours.mon: expected times in order"],
    [{ hours: { someday: ["09:00-12:00"] } }, "calendar: hours"],
    [{ businessDays: ["monday"] }, "calendar: businessDays[0]: expected one of"],
    [
      { businessDays: ["mon"], hours: { tue: ["09:00-12:00"] } },
      "hours.tue: expected hours of business days only, which are mon",
    ],
    [{ colour: "red" }, 'calendar: unknown field "colour"'],
  ])("%j is refused", (input, message) => {
    expect(() => define(input)).toThrow(message);
  });

  it.each(["", "{}", '{"timeZone":5}'])("stored as %j is refused, by its name", (text) => {
    expect(() => decodeCalendar(text, "office")).toThrow("stored calendar office: ");
  });
});
