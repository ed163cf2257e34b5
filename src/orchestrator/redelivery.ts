/**
 * Delivering again what a consumer had passed, where nobody can tell whether it was done.
 *
 * A queue with the history `off` has no trace of what was done. After a kill of the server thousands of done jobs may lie
 * in WORK again, with their consumer beyond them (2.9); and after a purge, jobs that were never delivered (2.9 too). No
 * dead letters: each is delivered again, as at least once is what is promised. A worker that did one only acknowledges it.
 */
import type { WorkStream } from "../core/ports.js";
import type { Names } from "../protocol/names.js";
import { redeliveryOf } from "../protocol/redelivery-message.js";

export interface RedeliveryPorts {
  work: Pick<WorkStream, "at" | "ready" | "publish" | "remove">;
  names: Names;
}

/** `not now`: it lies where it lay, and is to be tried again. */
export type Redelivered = "done" | "not now" | "impossible";

/** Stores it once more, then removes the message that is stuck. */
export async function redeliver({ work, names }: RedeliveryPorts, seq: number): Promise<Redelivered> {
  const passed = await work.at(seq);
  if (passed === null) return "done";
  const message = redeliveryOf(passed, names);
  if (message === null) return "impossible";
  await work.ready();
  const { kind } = await work.publish(message);
  if (kind === "refused") return "impossible";
  if (kind === "full" || kind === "unknown") return "not now";
  await work.remove(seq); // stored now, or when this was cut off before
  return "done";
}
