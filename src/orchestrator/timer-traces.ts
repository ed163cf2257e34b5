import type { RunHistory } from "../core/lookback.js";
import type { StoredMessage } from "../core/ports.js";
import type { Timer } from "../core/timer.js";
import { headers as h } from "../protocol/headers.js";
import { firingIdOf } from "../protocol/timer-message.js";

/** Whether RUNS tells that a timer was fired: the server may have forgotten the message id. */
export async function wasFired(
  history: RunHistory,
  timer: Timer,
  { headers, storedAt }: StoredMessage,
): Promise<boolean> {
  const subject = headers[h.subject] ?? "";
  if ((await history.lastQueued(subject))?.msgId === firingIdOf(timer)) return true;
  // The server tells of no job that a schedule fired. Their ids are used once, so any news of the run will do.
  if (headers[h.scheduleId] === undefined) return false;
  const event = await history.lastEvent(timer.runId);
  return event !== null && event.type !== "retried" && event.at > storedAt;
}
