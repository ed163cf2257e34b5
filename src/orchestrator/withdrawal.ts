/**
 * Keeping a job from being put into WORK, against whoever may be doing that at this moment.
 *
 * Both put something there under the same message id, one the job and the other a tombstone; the server takes the first
 * and calls the other a duplicate. So exactly one of them has it, whatever the clocks say.
 */
import { PunctualError } from "../core/errors.js";
import type { PublishOutcome, WorkStream } from "../core/ports.js";
import { headers as h } from "../protocol/headers.js";

export interface Withdrawal {
  /** Of the tombstone. */
  subject: string;
  /** That under which the job would be put into WORK. */
  msgId: string;
  reason: "cancelled" | "rescheduled";
}

const TRIES = 3;
const NO_BODY = new Uint8Array();

/**
 * Whether the job will never be queued; false: it was.
 *
 * @throws full, denied, timeout: then it is not known, and may be tried again
 */
export async function withdraw(work: WorkStream, { subject, msgId, reason }: Withdrawal): Promise<boolean> {
  const tombstone = { subject, msgId, headers: { [h.reason]: reason }, body: NO_BODY };
  let outcome: PublishOutcome = { kind: "unknown", error: new Error("nothing was tried") };
  for (let tries = 0; tries < TRIES && outcome.kind === "unknown"; tries++) {
    await work.ready();
    outcome = await work.publish(tombstone);
  }
  switch (outcome.kind) {
    case "stored":
    case "taken":
      return true;
    case "duplicate":
      return (await work.at(outcome.seq))?.subject === subject;
    case "full":
      throw new PunctualError("full", `${subject}: ${outcome.reason}`);
    case "refused":
      throw new PunctualError("denied", `${subject}: ${outcome.reason}`);
    case "unknown":
      throw new PunctualError("timeout", `${subject}: no answer from the server`, { cause: outcome.error });
  }
}
