/** Jobs in the API. */
import { z } from "zod";
import { enqueued, enqueueRequest, refuseBoth, whenFields } from "./enqueue-input.js";
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

export const jobEndpoints = {
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
