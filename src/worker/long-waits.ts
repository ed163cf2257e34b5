/**
 * Long waits between attempts are not spent on the queue.
 *
 * A message that was given back with a delay counts among those that the server has handed out, and there may only be so
 * many of them (`max_ack_pending`): a few hundred jobs that wait for ten minutes would stop the queue. So such a job waits
 * among those for later, and comes back as a message that says how many attempts it has had.
 */
import type { Clock, Delivery } from "../core/ports.js";
import { isLongWait } from "../core/retry.js";
import type { TimerStore } from "../core/timer.js";
import { headers as h } from "../protocol/headers.js";
import type { JobInfo } from "../protocol/job-message.js";
import { instantToken, type Names } from "../protocol/names.js";
import { isOwnKey, parseJobSubject } from "../protocol/subjects.js";
import { timerMessage } from "../protocol/timer-message.js";
import { putTimer } from "../runtime/enqueue.js";

export interface LongWaitPorts {
  timers: Pick<TimerStore, "put" | "ready">;
  names: Names;
  shards: number;
  clock: Pick<Clock, "now">;
}

/** A job that a worker has in hand. */
interface Held {
  readonly runId: string;
  readonly attempt: number;
  readonly job: Pick<JobInfo, "scheduleId" | "fireTime">;
  readonly delivery: Pick<Delivery, "subject" | "headers" | "body" | "seq">;
}

export class LongWaits {
  readonly #ports: LongWaitPorts;

  constructor(ports: LongWaitPorts) {
    this.#ports = ports;
  }

  /** Whether it is for them; else the job waits where it is, and the server sees to it. */
  suits(hand: Held, delayMs: number): boolean {
    return isLongWait(delayMs) && isFreeToGo(hand);
  }

  /**
   * Lets the job wait elsewhere; its message is to be acknowledged then, and RUNS to know of it before.
   *
   * @throws full, denied, timeout
   */
  async take(hand: Held, delayMs: number): Promise<void> {
    const { timers, clock } = this.#ports;
    // It comes back in nobody's place.
    const { [h.msgId]: _, [h.inPlaceOf]: __, ...headers } = hand.delivery.headers;
    const { subject, body, seq } = hand.delivery;
    const own = { ...headers, [h.runId]: hand.runId, [h.attemptsBefore]: String(hand.attempt) };
    const work = { subject, msgId: "", headers: own, body };
    const msgId = `${hand.runId}/retry/${hand.attempt}/${seq}`;
    const message = timerMessage(work, clock.now() + delayMs, { ...this.#ports, msgId });
    await putTimer(timers, message);
  }
}

/** While it waits elsewhere its subject is free: only a subject that is for this run alone may be. */
function isFreeToGo({ job, runId, delivery }: Held): boolean {
  const key = parseJobSubject(delivery.subject)?.key;
  const { scheduleId, fireTime } = job;
  const ofSlot = scheduleId !== null && fireTime !== null && `${scheduleId}.${instantToken(fireTime)}`;
  return key !== undefined && (isOwnKey(key, runId) || key === ofSlot);
}
