/** Findings about schedules, as warnings beside a result. */
import { anyCalendar } from "../core/calendar.js";
import type { Instant, ScheduleSpec } from "../core/schedule.js";
import type { Finding } from "../core/time/finding.js";
import { compileSpec } from "../core/time/fire-times.js";
import { lintSpec } from "../core/time/lint.js";
import { definitionOf, type ScheduleInput, scheduleInput } from "../protocol/schedule-input.js";
import type { Output } from "./output.js";

/** The spec that an input stands for; null when it cannot be read. */
export function specOfInput(schedule: ScheduleInput): ScheduleSpec | null {
  const parsed = scheduleInput.safeParse(schedule);
  if (!parsed.success) return null;
  const context = { now: 0, queueMaxAttempts: Number.POSITIVE_INFINITY, firstRevision: 0 };
  return definitionOf(parsed.data, context).spec;
}

/** What is to be said of a schedule; nothing of one that cannot be read, as others refuse it. */
export function findingsOf(schedule: ScheduleInput, id: string, now: Instant): Finding[] {
  const spec = specOfInput(schedule);
  return spec === null ? [] : lintSpec(spec, id, compileSpec(spec, id, anyCalendar), now);
}

/** On stderr, so that the result stays what it is. */
export function warn(output: Output, findings: readonly Finding[]): void {
  for (const { code, message } of findings) output.note(`warning: ${code}: ${message}`);
}
