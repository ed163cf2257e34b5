/** A schedule's job that somebody asked for, beside its times. */
import { laneOf } from "../core/lane.js";
import type { WorkMessage } from "../core/ports.js";
import type { Instant, Schedule } from "../core/schedule.js";
import { bodyWithin, FireMessages } from "./job-message.js";
import type { Names } from "./names.js";

export interface ManualRun {
  runId: string;
  now: Instant;
  /** The fire time before now. */
  previous: Instant | null;
  /** `skip`: not while a run of the schedule is queued or running. Default: as the schedule has it. */
  overlap?: "skip" | "allow" | undefined;
  /** Instead of the schedule's. */
  payload?: unknown;
  /** Over the schedule's, one by one. */
  headers?: Readonly<Record<string, string>> | undefined;
}

/** @throws invalid when the payload is larger than the server takes */
export function manualMessage(
  names: Names,
  schedule: Schedule,
  run: ManualRun,
  maxPayload: number,
): WorkMessage {
  const overlap = run.overlap ?? (schedule.overlap === "allow" ? "allow" : "skip");
  const payload = run.payload === undefined ? schedule.job.payload : run.payload;
  const job = { ...schedule.job, payload, headers: { ...schedule.job.headers, ...run.headers } };
  bodyWithin(maxPayload, payload);
  const { runId, previous } = run;
  const messages = new FireMessages(names, { ...schedule, job, overlap });
  const message = messages.message(run.now, 1, { runId, previous, trigger: "manual" });
  return overlap === "allow"
    ? { ...message, subject: names.job(job.queue, runId, laneOf(job.priority)) }
    : message;
}
