/** Parts of composite specs, for tests. */
import type { CalendarDefinition } from "../../../src/core/calendar.js";
import type { CompositeSpec, CronSpec, EverySpec, FireTimes, Instant } from "../../../src/core/schedule.js";
import { compileSpec, fireTimesBetween } from "../../../src/core/time/fire-times.js";

export const cron = (expression: string, timeZone = "UTC"): CronSpec => ({
  kind: "cron",
  expression,
  timeZone,
});
export const every = (everyMs: number, phaseMs = 0): EverySpec => ({ kind: "every", everyMs, phaseMs });

export function composite(more: Partial<CompositeSpec>): CompositeSpec {
  return { kind: "composite", include: [], exclude: [], spreadMs: 0, jitterMs: 0, ...more };
}

export function calendar(more: Partial<CalendarDefinition> = {}): CalendarDefinition {
  return {
    timeZone: "UTC",
    businessDays: ["mon", "tue", "wed", "thu", "fri"],
    holidays: [],
    hours: {},
    deleted: false,
    ...more,
  };
}

export function compile(
  more: Partial<CompositeSpec>,
  calendars: Record<string, CalendarDefinition> = {},
  id = "s",
): FireTimes {
  return compileSpec(composite(more), id, (name) => calendars[name]);
}

/** The first fire times after an instant, as ISO texts without their zeros. */
export function timesAfter(times: FireTimes, after: string, count: number): string[] {
  return fireTimesBetween(times, Date.parse(after), Number.POSITIVE_INFINITY, count).map(textOf);
}

/** `2026-11-25T09:00`. */
export const textOf = (instant: Instant): string =>
  new Date(instant).toISOString().replace(/(:00)?\.000Z$/, "");
