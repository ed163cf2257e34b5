/**
 * Cancelling a timer against whoever may be firing it.
 *
 * Both put something into WORK under the same message id, its holder the job and the canceller a tombstone; the server
 * takes the first and calls the other a duplicate. So exactly one of them has it, whatever the clocks say.
 */
import { PunctualError } from "../core/errors.js";
import type { RunHistory } from "../core/lookback.js";
import type { PublishOutcome, WorkStream } from "../core/ports.js";
import type { Timer, TimerStore } from "../core/timer.js";
import { headers as h } from "../protocol/headers.js";
import type { Names } from "../protocol/names.js";
import { firingIdOf } from "../protocol/timer-message.js";
import { wasFired } from "./timer-traces.js";

const TRIES = 3;
const NO_BODY = new Uint8Array();

/**
 * Whether the timer's job will never be queued; false: it was.
 *
 * @throws full, denied, timeout: then it is not known, and may be tried again
 */
export async function cancelTimer(
  ports: { work: WorkStream; history: RunHistory; timers: Pick<TimerStore, "read">; names: Names },
  timer: Timer,
  reason: "cancelled" | "rescheduled",
): Promise<boolean> {
  const { work, history, timers, names } = ports;
  const stored = await timers.read(timer.seq);
  const subject = names.timerTombstone(timer.runId, timer.seq);
  const tombstone = { subject, msgId: firingIdOf(timer), headers: { [h.reason]: reason }, body: NO_BODY };
  let outcome: PublishOutcome = { kind: "unknown", error: new Error("nothing was tried") };
  for (let tries = 0; tries < TRIES && outcome.kind === "unknown"; tries++) {
    await work.ready();
    outcome = await work.publish(tombstone);
  }
  switch (outcome.kind) {
    case "stored":
    case "taken":
      // The server may have forgotten that it was fired.
      return stored === null || !(await wasFired(history, timer, stored));
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
