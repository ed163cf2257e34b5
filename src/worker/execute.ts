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
import { messageOf } from "../core/errors.js";
import type { Delivery } from "../core/ports.js";
import { Attempt } from "./attempt.js";
import { Context } from "./context.js";
import { Endings } from "./endings.js";
import { InHand } from "./in-hand.js";
import { Journal } from "./journal.js";
import { latenessOf } from "./lateness.js";
import { readPayload } from "./payload.js";
import { isExpired, isOver, mayBeExpired, mayBeOver } from "./standing.js";
import type { Workplace } from "./workplace.js";

export class Execution {
  readonly #place: Workplace;
  readonly #hand: InHand;
  readonly #endings: Endings;
  readonly #attempt: Attempt;
  #journal: Journal | undefined;
  #running = false;
  #startTold = false;

  constructor(place: Workplace, delivery: Delivery) {
    this.#place = place;
    this.#hand = new InHand(place, delivery);
    this.#endings = new Endings(place, this.#hand);
    this.#attempt = new Attempt(place.clock, place.abortGraceMs);
  }

  get runId(): string {
    return this.#hand.runId;
  }

  /** For the handler; made when it is asked for. */
  get signal(): AbortSignal {
    return this.#attempt.signal;
  }

  /** Likewise. */
  get journal(): Journal {
    this.#journal ??= new Journal(this.#place, this.#hand);
    return this.#journal;
  }

  /** Never rejects. */
  async run(): Promise<void> {
    try {
      await this.#run();
    } catch (error) {
      this.#place.log.error(
        { ...this.#hand.ids, error: messageOf(error) },
        "a job could not be settled: it will be delivered again",
      );
    }
  }

  /** Tells the server that the job is still in hand. */
  beat(): void {
    this.#hand.beat();
  }

  /**
   * Tells RUNS that the handler is running, and what it has said. Called in a sweep, so that a job that is soon over
   * costs one event and not two: what ends it tells how long it took.
   */
  tell(): void {
    if (!this.#running) return;
    if (!this.#startTold) this.#tellStart();
    this.#journal?.tell();
  }

  /** See `InHand`. */
  adopt(delivery: Delivery): boolean {
    return this.#hand.adopt(delivery);
  }

  /** Somebody asked for its end: it is not tried again. */
  cancel(): void {
    this.#attempt.cancel();
  }

  /** The worker stops and can wait no longer. */
  interrupt(): void {
    this.#attempt.interrupt();
    this.#hand.persistence.hurry();
  }

  async #run(): Promise<void> {
    const [place, hand] = [this.#place, this.#hand];
    if (mayBeOver(hand) && (await isOver(place, hand))) return hand.ack();
    if (mayBeExpired(place, hand) && (await isExpired(place, hand))) return this.#endings.expired();
    const { attempt, maxAttempts } = hand;
    if (attempt > maxAttempts) {
      const error = `attempt ${attempt} of at most ${maxAttempts}: the worker of an earlier one was lost`;
      return this.#endings.buried("attempts used up", { error });
    }
    const payload = readPayload(hand.delivery.body, place.schema);
    if (payload.ok) await this.#perform(payload.value);
    else await this.#endings.buried("invalid payload", { error: payload.message }, payload.issues);
  }

  async #perform(payload: unknown): Promise<void> {
    const { aborted, isCancelled } = this.#attempt;
    if (isCancelled) return this.#endings.cancelled();
    if (aborted !== undefined) return this.#endings.givenBack(aborted);
    const { handler, clock, queue, telemetry, tracing } = this.#place;
    const { job, delivery, maxAttempts } = this.#hand;
    const context = new Context({ payload, job, delivery, maxAttempts, queue, run: this });
    const startedAt = clock.monotonic();
    this.#running = true;
    telemetry.attemptBegan(queue, latenessOf(job, this.#hand.attempt, clock.now()));
    const traced = { queue, runId: job.runId, scheduleId: job.scheduleId, attempt: this.#hand.attempt };
    const outcome = await tracing.run(traced, delivery.headers, () =>
      this.#attempt.run(() => handler(context), job.timeoutMs),
    );
    const elapsedMs = clock.monotonic() - startedAt;
    this.#running = false;
    telemetry.attemptEnded(queue, outcome.kind, elapsedMs);
    if (this.#journal !== undefined) await this.#journal.finish();
    if (outcome.kind === "succeeded") await this.#endings.succeeded(outcome.value, elapsedMs);
    else if (outcome.kind === "failed") await this.#endings.failed(outcome.error);
    else if (outcome.kind === "cancelled") await this.#endings.cancelled();
    else await this.#endings.givenBack(outcome.error);
  }

  #tellStart(): void {
    this.#startTold = true;
    const { queue, worker, log } = this.#place;
    const { attempt } = this.#hand;
    this.#hand
      .append("started", `started/${attempt}`, { attempt, queue, worker })
      .catch((error) =>
        log.debug({ ...this.#hand.ids, error: messageOf(error) }, "a start could not be stored"),
      );
  }
}
