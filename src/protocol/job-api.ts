/** Jobs in the API. */
import { z } from "zod";
import { lanes } from "../core/lane.js";
import { enqueued, enqueueRequest } from "./enqueue-input.js";
import { refuseBoth, whenFields } from "./job-fields.js";
import { limits } from "./limits.js";
import { queueName } from "./schedule-input.js";
import { instant } from "./time-input.js";
import { parseTimerId } from "./timer-message.js";

const timer = z
  .string()
  .superRefine((value, context) => {
    try {
      parseTimerId(value, "");
    } catch (error) {
      context.addIssue({ code: "custom", message: (error as Error).message });
    }
  })
  .describe("As `job.enqueue` answered it.");

const jobRow = z.object({
  /** By this it is cancelled or rescheduled. */
  timer: z.string(),
  runId: z.string(),
  queue: z.string(),
  /** When it is to be queued, RFC 3339. */
  at: z.string(),
  lane: z.enum(lanes),
  key: z.string().nullable(),
  labels: z.record(z.string(), z.string()),
  /** Of a run of a schedule that waits for its next attempt. */
  scheduleId: z.string().nullable(),
  /** Attempts that it has had. */
  attempts: z.int(),
});
export type JobRow = z.output<typeof jobRow>;

const cursor = z
  .string()
  .regex(/^\d{1,15}-\d{1,5}-\d{1,16}$/, "expected the `next` of the page before")
  .optional();

export const jobEndpoints = {
  /** Jobs that wait for their time, the next ones first. A page may be short, or empty, and not the last. */
  "job.list": {
    request: z.strictObject({
      queue: queueName.optional(),
      from: instant.optional().describe("Due then or later. Default a day ago."),
      to: instant.optional().describe("Due then or earlier. Default any time."),
      limit: z.int().min(1).max(limits.jobPage).default(100),
      after: cursor,
    }),
    response: z.object({ jobs: z.array(jobRow), next: z.string().nullable() }),
  },
  "job.enqueue": { request: enqueueRequest, response: enqueued },
  /** A job that waits for its time; `conflict` when that has come, `not_found` when there is none. */
  "job.cancel": { request: z.strictObject({ timer }), response: z.object({ runId: z.string() }) },
  "job.reschedule": {
    request: z.strictObject({ timer, ...whenFields }).superRefine((when, context) => {
      refuseBoth(when, context);
      if (when.at === undefined && when.delay === undefined)
        context.addIssue({ code: "custom", path: ["at"], message: "expected one of at, delay" });
    }),
    response: z.object({ runId: z.string(), timer: z.string() }),
  },
} as const;
