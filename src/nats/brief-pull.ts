/** Asking a lane for some jobs at a time, one request after another. Its slots are taken for as long as it is open. */
import { createInbox, type Msg, type NatsConnection, nanos } from "@nats-io/transport-node";
import type { Patience } from "../core/patience.js";
import type { Clock, ConsumeOptions, Subscription } from "../core/ports.js";
import { Deadline } from "./deadline.js";
import { type Place, readDelivery } from "./delivery.js";
import type { Slots } from "./slots.js";

/**
 * Of a request that is to be answered at once: the shortest wait, not `no_wait`. For each of those nats-server 2.9 counts
 * what the consumer has pending, over all subjects of the stream: 3 ms with 2,000 jobs in WORK. A thousand workers that
 * asked so kept it from everything else.
 */
const AT_ONCE_MS = 1;
/** Where there were jobs a moment ago: on a busy machine the server may take longer than the shortest wait to find the next. */
const LIKELY_MS = 20;

export const momentMs = (isLikely: boolean): number => (isLikely ? LIKELY_MS : AT_ONCE_MS);

const IDLE_HEARTBEAT = 100;

/** What lanes that share slots have in common. */
export interface LaneParts {
  connection: NatsConnection;
  clock: Clock;
  place: Place;
  options: ConsumeOptions;
  slots: Slots;
  patience: Patience;
}

export class BriefPull implements Subscription {
  readonly #parts: LaneParts;
  readonly #onServed: () => void;
  readonly #inbox = createInbox();
  #subscription: { drain(): Promise<void> } | undefined;
  #number = 0;
  /** Asked for and not come. */
  #open = 0;
  #deadline: Deadline | undefined;
  #emptyAt = Number.NEGATIVE_INFINITY;
  #hadAll = false;
  #stopped = false;

  constructor(parts: LaneParts, onServed: () => void = () => {}) {
    this.#parts = parts;
    this.#onServed = onServed;
  }

  start(): this {
    const { connection, place, options } = this.#parts;
    this.#subscription = connection.subscribe(`${this.#inbox}.*`, {
      callback: (error, message) => {
        if (error === null) this.#onMessage(message);
        else options.onNotice?.(`${place.consumer}: ${error.message}`);
      },
    });
    return this;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#deadline?.end();
    if (!this.#parts.connection.isClosed()) await this.#subscription?.drain();
  }

  get isOpen(): boolean {
    return this.#open > 0;
  }

  /** Whether the last request had as much as it asked for, so that there may be more. */
  get hadAll(): boolean {
    return this.#hadAll;
  }

  /** Since a request was over without having as much as it asked for. */
  get sinceEmptyMs(): number {
    return this.#parts.clock.monotonic() - this.#emptyAt;
  }

  get #isLikely(): boolean {
    return this.#hadAll || this.#emptyAt === Number.NEGATIVE_INFINITY;
  }

  /**
   * Takes slots, as many as are free and at most so many, and asks for as many jobs; does nothing while a request is open.
   *
   * @param waitMs how long the server waits for jobs; default: a moment
   */
  ask(most: number, waitMs = momentMs(this.#isLikely)): void {
    const { connection, clock, place, slots, patience } = this.#parts;
    const batch = Math.min(most, slots.free);
    if (this.#stopped || this.isOpen || batch < 1) return;
    if (connection.isClosed() || connection.isDraining()) return;
    this.#open = batch;
    slots.take(batch);
    const request = { batch, expires: nanos(waitMs) };
    const subject = `$JS.API.CONSUMER.MSG.NEXT.${place.stream}.${place.consumer}`;
    connection.publish(subject, JSON.stringify(request), { reply: `${this.#inbox}.${++this.#number}` });
    this.#deadline = new Deadline(clock, patience, waitMs, () => this.#end());
  }

  #onMessage(message: Msg): void {
    const status = message.headers?.code ?? 0;
    if (status === 0) this.#handOut(message);
    else if (status !== IDLE_HEARTBEAT && message.subject === `${this.#inbox}.${this.#number}`)
      this.#end({ isAnswer: true });
  }

  #handOut(message: Msg): void {
    const { connection, options, slots } = this.#parts;
    this.#onServed();
    // One that comes after its request was given up has no slot: it is taken all the same.
    if (this.#open === 0) slots.take(1);
    else if (--this.#open === 0) {
      this.#hadAll = true;
      this.#deadline?.end();
      // Slots that came free meanwhile were kept from the other lanes: now they are anyone's.
      slots.release(0);
    }
    const delivery = readDelivery(connection, message);
    if (this.#stopped) delivery.nak(0);
    void Promise.resolve(this.#stopped ? undefined : options.onDelivery(delivery)).then(() =>
      slots.release(1),
    );
  }

  /** What has not come by now does not come. */
  #end(how?: { isAnswer: boolean }): void {
    this.#deadline?.end(how);
    if (this.#open === 0) return;
    const open = this.#open;
    this.#open = 0;
    this.#hadAll = false;
    this.#emptyAt = this.#parts.clock.monotonic();
    this.#parts.slots.release(open);
  }
}
