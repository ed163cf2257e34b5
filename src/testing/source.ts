/** The pulling end of queues and of Punctual's own streams, in memory. */
import { PunctualError } from "../core/errors.js";
import type {
  ConsumeOptions,
  Delivery,
  DeliverySource,
  StoredMessage,
  Subscription,
  WorkSource,
} from "../core/ports.js";
import type { MemoryConsumer, Puller } from "./consumer.js";
import { type MemoryLink, subscription } from "./link.js";
import type { MemoryServer } from "./server.js";

export class MemoryWorkSource implements WorkSource {
  readonly #server: MemoryServer;
  readonly #link: MemoryLink;

  constructor(server: MemoryServer, link: MemoryLink) {
    this.#server = server;
    this.#link = link;
  }

  async consume(queue: string, options: ConsumeOptions): Promise<Subscription> {
    const consumer = this.#server.queues.get(queue);
    if (consumer === undefined) throw new PunctualError("not_found", `queue ${queue} does not exist`);
    return new MemoryDeliverySource(this.#server, this.#link, consumer).consume(options);
  }
}

export class MemoryDeliverySource implements DeliverySource {
  readonly #server: MemoryServer;
  readonly #link: MemoryLink;
  readonly #consumer: MemoryConsumer;

  constructor(server: MemoryServer, link: MemoryLink, consumer: MemoryConsumer) {
    this.#server = server;
    this.#link = link;
    this.#consumer = consumer;
  }

  consume(options: ConsumeOptions): Promise<Subscription> {
    const pull = new Pull(this.#server, this.#link, this.#consumer, options);
    return this.#link.ask("consume", () => {
      this.#consumer.attach(pull);
      return subscription(this.#link, () => pull.end());
    });
  }
}

class Pull implements Puller {
  readonly #server: MemoryServer;
  readonly #link: MemoryLink;
  readonly #consumer: MemoryConsumer;
  readonly #options: ConsumeOptions;
  /** Handed out and not done with. */
  #out = 0;
  #ended = false;

  constructor(server: MemoryServer, link: MemoryLink, consumer: MemoryConsumer, options: ConsumeOptions) {
    this.#server = server;
    this.#link = link;
    this.#consumer = consumer;
    this.#options = options;
  }

  hasRoom(): boolean {
    return this.#out < this.#options.concurrency;
  }

  /** Never from within the call that stored the message: a program takes it in afterwards. */
  hand(message: StoredMessage, attempt: number): void {
    this.#out++;
    queueMicrotask(() => this.#link.push(() => this.#deliver(message, attempt)));
  }

  end(): void {
    this.#ended = true;
    this.#consumer.detach(this);
  }

  #deliver(message: StoredMessage, attempt: number): void {
    const delivery = this.#delivery(message, attempt);
    if (this.#ended) delivery.nak(0);
    void Promise.resolve(this.#ended ? undefined : this.#options.onDelivery(delivery)).then(() => {
      this.#out--;
      this.#link.send(() => this.#consumer.serve());
    });
  }

  #delivery(message: StoredMessage, attempt: number): Delivery {
    const { seq } = message;
    const consumer = this.#consumer;
    return {
      ...message,
      attempt,
      ack: () => this.#say("ack", seq, () => consumer.settle(seq)),
      nak: (delayMs) => this.#say("nak", seq, () => consumer.putBack(seq, delayMs)),
      working: () => this.#say("working", seq, () => consumer.waitAnew(seq)),
      term: () => this.#say("term", seq, () => consumer.settle(seq)),
    };
  }

  #say(what: "ack" | "nak" | "working" | "term", seq: number, act: () => void): void {
    if (this.#server.faults.settlement?.(what, seq) !== true) this.#link.send(act);
  }
}
