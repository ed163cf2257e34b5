import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { noCalendars } from "../../src/core/calendar.js";
import type { CompositeSpec, ScheduleSpec } from "../../src/core/schedule.js";
import { parseWith } from "../../src/protocol/parse.js";
import { scheduleInput } from "../../src/protocol/schedule-input.js";
import { compileWritten, specInputOf, specOf } from "../../src/protocol/spec-translation.js";
import { composite } from "./arbitrary-spec.js";

const NOW = Date.UTC(2026, 0, 1);
const parse = (input: unknown) => parseWith(scheduleInput, input, "schedule");
const spec = (input: unknown): ScheduleSpec => specOf(parse(input), NOW);

describe("the simple form", () => {
  it.each([
    [{ cron: ["0 3 * * *", "0 9 * * mon"], timeZone: "Europe/Berlin", dst: { gap: "skip" } }],
    [{ at: ["2026-12-24T18:00:00.000Z", "2026-12-31T18:00:00.000Z"], ifPast: "run" }],
    [{ every: "1h", phase: "5m", anchor: "startAt", startAt: "2026-01-31T09:00:00.000Z" }],
    [{ rrule: "FREQ=DAILY;INTERVAL=2", timeZone: "Asia/Tokyo", start: "2026-01-31T09:00:00" }],
    [{ cron: "0 3 * * *", timeZone: "UTC", endAt: "2027-01-01T00:00:00.000Z", spread: "10m", jitter: "30s" }],
    [
      {
        cron: "0 3 * * *",
        timeZone: "UTC",
        calendar: { name: "office", roll: "next-business-day" },
        exclude: [
          { cron: "* * * 8 *", timeZone: "UTC" },
          { at: "2026-12-24T18:00:00.000Z" },
          { from: "2026-12-24T18:00:00.000Z", to: "2026-12-25T18:00:00.000Z" },
          { calendar: "holidays" },
          { calendar: "freeze", when: "open" },
        ],
      },
    ],
  ])("is written back as it was read: %j", (input) => {
    expect(specInputOf(spec(input))).toEqual(input);
  });

  it("is what a list of one, or a single include, is written back as", () => {
    expect(specInputOf(spec({ cron: ["0 3 * * *"] }))).toEqual({ cron: "0 3 * * *", timeZone: "UTC" });
    expect(spec({ include: [{ every: "5s" }] })).toEqual({ kind: "every", everyMs: 5_000, phaseMs: 0 });
  });

  it("knows the roll rule skip by default, RRULE: as a prefix, and short local times", () => {
    expect(spec({ every: "5s", calendar: { name: "c" } })).toMatchObject({
      calendar: { name: "c", roll: "skip" },
    });
    expect(spec({ rrule: "RRULE:FREQ=DAILY", start: "2026-01-31" })).toMatchObject({
      rule: "FREQ=DAILY",
      start: "2026-01-31T00:00:00",
    });
  });
});

describe("the general form", () => {
  it("is a list of items", () => {
    const input = {
      include: [
        { cron: "0 3 * * *", timeZone: "Europe/Berlin" },
        { every: "1h", phase: "5m" },
        { at: "2026-12-24T18:00:00.000Z" },
        { rrule: "FREQ=DAILY", timeZone: "UTC" },
        { calendar: "shop" },
      ],
    };
    expect((spec(input) as CompositeSpec).include.map(({ kind }) => kind)).toEqual([
      "cron",
      "every",
      "at",
      "rrule",
      "opening",
    ]);
    expect(specInputOf(spec(input))).toEqual(input);
  });

  it("is written back and read again as the same, whatever it is", () => {
    fc.assert(
      fc.property(composite, (value) => {
        const again = spec(specInputOf(value));
        expect(specInputOf(again)).toEqual(specInputOf(value));
      }),
    );
  });
});

it("A past time that is to run says when it was made", () => {
  expect(spec({ at: "2025-12-24T18:00:00Z", ifPast: "run" })).toMatchObject({ madeAt: NOW });
  expect(spec({ at: "2025-12-24T18:00:00Z", ifPast: "drop" })).not.toHaveProperty("madeAt");
});

