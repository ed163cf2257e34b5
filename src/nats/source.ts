/** The pulling ends: of a queue, and of the streams that Punctual itself works off. */
import type { NatsConnection } from "@nats-io/transport-node";
import type { Lane } from "../core/lane.js";
import { Patience } from "../core/patience.js";
import type { Clock, ConsumeOptions, DeliverySource, Subscription, WorkSource } from "../core/ports.js";
import type { Names } from "../protocol/names.js";
import type { Place } from "./delivery.js";
import { LowerLane } from "./lower-lane.js";
import { Pull } from "./pull.js";
import { Slots } from "./slots.js";
import { UpperLane } from "./upper-lane.js";

export class DurableSource implements DeliverySource {
  readonly #connection: NatsConnection;
  readonly #clock: Clock;
  readonly #place: Place;

  constructor(connection: NatsConnection, clock: Clock, place: Place) {
    this.#connection = connection;
    this.#clock = clock;
    this.#place = place;
  }

  async consume(options: ConsumeOptions): Promise<Subscription> {
    return new Pull(this.#connection, this.#clock, this.#place, options).start();
  }
}

/** A queue: the lane `work`, beside it what is more urgent, `high`, and what is less, `low`. */
export class NatsWorkSource implements WorkSource {
  readonly #connection: NatsConnection;
  readonly #clock: Clock;
  readonly #names: Names;

  constructor(connection: NatsConnection, clock: Clock, names: Names) {
    this.#connection = connection;
    this.#clock = clock;
    this.#names = names;
  }

  async consume(queue: string, options: ConsumeOptions): Promise<Subscription> {
    const slots = new Slots(options.concurrency);
    const patience = new Patience();
    const placeOf = (lane: Lane) => ({
      stream: this.#names.work,
      consumer: this.#names.consumer(queue, lane),
    });
    const [connection, clock] = [this.#connection, this.#clock];
    const partsOf = (lane: Lane) => ({ connection, clock, place: placeOf(lane), options, slots, patience });
    const lower = new LowerLane(partsOf("low")).start();
    const upper = new UpperLane(partsOf("high"), () => lower.onServed()).start();
    const work = new Pull(connection, clock, placeOf("work"), options, {
      slots,
      patience,
      upper,
      lower,
    }).start();
    const all = [work, upper, lower];
    return { stop: async () => void (await Promise.all(all.map((lane) => lane.stop()))) };
  }
}
