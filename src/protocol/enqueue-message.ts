/** A job that no schedule fires, as a message for WORK. */
import type { z } from "zod";
import type { WorkMessage } from "../core/ports.js";
import type { enqueueRequest } from "./api.js";
import { headers as h } from "./headers.js";
import { bodyOf, msgIdOf, policyHeaders } from "./job-message.js";
import type { Names } from "./names.js";
import { retryOf } from "./schedule-input.js";

/**
 * The run id is the job id, the subject its key: while a job with that key is queued or running, the server
 * refuses another. Refuses a retry policy beyond the queue's limit as `invalid`.
 *
 * @param newId makes a job id where none was given
 */
export function enqueueMessage(
  names: Names,
  request: z.output<typeof enqueueRequest>,
  queueMaxAttempts: number,
  newId: () => string,
): { runId: string; message: WorkMessage } {
  const runId = request.jobId ?? newId();
  const retry = retryOf(request.retry, queueMaxAttempts);
  const message: WorkMessage = {
    subject: names.job(request.queue, request.unique ?? runId),
    msgId: msgIdOf(runId, 1),
    headers: {
      ...request.headers,
      ...policyHeaders({ retry, timeoutMs: request.timeout }),
      [h.runId]: runId,
    },
    body: bodyOf(request.payload),
  };
  return { runId, message };
}
