/** A job as a caller asks for it, now or later. */
import { z } from "zod";
import { priorities } from "../core/lane.js";
import { checked } from "./checked-input.js";
import { json } from "./json-input.js";
import { labelMap } from "./label-input.js";
import { checkJobId } from "./names.js";
import { headerMap, queueName, retryInput } from "./schedule-input.js";
import { duration, instant, uniquePeriod } from "./time-input.js";

const jobId = checked(checkJobId);

export const whenFields = {
  at: instant
    .optional()
    .describe("When it is to be queued, RFC 3339. A time that has passed is now. Default now."),
  delay: duration.optional().describe("How long after now it is to be queued; not with `at`."),
};

/** @param when what was asked by `whenFields` */
export function refuseBoth(when: { at?: unknown; delay?: unknown }, context: z.RefinementCtx): void {
  if (when.at !== undefined && when.delay !== undefined)
    context.addIssue({ code: "custom", path: ["delay"], message: "expected one of at, delay, got both" });
}

export const enqueueRequest = z
  .strictObject({
    queue: queueName.default("default"),
    payload: json.default(null),
    headers: headerMap.default({}),
    retry: retryInput.default({}),
    timeout: duration.default(0),
    /** Own id: the run id and the idempotency key. Default: a new one. */
    jobId: jobId.optional(),
    /** While a job with this key is queued or running, another is refused. Default: the job id. */
    unique: jobId.optional(),
    /** After a job with this key was let in, others are refused for so long, whatever became of it. */
    uniqueFor: uniquePeriod.optional(),
    /** What limits per key and order of its queue count by. Default: none of them is for it. */
    key: jobId.optional(),
    /** Its lane. Default normal. */
    priority: z.enum(priorities).default("normal"),
    ...whenFields,
    startDeadline: duration
      .optional()
      .describe(
        "A job that has not started this long after it was due is expired, not run late. Default none.",
      ),
    labels: labelMap.optional().describe("For people to find its run by. Default none."),
  })
  .superRefine(refuseBoth)
  .refine(({ unique, uniqueFor }) => uniqueFor === undefined || unique !== undefined, {
    path: ["uniqueFor"],
    error: "goes with unique",
  });
export type EnqueueRequest = z.input<typeof enqueueRequest>;

export const enqueued = z.object({
  runId: z.string(),
  /** False: a job with the same id or the same key is queued or running already, or was a moment ago. */
  accepted: z.boolean(),
  /** As `run.list` calls it: waiting for its time, or at the gate of its queue. Absent: it was not accepted. */
  state: z.enum(["queued", "waiting"]).optional(),
  /** Of a job that waits for its time: by this it is cancelled or rescheduled, as long as it waits. */
  timer: z.string().optional(),
});
export type Enqueued = z.output<typeof enqueued>;
