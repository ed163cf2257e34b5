/** A job that no schedule fires, as a message for WORK. */
import type { z } from "zod";
import { laneOf } from "../core/lane.js";
import type { WorkMessage } from "../core/ports.js";
import type { QueueSettings } from "../core/queue.js";
import type { enqueueRequest } from "./api.js";
import { admitted } from "./gate-message.js";
import { headers as h } from "./headers.js";
import { bodyWithin, msgIdOf, policyHeaders } from "./job-message.js";
import type { Names } from "./names.js";
import { retryOf } from "./schedule-input.js";

/** What the caller knows and the request does not. */
export interface EnqueueContext {
  names: Names;
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
export function enqueueMessage(
  request: z.output<typeof enqueueRequest>,
  { names, settings, maxPayload, newId }: EnqueueContext,
): { runId: string; message: WorkMessage } {
  const runId = request.jobId ?? newId();
  const retry = retryOf(request.retry, settings.maxAttempts);
  const message: WorkMessage = {
    subject: isUntold(request, settings)
      ? names.untold(request.queue, runId, laneOf(request.priority))
      : names.job(request.queue, request.unique ?? runId, laneOf(request.priority)),
    msgId: msgIdOf(runId, 1),
    headers: {
      ...request.headers,
      ...policyHeaders({ retry, timeoutMs: request.timeout }),
      ...(request.key !== undefined && { [h.key]: request.key }),
      [h.runId]: runId,
    },
    body: bodyWithin(maxPayload, request.payload),
  };
  return { runId, message: admitted(message, settings, names) };
}

/**
 * A queue without history has the server store a job once, not twice. Only where the subject is nobody's mutex: an id
 * that was made for this job is on no other subject, and nobody asks RUNS for it.
 */
function isUntold(
  { jobId, unique }: Pick<z.output<typeof enqueueRequest>, "jobId" | "unique">,
  { history, rate, perKey }: EnqueueContext["settings"],
): boolean {
  const hasGate = rate !== undefined || perKey !== undefined;
  return history === "off" && jobId === undefined && unique === undefined && !hasGate;
}
