/** A job that no schedule fires, as a message for WORK, or for TIMERS when it is for later. */
import { laneOf } from "../core/lane.js";
import type { WorkMessage } from "../core/ports.js";
import type { QueueSettings } from "../core/queue.js";
import type { Instant } from "../core/schedule.js";
import type { NewJob } from "../core/timer.js";
import { followerBytes, followingOf, isFollowed } from "./chain-message.js";
import type { ParsedEnqueueRequest } from "./enqueue-input.js";
import { admitted } from "./gate-message.js";
import { headers as h } from "./headers.js";
import { bodyWithin, msgIdOf, policyHeaders } from "./job-message.js";
import { encodeLabels } from "./label-input.js";
import type { Names } from "./names.js";
import { retryOf } from "./schedule-input.js";
import { timerIdOf, timerMessage } from "./timer-message.js";

/** What the caller knows and the request does not. */
export interface EnqueueContext {
  names: Names;
  shards: number;
  now: Instant;
  /** Of its queue, as they are now. */
  settings: Pick<QueueSettings, "maxAttempts" | "rate" | "perKey" | "history">;
  /** Of the server, in bytes. */
  maxPayload: number;
  /** Makes a job id where none was given. */
  newId(): string;
}

/**
 * The run id is the job id, the subject its key: while a job with that key is queued or running, the server
 * refuses another. Refuses as `invalid` a retry policy beyond the queue's limit and a payload beyond the server's.
 */
export function enqueueMessage(request: ParsedEnqueueRequest, context: EnqueueContext): NewJob {
  const { names, settings, maxPayload, now, newId } = context;
  const { queue, headers, payload, unique, key, priority, labels, startDeadline } = request;
  const runId = request.jobId ?? newId();
  const retry = retryOf(request.retry, settings.maxAttempts);
  const asked = askedOf(request, now);
  const told = { ...headers, ...policyHeaders({ retry, timeoutMs: request.timeout }) };
  if (key !== undefined) told[h.key] = key;
  if (startDeadline !== undefined) told[h.startDeadline] = new Date(asked + startDeadline).toISOString();
  if (labels !== undefined) told[h.labels] = encodeLabels(labels);
  if (request.onSuccess !== undefined) told[h.onSuccess] = request.onSuccess;
  if (request.onFailure !== undefined) told[h.onFailure] = request.onFailure;
  if (request.group !== undefined) told[h.group] = request.group;
  told[h.runId] = runId;
  const subject =
    !isFollowed(told) && isUntold(request, settings)
      ? names.untold(queue, runId, laneOf(priority))
      : names.job(queue, unique ?? runId, laneOf(priority));
  const body = bodyWithin(maxPayload - followerBytes(told), payload);
  return newJob(runId, { subject, msgId: msgIdOf(runId, 1), headers: told, body }, asked, context);
}

/** The time that is asked for, which may have passed. */
export function askedOf(
  { at, delay }: { at?: Instant | undefined; delay?: number | undefined },
  now: Instant,
): Instant {
  return at ?? now + (delay ?? 0);
}

/** @throws invalid for a time that is too far away */
export function newJob(
  runId: string,
  work: WorkMessage,
  at: Instant,
  context: Pick<EnqueueContext, "names" | "shards" | "now" | "settings">,
): NewJob {
  const following = followingOf(runId, work, context);
  const more = following && { following };
  if (at <= context.now) {
    const stored = admitted(work, context.settings, context.names);
    return { runId, work: stored, isAtGate: stored !== work, ...more };
  }
  const message = timerMessage(work, at, { ...context, msgId: runId });
  return { runId, work, waiting: { timer: timerIdOf({ runId, at }), message }, ...more };
}

/**
 * A queue without history has the server store a job once, not twice. Only where the subject is nobody's mutex: an id
 * that was made for this job is on no other subject, and nobody asks RUNS for it.
 */
function isUntold(
  { jobId, unique }: Pick<ParsedEnqueueRequest, "jobId" | "unique">,
  { history, rate, perKey }: EnqueueContext["settings"],
): boolean {
  const hasGate = rate !== undefined || perKey !== undefined;
  return history === "off" && jobId === undefined && unique === undefined && !hasGate;
}
