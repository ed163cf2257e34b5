/** What is allowed in a schedule, and probably not meant. */
import { calendarsOf } from "../calendar.js";
import { type FireTimes, type Instant, itemsOf, type ScheduleSpec } from "../schedule.js";
import type { Finding } from "./finding.js";
import { dstFindings } from "./lint-dst.js";
import { lineFindings } from "./lint-line.js";
import { cronLinesOf } from "./preview.js";

/**
 * @param seed the schedule's id
 * @param now what recurs and has no fire time after it never fires
 */
export function lintSpec(spec: ScheduleSpec, seed: string, times: FireTimes, now: Instant): Finding[] {
  const findings: Finding[] = [];
  // What a calendar lets through is not known here; single times that are over are no mistake.
  const known = calendarsOf(spec).length === 0;
  const recurs = itemsOf(spec).some(({ kind }) => kind !== "at");
  if (known && recurs && times.next(now) === null) {
    findings.push({
      code: "never-fires",
      message: `there is no fire time after ${new Date(now).toISOString()}`,
    });
  }
  for (const item of itemsOf(spec)) {
    if (item.kind === "cron") findings.push(...lineFindings(item.expression, seed));
    if (item.kind === "every" && item.everyMs < 1_000) {
      findings.push({
        code: "faster-than-second",
        message: `every ${item.everyMs} ms is more than once a second, ${Math.floor(86_400_000 / item.everyMs)} runs a day`,
      });
    }
  }
  for (const line of cronLinesOf(spec, seed)) findings.push(...dstFindings(line, now));
  return findings;
}
