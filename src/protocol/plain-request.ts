/**
 * The request of a plain job, read without a schema: there may be a hundred thousand a second, and the schema takes
 * longer for each of them than all else that is done here. What is not plain is the schema's, and so is all that is wrong.
 */
import { priorities } from "../core/lane.js";
import { type EnqueueRequest, enqueueRequest, type ParsedEnqueueRequest } from "./enqueue-input.js";
import { isJson } from "./json-input.js";
import { checkJobId, checkQueue } from "./names.js";
import { parseWith } from "./parse.js";

/** @throws invalid */
export function readEnqueueRequest(request: EnqueueRequest): ParsedEnqueueRequest {
  return plainRequest(request) ?? parseWith(enqueueRequest, request, "enqueue");
}

const PLAIN: ReadonlySet<string> = new Set(["queue", "payload", "jobId", "unique", "key", "priority"]);

/** What the schema would make of it; null: ask the schema. */
export function plainRequest(request: EnqueueRequest): ParsedEnqueueRequest | null {
  try {
    if (Object.getPrototypeOf(request) !== Object.prototype) return null;
    for (const field in request) if (!PLAIN.has(field)) return null;
    const { queue = "default", payload = null, jobId, unique, key, priority = "normal" } = request;
    checkQueue(queue);
    if (jobId !== undefined) checkJobId(jobId);
    if (unique !== undefined) checkJobId(unique);
    if (key !== undefined) checkJobId(key);
    if (!priorities.includes(priority) || !isJson(payload)) return null;
    return { queue, payload, headers: {}, retry: {}, timeout: 0, jobId, unique, key, priority };
  } catch {
    return null;
  }
}
