/**
 * Which events a worker tells RUNS, by the history that its queue keeps.
 *
 * History is for people, and one may do with less of it. What something rests upon is told all the same: a slot's run
 * must not run again after its message was lost from sight, what follows upon a run waits to hear of its end, and a run
 * that was begun before its start deadline goes on after it. That a run has left its queue, to wait for its next attempt,
 * is told by whoever lets it go.
 */
import type { HistoryLevel } from "../core/queue.js";
import { type RunEventType, terminalEvents } from "../protocol/events.js";
import { headers as h } from "../protocol/headers.js";
import { type JobInfo, slotOf } from "../protocol/job-message.js";

const FOLLOWED = [h.onSuccess, h.onFailure, h.group];
const BEGINNINGS: readonly RunEventType[] = ["started", "retried"];

export function isTold(
  type: RunEventType,
  level: HistoryLevel,
  job: Pick<JobInfo, "scheduleId" | "fireTime" | "startDeadline">,
  headers: Readonly<Record<string, string>>,
): boolean {
  if (level === "full") return true;
  if (BEGINNINGS.includes(type)) return job.startDeadline !== null;
  if (!terminalEvents.some((end) => end === type)) return false;
  return level === "outcome" || isAwaited(job, headers);
}

/** Whether something rests upon the end of a run: then it is an event of the run, by which it can be asked for. */
export function isAwaited(
  job: Pick<JobInfo, "scheduleId" | "fireTime">,
  headers: Readonly<Record<string, string>>,
): boolean {
  return slotOf(job) !== null || FOLLOWED.some((name) => headers[name] !== undefined);
}
