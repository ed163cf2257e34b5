/**
 * The lane below: what is less urgent. It is asked only for slots that the lane above leaves, and its server answers
 * at once, with what there is or with nothing, so that no slot waits there.
 *
 * What is above goes first, and yet nothing below waits for ever: after every so many jobs from above, one slot is
 * offered below.
 */
import { createInbox, type Msg, type NatsConnection } from "@nats-io/transport-node";
import type { Clock, ConsumeOptions, Subscription } from "../core/ports.js";
import { type Place, readDelivery } from "./delivery.js";
import type { Slots } from "./slots.js";

/** Jobs from above before one slot is offered below. */
const TURN_EVERY = 16;
const EMPTY_PAUSE_MS = 500;
const IDLE_HEARTBEAT = 100;
/** An answer that takes longer does not come. */
const SILENT_MS = 2_500;

export class LowerLane implements Subscription {
  readonly #connection: NatsConnection;
  readonly #clock: Clock;
  readonly #place: Place;
  readonly #options: ConsumeOptions;
  readonly #slots: Slots;
  readonly #inbox = createInbox();
  #subscription: { drain(): Promise<void> } | undefined;
  #number = 0;
  /** Asked for and not come. */
  #open = 0;
  #cancelTimeout: () => void = () => {};
  #served = 0;
  #askedAt = Number.NEGATIVE_INFINITY;
  #hadAll = false;
  #stopped = false;

  constructor(connection: NatsConnection, clock: Clock, place: Place, options: ConsumeOptions, slots: Slots) {
    this.#connection = connection;
    this.#clock = clock;
    this.#place = place;
    this.#options = options;
    this.#slots = slots;
  }

  start(): this {
    this.#subscription = this.#connection.subscribe(`${this.#inbox}.*`, {
      callback: (error, message) => {
        if (error === null) this.#onMessage(message);
        else this.#options.onNotice?.(`${this.#place.consumer}: ${error.message}`);
      },
    });
    return this;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelTimeout();
    if (!this.#connection.isClosed()) await this.#subscription?.drain();
  }

  /** Whether there was as much as was asked for, so that there may be more. */
  get isWaiting(): boolean {
    return this.#hadAll;
  }

  /** A job from above was handed out. */
  onServed(): void {
    this.#served++;
  }

  /** Takes a slot if it is our turn. */
  takeTurn(): void {
    if (this.#served < TURN_EVERY) return;
    // Where there was nothing a moment ago, a busy worker does not ask after every few jobs.
    if (this.#hadAll || this.#clock.monotonic() - this.#askedAt >= EMPTY_PAUSE_MS) this.#ask(1);
  }

  /** There is nothing more above: takes what is free. */
  takeRest(): void {
    this.#ask(this.#slots.free);
  }

  #ask(most: number): void {
    const batch = Math.min(most, this.#slots.free);
    if (this.#stopped || this.#open > 0 || batch < 1) return;
    if (this.#connection.isClosed() || this.#connection.isDraining()) return;
    this.#served = 0;
    this.#askedAt = this.#clock.monotonic();
    this.#open = batch;
    this.#slots.take(batch);
    const subject = `$JS.API.CONSUMER.MSG.NEXT.${this.#place.stream}.${this.#place.consumer}`;
    const reply = `${this.#inbox}.${++this.#number}`;
    this.#connection.publish(subject, JSON.stringify({ batch, no_wait: true }), { reply });
    this.#cancelTimeout = this.#clock.after(SILENT_MS, () => this.#end());
  }

  #onMessage(message: Msg): void {
    const status = message.headers?.code ?? 0;
    if (status === 0) this.#handOut(message);
    else if (status !== IDLE_HEARTBEAT && message.subject === `${this.#inbox}.${this.#number}`) this.#end();
  }

  #handOut(message: Msg): void {
    // One that comes after its request was given up has no slot: it is taken all the same.
    if (this.#open === 0) this.#slots.take(1);
    else if (--this.#open === 0) {
      this.#hadAll = true;
      this.#cancelTimeout();
    }
    const delivery = readDelivery(this.#connection, message);
    if (this.#stopped) delivery.nak(0);
    void Promise.resolve(this.#stopped ? undefined : this.#options.onDelivery(delivery)).then(() =>
      this.#slots.release(1),
    );
  }

  /** What has not come by now does not come. */
  #end(): void {
    this.#cancelTimeout();
    if (this.#open === 0) return;
    const open = this.#open;
    this.#open = 0;
    this.#hadAll = false;
    this.#slots.release(open);
  }
}
