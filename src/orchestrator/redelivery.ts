/**
 * Delivering again what a consumer had passed, where nobody can tell whether it was done.
 *
 * A queue with the history `off` has no trace of what was done. After a kill of the server thousands of done jobs may lie
 * in WORK again, with their consumer beyond them (2.9); and after a purge, jobs that were never delivered (2.9 too). No
 * dead letters: each is stored once more, as at least once is what is promised. A worker that did one only acknowledges it.
 *
 * The message that is stuck keeps its subject until that is over, as another job with its id or unique key is to be refused
 * until then. Cut off anywhere, it lies there still: who finds it stores it again, which the server refuses for two minutes
 * and while the other one lies in WORK.
 */
import type { StuckMessage } from "../core/dead-letter-store.js";
import type { WorkStream } from "../core/ports.js";
import type { Names } from "../protocol/names.js";
import { isSubjectForgone, redeliveryOf, redeliverySubject } from "../protocol/redelivery-message.js";

export interface RedeliveryPorts {
  work: Pick<WorkStream, "at" | "lastOn" | "ready" | "publish" | "remove">;
  names: Names;
}

/** `not now`: it lies where it lay, and is to be looked at again. */
export type Redelivered = "stored" | "over" | "not now" | "impossible";

/** @param isStored once more already */
export async function redeliver(
  { work, names }: RedeliveryPorts,
  stuck: StuckMessage,
  isStored: boolean,
): Promise<Redelivered> {
  const subject = redeliverySubject(stuck, names);
  if (subject === null) return "impossible";
  if (isStored && (await work.lastOn(subject)) !== null) return "not now";
  if (!isStored) {
    const passed = await work.at(stuck.seq);
    if (passed === null) return "over";
    await work.ready();
    const { kind } = await work.publish(redeliveryOf(passed, subject));
    if (kind === "refused") return "impossible";
    if (kind === "full" || kind === "unknown") return "not now";
    if (!isSubjectForgone(stuck, names)) return "stored"; // now, or when this was cut off before
  }
  await work.remove(stuck.seq);
  return isStored ? "over" : "stored";
}
