/** Queues in the API: requests and answers. */
import { z } from "zod";
import { limits } from "./limits.js";
import { queueInput } from "./queue-input.js";
import { queueName } from "./schedule-input.js";
import { instant } from "./time-input.js";

const counts = {
  /** Not handed out yet. */
  queued: z.int(),
  /** Handed out and not settled: running, or waiting for another attempt. */
  running: z.int(),
  /** Of those, the ones that were handed out more than once. */
  redelivered: z.int(),
  /** Requests of workers that wait for a job. */
  pulls: z.int(),
};

/** A queue as the API shows it. */
export const queueView = z.object({
  queue: z.string(),
  /** 0: nothing was asked, all is as by default. */
  revision: z.int(),
  /** What was asked, in the form in which it can be put again. */
  asked: z.record(z.string(), z.unknown()),
  /** The same with the defaults. */
  settings: z.record(z.string(), z.unknown()),
  /** Why the record in the bucket cannot be read; then the defaults are in force. */
  unreadable: z.string().optional(),
  /** Whether jobs are held back now. */
  paused: z.boolean(),
  /** Whether the server itself holds them back, so that workers without the SDK get none either. */
  bareWorkersPaused: z.boolean(),
  /** Held at the gate, until the limits of the queue let them pass. */
  waiting: z.int(),
  ...counts,
  /** Live workers with the SDK. */
  workers: z.int(),
  lanes: z.array(z.object({ lane: z.string(), ...counts })),
});
export type QueueView = z.output<typeof queueView>;

const ifRevision = z.int().min(0).optional();

export const queueEndpoints = {
  "queue.put": {
    request: z.strictObject({ queue: queueName, settings: queueInput, ifRevision }),
    response: queueView,
  },
  /** JSON Merge Patch (RFC 7396) on what was asked: null makes a field as by default again, the rest stays. */
  "queue.patch": {
    request: z.strictObject({ queue: queueName, patch: z.record(z.string(), z.json()), ifRevision }),
    response: queueView,
  },
  "queue.get": { request: z.strictObject({ queue: queueName }), response: queueView },
  "queue.list": {
    request: z.strictObject({
      after: queueName.optional(),
      limit: z.int().min(1).max(500).default(100),
    }),
    response: z.object({ queues: z.array(queueView), next: z.string().nullable() }),
  },
  "queue.pause": {
    request: z.strictObject({
      queue: queueName,
      note: z.string().max(limits.noteLength).optional(),
      /** It resumes by itself then. Default: until it is resumed. */
      until: instant.optional(),
    }),
    response: queueView,
  },
  "queue.resume": { request: z.strictObject({ queue: queueName }), response: queueView },
  "queue.delete": {
    request: z.strictObject({ queue: queueName, ifRevision }),
    response: z.object({ queue: z.string() }),
  },
} as const;
