/** Cancelling a timer against whoever may be firing it. */
import type { WorkStream } from "../core/ports.js";
import type { Timer, TimerStore } from "../core/timer.js";
import { firingIdOf } from "../protocol/timer-message.js";
import { type TimerTracePorts, TimerTraces } from "./timer-traces.js";
import { type Withdrawal, withdraw } from "./withdrawal.js";

/** Whether the timer's job will never be queued; false: it was. Throws what `withdraw` throws. */
export async function cancelTimer(
  ports: TimerTracePorts & { work: WorkStream; timers: Pick<TimerStore, "read"> },
  timer: Timer,
  reason: Withdrawal["reason"],
): Promise<boolean> {
  const { work, timers, names } = ports;
  const stored = await timers.read(timer.seq);
  const subject = names.timerTombstone(timer.runId, timer.seq);
  if (!(await withdraw(work, { subject, msgId: firingIdOf(timer), reason }))) return false;
  // The server may have forgotten that it was fired.
  return stored === null || !(await new TimerTraces(ports).wasFired(timer, stored));
}
