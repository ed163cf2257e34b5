/** What is around every handler of a worker: tracing, metrics, context, … */
import { PunctualError } from "../core/errors.js";
import type { Handler, JobContext } from "./context.js";

/**
 * Called instead of the handler; calls `next` for what it is around, once or not at all, and sees what that returns or
 * throws. What it returns or throws itself is the outcome. The first of a list is the outermost.
 *
 * It is called when the payload has been read and fits the schema, once for each attempt.
 */
export type Middleware<T = unknown> = (job: JobContext<T>, next: () => Promise<unknown>) => unknown;

/** The handler with everything around it. */
export function around(middleware: readonly Middleware[], handler: Handler): Handler {
  return middleware.reduceRight<Handler>((inner, layer) => (job) => layer(job, once(job, inner)), handler);
}

function once(job: JobContext, handler: Handler): () => Promise<unknown> {
  let called = false;
  return async () => {
    if (called) throw new PunctualError("internal", "a middleware called next() a second time");
    called = true;
    return handler(job);
  };
}
