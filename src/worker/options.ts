import { z } from "zod";
import { labelMap } from "../protocol/label-input.js";
import { limits } from "../protocol/limits.js";
import type { Middleware } from "./middleware.js";

const MOST_AT_ONCE = 10_000;
const milliseconds = z.int().min(0).max(limits.maxDurationMs);
const isSchema = (value: unknown): boolean =>
  typeof value === "object" &&
  value !== null &&
  "safeParse" in value &&
  typeof value.safeParse === "function";

/** How a worker behaves. Times are milliseconds. */
export const workerOptions = z.strictObject({
  concurrency: z
    .int()
    .min(1)
    .max(MOST_AT_ONCE)
    .default(10)
    .describe("Jobs at once in this worker. Default 10; in threads, one for each."),
  threads: z
    .int()
    .min(1)
    .max(256)
    .optional()
    .describe("Threads, for a handler that is a module; each runs one job at a time. Default: one a core."),
  schema: z
    .custom<z.ZodType>(isSchema, { error: "expected a zod schema" })
    .optional()
    .describe("Of the payload; without asynchronous parts. Default: the handler's own, else any JSON."),
  heartbeatMs: milliseconds
    .min(1)
    .optional()
    .describe(
      "How often the server is told of jobs that are still running. Default: a third of the queue's ack wait.",
    ),
  drainTimeoutMs: milliseconds
    .default(30_000)
    .describe(
      "How long stop() waits for running jobs before it aborts them, if it is not told. Default 30 s.",
    ),
  abortGraceMs: milliseconds
    .default(6_000)
    .describe(
      "How long an aborted handler may take to end; then its attempt is over all the same. Default 6 s, so that a command can be killed.",
    ),
  settleWithinMs: milliseconds
    .default(100)
    .describe(
      "While many jobs come in, their ends are told to the server together, each after this long at most. 0: at once. Default 100 ms.",
    ),
  middleware: z
    .array(z.custom<Middleware>((value) => typeof value === "function", { error: "expected a function" }))
    .default([])
    .describe("Around every handler, the first outermost. Default none."),
  redact: z
    .array(z.string().min(1).max(128))
    .max(64)
    .default([])
    .describe(
      "Names of fields that the history does not get to see, in results, progress, and data of log lines and errors. Default none.",
    ),
  labels: labelMap
    .default({})
    .describe(
      "What people should know of this worker, as `gpu: yes`; shown among the members. Default none.",
    ),
  id: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9_-]*$/, { error: "expected letters, digits, _ and -" })
    .max(limits.memberIdLength)
    .optional()
    .describe("Name of this worker, shown to people. Default: made from the host's name."),
});

export type WorkerSettings = z.output<typeof workerOptions>;

/** See `workerOptions` for meanings and defaults. The handler's payload has the type of `schema`. */
export interface WorkerOptions<T = unknown>
  extends Omit<z.input<typeof workerOptions>, "schema" | "middleware"> {
  schema?: z.ZodType<T> | undefined;
  middleware?: readonly Middleware<T>[] | undefined;
}

/** How a worker of batches behaves. */
export const batchOptions = workerOptions
  .omit({ threads: true })
  .extend({
    size: z.int().min(1).max(1_000).default(100).describe("Jobs of one batch at most. Default 100."),
    maxWaitMs: milliseconds
      .max(60_000)
      .default(1_000)
      .describe("How long the first job of a batch waits for others; it counts to its timeout. Default 1 s."),
    concurrency: z
      .int()
      .min(1)
      .max(100)
      .default(1)
      .describe("Batches at once in this worker. Default 1; with 2, the next is fetched while one runs."),
  })
  .refine(({ size, concurrency }) => size * concurrency <= MOST_AT_ONCE, {
    error: `expected at most ${MOST_AT_ONCE} jobs at once, size times concurrency`,
    path: ["concurrency"],
  });

/** See `batchOptions` for meanings and defaults. */
export interface BatchOptions<T = unknown> extends Omit<WorkerOptions<T>, "concurrency" | "threads"> {
  size?: number | undefined;
  maxWaitMs?: number | undefined;
  concurrency?: number | undefined;
}
