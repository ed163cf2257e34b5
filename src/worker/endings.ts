/**
 * The ways in which an attempt can end. Each stores what happened first and settles the message then, so that a crash
 * in between repeats the attempt and loses nothing.
 */
import { type Issue, messageOf } from "../core/errors.js";
import { delayAfter } from "../core/retry.js";
import type { RunEventType } from "../protocol/events.js";
import { isRetryable, type KeptError, keepError } from "./errors.js";
import type { InHand } from "./in-hand.js";
import type { LongWaits } from "./long-waits.js";
import { leadsTo } from "./redact.js";
import { resultOf } from "./result.js";
import { isAwaited } from "./told.js";
import type { Workplace } from "./workplace.js";

export class Endings {
  readonly #place: Workplace;
  readonly #hand: InHand;

  constructor(place: Workplace, hand: InHand) {
    this.#place = place;
    this.#hand = hand;
  }

  async succeeded(value: unknown, elapsedMs: number): Promise<void> {
    await this.#place.turns.take();
    const result = resultOf(this.#place.redact(value));
    const durationMs = Math.round(elapsedMs * 1_000) / 1_000;
    const { attempt, runId, job, delivery } = this.#hand;
    const { queue, worker, ends } = this.#place;
    const data = { attempt, durationMs, queue, worker, ...(result !== undefined && { result }) };
    const alone = () => this.#store("storing a success", "succeeded", data);
    if (!this.#hand.isTold("succeeded") || isAwaited(job, delivery.headers)) await alone();
    else await ends.tell({ runId, seq: delivery.seq, attempt, durationMs, result }, alone);
    this.#hand.ack();
  }

  async cancelled(): Promise<void> {
    const { queue, worker } = this.#place;
    await this.#store("storing a cancellation", "cancelled", { attempt: this.#hand.attempt, queue, worker });
    this.#hand.ack();
  }

  async expired(): Promise<void> {
    const startDeadline = new Date(this.#hand.job.startDeadline as number).toISOString();
    await this.#store("storing an expiry", "expired", { reason: "start deadline", startDeadline });
    this.#place.telemetry.expired(this.#place.queue);
    this.#hand.ack();
  }

  async failed(error: unknown): Promise<void> {
    const { job, maxAttempts, attempt } = this.#hand;
    const delayMs = delayAfter({ ...job.retry, maxAttempts }, attempt);
    const kept = keepError(error);
    if (!isRetryable(error)) await this.buried("not retryable", kept);
    else if (delayMs === null) await this.buried("the last attempt failed", kept);
    else await this.#retried(kept, delayMs);
  }

  /** Another worker may have it at once. The server counts deliveries, so a last attempt cannot be given back. */
  async givenBack(error: unknown): Promise<void> {
    const kept = keepError(error);
    if (this.#hand.attempt < this.#hand.maxAttempts) await this.#retried(kept, 0);
    else await this.buried("the worker was stopped during the last attempt", kept);
  }

  async buried(reason: string, kept: KeptError, issues?: readonly Issue[]): Promise<void> {
    const { dead, log, queue, telemetry } = this.#place;
    const { ids, attempt, persistence, delivery } = this.#hand;
    const { subject, seq, headers, body } = delivery;
    const letter = { queue, subject, seq, headers, body, reason, attempts: attempt, ...kept };
    await persistence.of("storing a dead letter", () => dead.bury(letter));
    const { stack } = kept;
    const wrong = issues?.filter(({ path }) => !leadsTo(this.#place.redacted, path));
    const data = {
      ...{ attempt, reason, queue, worker: this.#place.worker, error: kept.error },
      ...(stack !== undefined && { stack }),
      ...(wrong !== undefined && { issues: wrong }),
    };
    await this.#store("storing a dead letter's event", "dead", data);
    this.#hand.term(reason);
    telemetry.buried(queue, reason);
    // What is wrong with a payload tells of its contents: in a log, only where.
    const told = issues === undefined ? { error: kept.error } : { fields: issues.map(({ path }) => path) };
    log.warn({ ...ids, attempt, reason, ...told }, "a job went to the dead letters");
  }

  async #retried({ error, stack }: KeptError, delayMs: number): Promise<void> {
    const { ids, attempt, delivery } = this.#hand;
    const { log, queue, worker, longWaits } = this.#place;
    log.debug({ ...ids, attempt, error, delayMs }, "an attempt failed");
    const data = { attempt, error, delayMs, queue, worker, ...(stack !== undefined && { stack }) };
    const occasion = `retried/${attempt}`;
    if (longWaits?.suits(this.#hand, delayMs) === true) {
      if (await this.#leaves(longWaits, delayMs, () => this.#hand.tell("retried", occasion, data)))
        return this.#hand.ack();
    } else await this.#tellForPeople(() => this.#hand.append("retried", occasion, data));
    delivery.nak(delayMs);
  }

  /** Where it stays on its queue it is tried again with or without the event. */
  async #tellForPeople(tell: () => Promise<void>): Promise<void> {
    try {
      await tell();
    } catch (error) {
      const { log } = this.#place;
      log.warn({ ...this.#hand.ids, error: messageOf(error) }, "a failed attempt could not be stored");
    }
  }

  /** Nobody else knows that it goes on: without the event, the server's word of the ack would be that it succeeded. */
  async #leaves(longWaits: LongWaits, delayMs: number, tell: () => Promise<void>): Promise<boolean> {
    try {
      await tell();
      await longWaits.take(this.#hand, delayMs);
      return true;
    } catch (error) {
      this.#place.log.warn({ ...this.#hand.ids, error: messageOf(error) }, "a retry waits on the queue");
      return false;
    }
  }

  /** An end that a run has once, whatever the attempt. */
  #store(what: string, type: RunEventType, data: Record<string, unknown>): Promise<void> {
    return this.#hand.persistence.of(what, () => this.#hand.append(type, type, data));
  }
}
