/**
 * One job, from its delivery to its end.
 *
 *   delivered ─ over already? ──────────────────────────────────────────► ack
 *       │
 *       ├─ not started by its deadline ─────────────────► `expired` ────► ack
 *       ├─ too many attempts, or the payload is invalid ────────────────► DEAD, `dead`, term
 *       │
 *       handler ─────────┬─ returned ─────────────────────► `succeeded` ─► ack
 *                        ├─ was cancelled ───────────────► `cancelled` ─► ack
 *                        ├─ failed, attempts left ────────► `retried` ───► nak with delay
 *                        └─ failed for the last time ─────► DEAD, `dead` ► term
 *
 * The order of the arrows is the guarantee: an end is stored before the message is given up, so a crash in between
 * repeats the attempt and loses nothing. What cannot be stored leaves the message alone; the server delivers it
 * again after the ack wait.
 */
import type { z } from "zod";
import { type Issue, messageOf } from "../core/errors.js";
import type { Clock, DeadLetters, Delivery, RunLog } from "../core/ports.js";
import { delayAfter } from "../core/retry.js";
import { type RunEventType, terminalEvents } from "../protocol/events.js";
import { type JobInfo, readJob } from "../protocol/job-message.js";
import { fallbackRunId } from "../protocol/run-id.js";
import type { Logger } from "../runtime/log.js";
import { Attempt } from "./attempt.js";
import { Context, type Handler } from "./context.js";
import { isRetryable, type KeptError, keepError } from "./errors.js";
import { readPayload } from "./payload.js";
import { Persistence } from "./persistence.js";
import { resultOf } from "./result.js";
import type { Turns } from "./turns.js";

/** What all jobs of a worker have in common. */
export interface Workplace {
  runs: RunLog;
  dead: DeadLetters;
  clock: Clock;
  log: Logger;
  queue: string;
  /** Id of the worker, for the history. */
  worker: string;
  /** The queue's limit. */
  maxAttempts: number;
  abortGraceMs: number;
  schema: z.ZodType | undefined;
  handler: Handler;
  turns: Turns;
}

/** A message stored this much after its fire time may be of a run that is over: its first message was lost from sight. */
const LATE_MS = 1_000;

export class Execution {
  readonly #place: Workplace;
  readonly #job: JobInfo;
  readonly #maxAttempts: number;
  readonly #attempt: Attempt;
  readonly #persistence: Persistence;
  #delivery: Delivery;
  #running = false;
  #startTold = false;

