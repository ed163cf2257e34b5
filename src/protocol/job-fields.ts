/** What may be said of a job that no schedule fires, whoever asks for it. */
import { z } from "zod";
import { priorities } from "../core/lane.js";
import { checked } from "./checked-input.js";
import { json } from "./json-input.js";
import { labelMap } from "./label-input.js";
import { checkJobId } from "./names.js";
import { headerMap, queueName, retryInput } from "./schedule-input.js";
import { duration, instant, uniquePeriod } from "./time-input.js";

export const jobId = checked(checkJobId);

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

export const jobFields = {
  queue: queueName.default("default"),
  payload: json.default(null),
  headers: headerMap.default({}),
  retry: retryInput.default({}),
  timeout: duration.default(0),
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
};

/** @param job what was asked by `jobFields` */
export function checkJob(
  job: { at?: unknown; delay?: unknown; unique?: unknown; uniqueFor?: unknown },
  context: z.RefinementCtx,
): void {
  refuseBoth(job, context);
  if (job.uniqueFor !== undefined && job.unique === undefined)
    context.addIssue({ code: "custom", path: ["uniqueFor"], message: "goes with unique" });
}