describe("a refusal", () => {
  it.each([
    [{ cron: [] }, "schedule: cron: expected 1 to 64 entries, got 0"],
    [{ cron: ["@daily", 5] }, "schedule: cron[1]: "],
    [{ at: ["2026-12-24T18:00:00Z", "soon"] }, "schedule: at[1]: expected an RFC 3339 time"],
    [{ include: [] }, "schedule: include: "],
    [
      { include: [{}] },
      "schedule: include[0]: expected one of cron, every, at, rrule, calendar, got 0 of them",
    ],
    [{ include: [{ every: "5s" }], every: "5s" }, "expected one of cron, every, at, rrule, include, got 2"],
    [{ include: [{ every: "5s", timeZone: "UTC" }] }, "include[0].timeZone: goes with cron or rrule only"],
    [{ include: [{ every: "5s", foo: 1 }] }, 'include[0]: unknown field "foo"'],
    [{ include: [{ calendar: "a.b" }] }, "include[0].calendar: "],
    [{ every: "5s", exclude: [{}] }, "exclude[0]: expected one of cron, at, from, calendar, got 0 of them"],
    [
      { every: "5s", exclude: [{ from: "2026-01-01T00:00:00Z" }] },
      "exclude[0].to: expected the end of the range",
    ],
    [
      { every: "5s", exclude: [{ calendar: "c", to: "2026-01-01T00:00:00Z" }] },
      "exclude[0].to: goes with from only",
    ],
    [
      { every: "5s", exclude: [{ from: "2026-01-01T00:00:00Z", to: "2026-01-01T00:00:00Z" }] },
      "exclude[0].to: expected a time after from",
    ],
    [
      { every: "5s", exclude: [{ cron: "@daily", when: "open" }] },
      "exclude[0].when: goes with calendar only",
    ],
    [{ every: "5s", calendar: { name: "c", roll: "back" } }, "calendar.roll: expected one of"],
    [{ every: "5s", anchor: "startAt" }, "anchor: expected startAt to be given with it"],
    [
      { include: [{ every: "5s", anchor: "startAt" }] },
      "include[0].anchor: expected startAt to be given with it",
    ],
    [{ every: "5s", ifPast: "run" }, "ifPast: goes with at only"],
    [{ every: "5s", jitter: "2h" }, "jitter: expected at most 1h"],
    [{ every: "5s", jitter: "10s", startDeadline: "10s" }, "jitter: expected less than startDeadline"],
    [{ rrule: "FREQ=DAILY", start: "2026-02-30" }, "start: expected a local time without offset"],
    [
      { every: "5s", startAt: "2026-01-02T00:00:00Z", endAt: "2026-01-01T00:00:00Z" },
      "endAt: expected a time not before startAt",
    ],
  ])("%j", (input, message) => {
    expect(() => parse(input)).toThrow(message);
  });

  it.each([
    [{ cron: "61 * * * *" }, "cron: "],
    [{ cron: ["@daily", "61 * * * *"] }, "cron[1]: "],
    [{ cron: "61 * * * *", spread: "5m" }, "cron: "],
    [{ rrule: "FREQ=OFTEN" }, "rrule: FREQ"],
    [{ rrule: "FREQ=DAILY", timeZone: "Foo/Bar", spread: "5m" }, "timeZone: expected an IANA time zone"],
    [{ include: [{ every: "5s" }, { cron: "61 * * * *" }] }, "include[1].cron: "],
    [{ every: "5s", exclude: [{ cron: "61 * * * *" }] }, "exclude[0].cron: "],
    [{ every: "5s", calendar: { name: "c" } }, 'calendar.name: expected a calendar that exists, got "c"'],
  ])("of what is compiled names the field as it was written: %j", (input, message) => {
    expect(() => compileWritten(spec(input), "", noCalendars)).toThrow(message);
  });
});