  constructor(place: Workplace, delivery: Delivery) {
    this.#place = place;
    this.#delivery = delivery;
    this.#job = readJob(delivery.headers, () => fallbackRunId(delivery.subject, delivery.seq));
    this.#maxAttempts = Math.min(this.#job.retry.maxAttempts, place.maxAttempts);
    this.#attempt = new Attempt(place.clock, place.abortGraceMs);
    this.#persistence = new Persistence(place.clock, (what, error) =>
      place.log.warn({ runId: this.#job.runId, error: messageOf(error) }, `${what} failed: tried again`),
    );
  }

  /** Never rejects. */
  async run(): Promise<void> {
    try {
      await this.#run();
    } catch (error) {
      this.#place.log.error(
        { runId: this.#job.runId, error: messageOf(error) },
        "a job could not be settled: it will be delivered again",
      );
    }
  }

  /** Tells the server that the job is still in hand. A beat that cannot be sent is no worse than one that is lost. */
  beat(): void {
    try {
      this.#delivery.working();
    } catch (error) {
      this.#place.log.debug(
        { runId: this.#job.runId, error: messageOf(error) },
        "a heartbeat could not be sent",
      );
    }
  }

  /**
   * Tells RUNS that the handler is running. Called in a sweep, so that a job that is soon over costs one event and
   * not two: what ends it tells how long it took.
   */
  tellStart(): void {
    if (!this.#running || this.#startTold) return;
    this.#startTold = true;
    const { queue, worker, log } = this.#place;
    const { attempt } = this.#delivery;
    this.#append("started", `started/${attempt}`, { attempt, queue, worker }).catch((error) =>
      log.debug({ runId: this.#job.runId, error: messageOf(error) }, "a start could not be stored"),
    );
  }

  /**
   * The server thought this worker lost and sent the same message again: the job that is running already is
   * the answer to it.
   *
   * @returns false when it is another message
   */
  adopt(delivery: Delivery): boolean {
    if (delivery.subject !== this.#delivery.subject) return false;
    this.#delivery = delivery;
    this.beat();
    return true;
  }

  get runId(): string {
    return this.#job.runId;
  }

  /** Somebody asked for its end: it is not tried again. */
  cancel(): void {
    this.#attempt.cancel();
  }

  /** The worker stops and can wait no longer. */
  interrupt(): void {
    this.#attempt.interrupt();
    this.#persistence.hurry();
  }

  async #run(): Promise<void> {
    if (this.#mayBeOver() && (await this.#isOver())) return this.#delivery.ack();
    if (await this.#isExpired()) return this.#expire();
    const { attempt } = this.#delivery;
    if (attempt > this.#maxAttempts) {
      const error = `attempt ${attempt} of at most ${this.#maxAttempts}: the worker of an earlier one was lost`;
      return this.#bury("attempts used up", { error });
    }
    const payload = readPayload(this.#delivery.body, this.#place.schema);
    if (!payload.ok) return this.#bury("invalid payload", { error: payload.message }, payload.issues);
    await this.#perform(payload.value);
  }

  async #perform(payload: unknown): Promise<void> {
    if (this.#attempt.isCancelled) return this.#endCancelled();
    if (this.#attempt.aborted !== undefined) return this.#giveBack(this.#attempt.aborted);
    const { handler, clock, log, queue } = this.#place;
    const [job, delivery, maxAttempts] = [this.#job, this.#delivery, this.#maxAttempts];
    const context = new Context({
      payload,
      job,
      delivery,
      maxAttempts,
      queue,
      attempt: this.#attempt,
      log,
    });
    const startedAt = clock.monotonic();
    this.#running = true;
    const outcome = await this.#attempt.run(() => handler(context), job.timeoutMs);
    this.#running = false;
    if (outcome.kind === "succeeded") await this.#succeed(outcome.value, clock.monotonic() - startedAt);
    else if (outcome.kind === "failed") await this.#fail(outcome.error);
    else if (outcome.kind === "cancelled") await this.#endCancelled();
    else await this.#giveBack(outcome.error);
  }

  async #succeed(value: unknown, elapsedMs: number): Promise<void> {
    await this.#place.turns.take();
    const result = resultOf(value);
    const durationMs = Math.round(elapsedMs * 1_000) / 1_000;
    const { queue, worker } = this.#place;
    const data = {
      attempt: this.#delivery.attempt,
      durationMs,
      queue,
      worker,
      ...(result !== undefined && { result }),
    };
    await this.#persistence.of("storing a success", () => this.#append("succeeded", "succeeded", data));
    this.#delivery.ack();
  }

  async #endCancelled(): Promise<void> {
    const { queue, worker } = this.#place;
    const data = { attempt: this.#delivery.attempt, queue, worker };
    await this.#persistence.of("storing a cancellation", () => this.#append("cancelled", "cancelled", data));
    this.#delivery.ack();
  }

  async #expire(): Promise<void> {
    const { startDeadline } = this.#job;
    const data = { reason: "start deadline", startDeadline: new Date(startDeadline as number).toISOString() };
    await this.#persistence.of("storing an expiry", () => this.#append("expired", "expired", data));
    this.#delivery.ack();
  }

  async #fail(error: unknown): Promise<void> {
    const { attempt } = this.#delivery;
    const policy = { ...this.#job.retry, maxAttempts: this.#maxAttempts };
    const delayMs = delayAfter(policy, attempt);
    const kept = keepError(error);
    if (!isRetryable(error)) await this.#bury("not retryable", kept);
    else if (delayMs === null) await this.#bury("the last attempt failed", kept);
    else await this.#retry(kept, delayMs);
  }

  /** Another worker may have it at once. The server counts deliveries, so a last attempt cannot be given back. */
  async #giveBack(error: unknown): Promise<void> {
    const kept = keepError(error);
    if (this.#delivery.attempt < this.#maxAttempts) await this.#retry(kept, 0);
    else await this.#bury("the worker was stopped during the last attempt", kept);
  }

  /** The event is for people; the job is tried again with or without it. */
  async #retry({ error }: KeptError, delayMs: number): Promise<void> {
    const { attempt } = this.#delivery;
    const { runId } = this.#job;
    try {
      await this.#append("retried", `retried/${attempt}`, { attempt, error, delayMs });
    } catch (cause) {
      this.#place.log.warn({ runId, error: messageOf(cause) }, "a failed attempt could not be stored");
    }
    this.#place.log.debug({ runId, attempt, error, delayMs }, "an attempt failed");
    this.#delivery.nak(delayMs);
  }

  async #bury(reason: string, kept: KeptError, issues?: readonly Issue[]): Promise<void> {
    const { dead, log, queue } = this.#place;
    const { subject, seq, headers, body, attempt } = this.#delivery;
    const letter = { queue, subject, seq, headers, body, reason, attempts: attempt, ...kept };
    await this.#persistence.of("storing a dead letter", () => dead.bury(letter));
    const data = { attempt, reason, error: kept.error, ...(issues !== undefined && { issues }) };
    await this.#persistence.of("storing a dead letter's event", () => this.#append("dead", "dead", data));
    this.#delivery.term(reason);
    log.warn(
      { runId: this.#job.runId, attempt, reason, error: kept.error },
      "a job went to the dead letters",
    );
  }

  /** @param occasion tells events of the same type apart, within one message */
  #append(type: RunEventType, occasion: string, data: Record<string, unknown>): Promise<void> {
    const { runId } = this.#job;
    return this.#place.runs.append({
      runId,
      type,
      msgId: `${runId}/${occasion}/${this.#delivery.seq}`,
      data,
    });
  }

  /**
   * Only a run with a fire time is asked about: its id stands for one slot for ever, while an id that a producer
   * chose may be used again.
   */
  #mayBeOver(): boolean {
    const { fireTime } = this.#job;
    if (fireTime === null) return false;
    return this.#delivery.attempt > 1 || this.#delivery.storedAt > fireTime + LATE_MS;
  }

  #isOver(): Promise<boolean> {
    return this.#hasAny("asking whether a run is over", terminalEvents);
  }

  /** Only the start is late: a run that was begun in time goes on, attempt after attempt. */
  async #isExpired(): Promise<boolean> {
    const { startDeadline } = this.#job;
    if (startDeadline === null || this.#place.clock.now() <= startDeadline) return false;
    if (this.#delivery.attempt === 1) return true;
    return !(await this.#hasAny("asking whether a run was started", ["started", "retried"]));
  }

  async #hasAny(what: string, types: readonly RunEventType[]): Promise<boolean> {
    const { runId } = this.#job;
    const ask = () => Promise.all(types.map((type) => this.#place.runs.has(runId, type)));
    return (await this.#persistence.of(what, ask)).includes(true);
  }
}
