/** Calendars: when a business is open, as objects of their own that schedules refer to by name. */
import type { Exclusion, ScheduleSpec, SpecItem } from "./schedule.js";

export const weekdays = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"] as const;
export type Weekday = (typeof weekdays)[number];

/** Part of a day: milliseconds of local time since midnight, the end exclusive. */
export interface OpenHours {
  fromMs: number;
  toMs: number;
}

/** A calendar as it is stored, without its name. */
export interface CalendarDefinition {
  /** IANA time zone name. */
  timeZone: string;
  businessDays: readonly Weekday[];
  /** Dates that are no business days: `2026-12-25`, or `12-25` for every year. */
  holidays: readonly string[];
  /** In order, not overlapping. A business day without an entry is open all day. */
  hours: Readonly<Partial<Record<Weekday, readonly OpenHours[]>>>;
  /** For people. */
  note?: string | undefined;
  /**
   * A deleted calendar stays as a marker with what it said: a schedule that was stored at the same moment goes on
   * by it, and is not left without.
   */
  deleted: boolean;
}

export interface Calendar extends CalendarDefinition {
  name: string;
  /** Its place in the order of all definitions of schedules and calendars. */
  revision: number;
}

/** Finds a calendar that was written, deleted since or not. */
export type CalendarLookup = (name: string) => CalendarDefinition | undefined;

export const noCalendars: CalendarLookup = () => undefined;

/** For checks that cannot know which calendars there are: each of them is always open. */
export const anyCalendar: CalendarLookup = () => ({
  timeZone: "UTC",
  businessDays: weekdays,
  holidays: [],
  hours: {},
  deleted: false,
});

const NONE: { name: string; path: string }[] = [];

/** The names of the calendars that a spec refers to, each with the place where it does. */
export function calendarsOf(spec: ScheduleSpec): { name: string; path: string }[] {
  if (spec.kind !== "composite") return spec.kind === "opening" ? namesOf([spec], "") : NONE;
  return [
    ...namesOf(spec.include, "include"),
    ...namesOf(spec.exclude, "exclude"),
    ...(spec.calendar === undefined ? [] : [{ name: spec.calendar.name, path: "calendar" }]),
  ];
}

function namesOf(items: readonly (SpecItem | Exclusion)[], list: string): { name: string; path: string }[] {
  return items.flatMap((item, index) => {
    if (item.kind !== "opening" && item.kind !== "calendar") return [];
    return [{ name: item.calendar, path: list === "" ? "calendar" : `${list}[${index}].calendar` }];
  });
}
