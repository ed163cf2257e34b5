/** The pulling ends: of a queue, and of the streams that Punctual itself works off. */
import type { NatsConnection } from "@nats-io/transport-node";
import type { Clock, ConsumeOptions, DeliverySource, Subscription, WorkSource } from "../core/ports.js";
import type { Names } from "../protocol/names.js";
import type { Place } from "./delivery.js";
import { Pull } from "./pull.js";

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
    const place = { stream: this.#names.work, consumer: this.#names.consumer(queue) };
    return new Pull(this.#connection, this.#clock, place, options).start();
  }
}
