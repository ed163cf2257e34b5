/** Which part of a composite spec keeps it from firing at an instant at which it would fire without it. */
import type { CompositeSpec, Exclusion, FireTimes, Instant, ScheduleSpec } from "./schedule.js";

export interface ExclusionReason {
  code: "excluded" | "out-of-bounds";
  text: string;
}

/** Null: it is not for an exclusion, a calendar or a bound. */
export function whyExcluded(
  spec: ScheduleSpec,
  at: Instant,
  compile: (spec: ScheduleSpec) => FireTimes,
): ExclusionReason | null {
  if (spec.kind !== "composite") return null;
  const fires = (change: Partial<CompositeSpec>) => compile({ ...spec, ...change }).next(at - 1) === at;
  const everything: Partial<CompositeSpec> = { exclude: [], calendar: undefined };
  if (!fires({ ...everything, startAt: undefined, endAt: undefined })) return null;
  if (!fires(everything)) {
    const isEarly = spec.startAt !== undefined && at < spec.startAt;
    return {
      code: "out-of-bounds",
      text: `It lies ${isEarly ? "before the start" : "after the end"} of the schedule.`,
    };
  }
  const index = spec.exclude.findIndex((exclusion) => !fires({ ...everything, exclude: [exclusion] }));
  const exclusion = spec.exclude[index];
  if (exclusion !== undefined)
    return { code: "excluded", text: `It is excluded by exclude[${index}], ${namedAs(exclusion)}.` };
  if (spec.calendar === undefined) return null;
  const { name, roll } = spec.calendar;
  const what = roll === "skip" ? "is closed then" : "moves it to another day";
  return { code: "excluded", text: `The calendar ${name} ${what}.` };
}

function namedAs(exclusion: Exclusion): string {
  const iso = (instant: Instant) => new Date(instant).toISOString();
  switch (exclusion.kind) {
    case "cron":
      return `the cron line ${exclusion.expression}`;
    case "at":
      return iso(exclusion.at);
    case "range":
      return `${iso(exclusion.from)} to ${iso(exclusion.to)}`;
    case "calendar":
      return `the calendar ${exclusion.calendar}, ${exclusion.when} then`;
  }
}
