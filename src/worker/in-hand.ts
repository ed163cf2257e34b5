/** A job that a worker has in hand: what is known of it, and the delivery by which it is settled. */

import { messageOf } from "../core/errors.js";
import type { Delivery } from "../core/ports.js";
import type { RunEventType } from "../protocol/events.js";
import { type JobInfo, readJob } from "../protocol/job-message.js";
import { inPlaceOf } from "../protocol/redelivery-message.js";
import { fallbackRunId } from "../protocol/run-id.js";
import { Persistence } from "./persistence.js";
import { isTold } from "./told.js";
import type { Workplace } from "./workplace.js";

export class InHand {
  readonly job: JobInfo;
  /** The smaller one of the job's and the queue's. */
  readonly maxAttempts: number;
  readonly #place: Workplace;
  #delivery: Delivery;
  #persistence: Persistence | undefined;

  constructor(place: Workplace, delivery: Delivery) {
    this.#place = place;
    this.#delivery = delivery;
    this.job = readJob(delivery.headers, () => fallbackRunId(delivery.subject, delivery.seq));
    this.maxAttempts = Math.min(this.job.retry.maxAttempts, place.maxAttempts);
  }

  get runId(): string {
    return this.job.runId;
  }

  /** Tries again what must be stored; made when it is asked for. */
  get persistence(): Persistence {
    const { clock, log } = this.#place;
    this.#persistence ??= new Persistence(clock, (what, error) =>
      log.warn({ ...this.ids, error: messageOf(error) }, `${what} failed: tried again`),
    );
    return this.#persistence;
  }

  /** On every log line that concerns it. */
  get ids(): { runId: string; scheduleId?: string } {
    const { runId, scheduleId } = this.job;
    return { runId, ...(scheduleId !== null && { scheduleId }) };
  }

  /** Of the run; the server counts those of this message. */
  get attempt(): number {
    return this.job.attemptsBefore + this.#delivery.attempt;
  }

  get delivery(): Delivery {
    return this.#delivery;
  }

  /**
   * The server thought this worker lost and sent the same message again: what becomes of the job that is in hand
   * already is the answer to it.
   *
   * @returns false when it is another message
   */
  adopt(delivery: Delivery): boolean {
    if (delivery.subject !== this.#delivery.subject) return false;
    this.#delivery = delivery;
    this.beat();
    return true;
  }

  /** Tells the server that the job is still in hand. A beat that cannot be sent is no worse than one that is lost. */
  beat(): void {
    try {
      this.#delivery.working();
    } catch (error) {
      this.#place.log.debug({ ...this.ids, error: messageOf(error) }, "a heartbeat could not be sent");
    }
  }

  ack(): void {
    this.#remember();
    this.#delivery.ack();
  }

  term(reason: string): void {
    this.#remember();
    this.#delivery.term(reason);
  }

  /** And the message whose place it took: another may be put in that place. */
  #remember(): void {
    const { finished } = this.#place;
    finished.add(this.#delivery);
    const former = inPlaceOf(this.#delivery.headers);
    if (former !== null) finished.add(former);
  }

  /** Whether the queue's history keeps an event. */
  isTold(type: RunEventType): boolean {
    return isTold(type, this.#place.history, this.job, this.#delivery.headers);
  }

  /**
   * Stores an event, if the queue's history keeps it.
   *
   * @param occasion tells events of the same type apart, within one message
   */
  async append(type: RunEventType, occasion: string, data: Record<string, unknown>): Promise<void> {
    if (this.isTold(type)) await this.tell(type, occasion, data);
  }

  /** Stores an event, whatever the queue's history keeps. */
  tell(type: RunEventType, occasion: string, data: Record<string, unknown>): Promise<void> {
    const msgId = `${this.runId}/${occasion}/${this.#delivery.seq}`;
    return this.#place.runs.append({ runId: this.runId, type, msgId, data });
  }
}
