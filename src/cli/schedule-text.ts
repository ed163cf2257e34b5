/** A schedule in the words of a table. */
import type { ScheduleView } from "../protocol/api.js";
import { type ScheduleInput, scheduleInput } from "../protocol/schedule-input.js";
import { utcTime } from "./output.js";

/** What a view holds is a schedule as it was put. */
export function inputOf(view: ScheduleView): ScheduleInput {
  return scheduleInput.safeParse(view.schedule).success ? (view.schedule as ScheduleInput) : {};
}

/** `30 3 * * 1-5`, `every 5m`, `every 1h +10m`, `at 2026-12-24 18:00:00Z`. */
export function specOf(schedule: ScheduleInput): string {
  const { cron, every, phase, at } = schedule;
  if (cron !== undefined) return cron;
  if (every !== undefined)
    return `every ${every}${phase === undefined || phase === "0s" ? "" : ` +${phase}`}`;
  return at === undefined ? "?" : `at ${utcTime(Date.parse(at))}`;
}

/** Only a cron line has one. */
export function zoneOf(schedule: ScheduleInput): string {
  return schedule.cron === undefined ? "-" : (schedule.timeZone ?? "UTC");
}

export function stateOf(view: ScheduleView): string {
  const { paused, pausedUntil, note } = inputOf(view);
  if (paused === true) {
    const state = pausedUntil === undefined ? "paused" : `paused until ${utcTime(Date.parse(pausedUntil))}`;
    return note === undefined ? state : `${state}: ${note}`;
  }
  return view.nextFireTime === null ? "done" : "active";
}

/** `next 2026-07-30 03:00:00Z`. */
export function nextOf(view: ScheduleView): string {
  return view.nextFireTime === null ? "does not fire" : `next ${utcTime(Date.parse(view.nextFireTime))}`;
}
