/** Cancelling a timer against whoever may be firing it. */
import type { WorkStream } from "../core/ports.js";
import type { Timer } from "../core/timer.js";
import type { Names } from "../protocol/names.js";
import { firingIdOf } from "../protocol/timer-message.js";
import { type Withdrawal, withdraw } from "./withdrawal.js";

/** Whether the timer's job will never be queued; false: it was. Throws what `withdraw` throws. */
export function cancelTimer(
  { work, names }: { work: WorkStream; names: Names },
  timer: Timer,
  reason: Withdrawal["reason"],
): Promise<boolean> {
  const subject = names.timerTombstone(timer.runId, timer.seq);
  return withdraw(work, { subject, msgId: firingIdOf(timer), reason });
}
