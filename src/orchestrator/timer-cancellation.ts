/** Cancelling a timer against whoever may be firing it. */
import type { RunHistory } from "../core/lookback.js";
import type { WorkStream } from "../core/ports.js";
import type { Timer, TimerStore } from "../core/timer.js";
import type { Names } from "../protocol/names.js";
import { firingIdOf } from "../protocol/timer-message.js";
import { wasFired } from "./timer-traces.js";
import { type Withdrawal, withdraw } from "./withdrawal.js";

/** Whether the timer's job will never be queued; false: it was. Throws what `withdraw` throws. */
export async function cancelTimer(
  ports: { work: WorkStream; history: RunHistory; timers: Pick<TimerStore, "read">; names: Names },
  timer: Timer,
  reason: Withdrawal["reason"],
): Promise<boolean> {
  const { work, history, timers, names } = ports;
  const stored = await timers.read(timer.seq);
  const subject = names.timerTombstone(timer.runId, timer.seq);
  if (!(await withdraw(work, { subject, msgId: firingIdOf(timer), reason }))) return false;
  // The server may have forgotten that it was fired.
  return stored === null || !(await wasFired(history, timer, stored));
}
