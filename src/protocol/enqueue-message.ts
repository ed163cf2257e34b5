/** A job that no schedule fires, as a message for WORK. */
import type { z } from "zod";
import { laneOf } from "../core/lane.js";
import type { WorkMessage } from "../core/ports.js";
import type { enqueueRequest } from "./api.js";
import { headers as h } from "./headers.js";
import { bodyWithin, msgIdOf, policyHeaders } from "./job-message.js";
import type { Names } from "./names.js";
import { retryOf } from "./schedule-input.js";

/** What the caller knows and the request does not. */
export interface EnqueueContext {
  names: Names;
  queueMaxAttempts: number;
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
  { names, queueMaxAttempts, maxPayload, newId }: EnqueueContext,
): { runId: string; message: WorkMessage } {
  const runId = request.jobId ?? newId();
  const retry = retryOf(request.retry, queueMaxAttempts);
  const message: WorkMessage = {
    subject: names.job(request.queue, request.unique ?? runId, laneOf(request.priority)),
    msgId: msgIdOf(runId, 1),
    headers: {
      ...request.headers,
      ...policyHeaders({ retry, timeoutMs: request.timeout }),
      [h.runId]: runId,
    },
    body: bodyWithin(maxPayload, request.payload),
  };
  return { runId, message };
}
