/** A schedule in the words of a table. */
import type { ScheduleView } from "../protocol/api.js";
import { type ScheduleInput, scheduleInput } from "../protocol/schedule-input.js";
import { utcTime } from "./output.js";

/** What a view holds is a schedule as it was put. */
export function inputOf(view: ScheduleView): ScheduleInput {
  return scheduleInput.safeParse(view.schedule).success ? (view.schedule as ScheduleInput) : {};
}

/** `30 3 * * 1-5`, `every 5m`, `every 1h +10m`, `at 2026-12-24 18:00:00Z`, several of them with commas; `…` for limits. */
export function specOf(schedule: ScheduleInput): string {
  const { include, exclude, calendar, startAt, endAt, spread, jitter } = schedule;
  const items = include?.map(itemOf) ?? [itemOf(schedule)];
  const limits = [exclude, calendar, startAt, endAt, spread, jitter];
  return `${items.join(", ")}${limits.some((limit) => limit !== undefined) ? " …" : ""}`;
}

type Item = Pick<ScheduleInput, "cron" | "every" | "phase" | "at" | "rrule"> & { calendar?: unknown };

function itemOf({ cron, every, phase, at, rrule, calendar }: Item): string {
  if (cron !== undefined) return listOf(cron).join(", ");
  if (every !== undefined)
    return `every ${every}${phase === undefined || phase === "0s" ? "" : ` +${phase}`}`;
  if (rrule !== undefined) return rrule;
  if (at !== undefined)
    return `at ${listOf(at)
      .map((time) => utcTime(Date.parse(time)))
      .join(", ")}`;
  return typeof calendar === "string" ? `${calendar} opens` : "?";
}

const listOf = (value: string | readonly string[]): readonly string[] =>
  typeof value === "string" ? [value] : value;

/** Only what is written in local time has one. */
export function zoneOf(schedule: ScheduleInput): string {
  const parts = schedule.include ?? [schedule];
  const zones = parts
    .filter(({ cron, rrule }) => cron !== undefined || rrule !== undefined)
    .map(({ timeZone }) => timeZone ?? "UTC");
  return zones.length === 0 ? "-" : [...new Set(zones)].join(", ");
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
