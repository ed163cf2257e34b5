/** A job as a caller asks for it, now or later. */
import { z } from "zod";
import { follower, readMember } from "./chain-input.js";
import { checkJob, jobFields, jobId } from "./job-fields.js";

const member = z.string().superRefine((value, context) => {
  try {
    readMember(value, "");
  } catch (error) {
    context.addIssue({ code: "custom", message: (error as Error).message });
  }
});

export const enqueueRequest = z
  .strictObject({
    ...jobFields,
    /** Own id: the run id and the idempotency key. Default: a new one. */
    jobId: jobId.optional(),
    /** What is to be queued when it has succeeded, and when it ended otherwise. */
    onSuccess: follower.optional(),
    onFailure: follower.optional(),
    group: member.optional().describe("The group that it counts for, and as which member: `<id>/<index>`."),
  })
  .superRefine(checkJob);
export type EnqueueRequest = z.input<typeof enqueueRequest>;
/** The same, read. */
export type ParsedEnqueueRequest = z.output<typeof enqueueRequest>;

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
