/** What an import does to one schedule, from what is stored under its id. */
import type { ScheduleView } from "../../protocol/api.js";
import { type ScheduleInput, scheduleInput } from "../../protocol/schedule-input.js";
import type { CrontabJob } from "./parse.js";

export type ImportAction = "created" | "updated" | "unchanged";

export interface ImportStep {
  job: CrontabJob;
  action: ImportAction;
  schedule: ScheduleInput;
  /** The revision that this was decided from. */
  ifRevision: number;
}

/** Cron starts a job at each of its times, whether or not the one before has ended. */
const AS_CRON = { overlap: "allow" } as const satisfies ScheduleInput;

/** What a line of a crontab takes the place of; exclusions, start and end are none of it. */
const TIMES = new Set([
  "cron",
  "timeZone",
  "every",
  "phase",
  "anchor",
  "at",
  "ifPast",
  "rrule",
  "start",
  "include",
]);

/**
 * A crontab says when and what; everything else of a schedule that exists (its retry policy, whether somebody
 * paused it) stays as it is.
 */
export function planImport(job: CrontabJob, stored: ScheduleView | null): ImportStep {
  if (stored === null)
    return { job, action: "created", schedule: { ...AS_CRON, ...job.schedule }, ifRevision: 0 };
  const kept = Object.entries(stored.schedule).filter(([field]) => !TIMES.has(field));
  const schedule: ScheduleInput = { ...Object.fromEntries(kept), ...job.schedule };
  const action = sameJob(schedule, stored.schedule) ? "unchanged" : "updated";
  return { job, action, schedule, ifRevision: stored.revision };
}

function sameJob(schedule: ScheduleInput, stored: unknown): boolean {
  const a = scheduleInput.safeParse(schedule);
  const b = scheduleInput.safeParse(stored);
  return a.success && b.success && canonical(withZone(a.data)) === canonical(withZone(b.data));
}

/** A cron line without a zone is one in UTC. */
function withZone<T extends { cron?: unknown; timeZone?: string | undefined }>(input: T): T {
  return input.cron === undefined ? input : { ...input, timeZone: input.timeZone ?? "UTC" };
}

/** JSON with the keys of every object in order. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([x], [y]) => (x < y ? -1 : 1)))
      : inner,
  );
}
