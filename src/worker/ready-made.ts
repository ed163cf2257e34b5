import type { z } from "zod";
import { messageOf } from "../core/errors.js";
import { parseWith } from "../protocol/parse.js";
import type { Handler, JobContext } from "./context.js";
import { NonRetryableError } from "./errors.js";

/**
 * A handler that brings its schema. The worker reads the payload by it first and keeps the issues; the handler
 * reads it again, so that it can be called from inside another one.
 */
export function readyMade<S extends z.ZodType>(
  schema: S,
  perform: (payload: z.output<S>, job: JobContext) => Promise<unknown>,
): Handler {
  const handler = async (job: JobContext) => perform(read(schema, job.payload), job);
  return Object.assign(handler, { schema });
}

function read<S extends z.ZodType>(schema: S, payload: unknown): z.output<S> {
  try {
    return parseWith(schema, payload, "payload");
  } catch (cause) {
    throw new NonRetryableError(messageOf(cause), { cause });
  }
}
