/** That a waiting job was cancelled: told in RUNS by who did it, or by who finds it done by one that crashed before. */
import type { RunLog } from "../core/ports.js";
import type { Instant } from "../core/schedule.js";
import type { BuriedJob } from "../protocol/tombstone.js";

const REASONS = { timers: "cancelled", gate: "cancelled in its queue" };

/** @param due when a timer's job would have been queued */
export function tellCancelled(
  runs: Pick<RunLog, "append">,
  { runId, at: place, seq }: BuriedJob,
  due?: Instant,
): Promise<void> {
  const msgId = `${runId}/cancelled/${place === "timers" ? "t" : ""}${seq}`;
  const at = due === undefined ? {} : { at: new Date(due).toISOString() };
  return runs.append({ runId, type: "cancelled", msgId, data: { reason: REASONS[place], ...at } });
}
