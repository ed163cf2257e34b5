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
  /** Handed out and not settled, by sequence. */
  readonly #out = new Set<number>();
  #ended = false;

  constructor(server: MemoryServer, link: MemoryLink, consumer: MemoryConsumer, options: ConsumeOptions) {
    this.#server = server;
    this.#link = link;
    this.#consumer = consumer;
    this.#options = options;
  }

  hasRoom(): boolean {
    return this.#out.size < this.#options.concurrency;
  }

  /** Never from within the call that stored the message: a program takes it in afterwards. */
  hand(message: StoredMessage, attempt: number): void {
    this.#out.add(message.seq);
    queueMicrotask(() => this.#link.push(() => this.#deliver(message, attempt)));
  }

  onExpired(seq: number): void {
    this.#out.delete(seq);
  }

  end(): void {
    this.#ended = true;
    this.#consumer.detach(this);
  }

  #deliver(message: StoredMessage, attempt: number): void {
    if (this.#ended) this.#settle("nak", message.seq, () => this.#consumer.putBack(message.seq, 0));
    else this.#options.onDelivery(this.#delivery(message, attempt));
  }

  #delivery(message: StoredMessage, attempt: number): Delivery {
    const { seq } = message;
    const settle = (what: "ack" | "nak" | "term", act: () => void) => this.#settle(what, seq, act);
    return {
      ...message,
      attempt,
      ack: () => settle("ack", () => this.#consumer.settle(seq)),
      nak: (delayMs) => settle("nak", () => this.#consumer.putBack(seq, delayMs)),
      working: () => this.#say("working", seq, () => this.#consumer.waitAnew(seq)),
      term: () => settle("term", () => this.#consumer.settle(seq)),
    };
  }

  #settle(what: "ack" | "nak" | "term", seq: number, act: () => void): void {
    this.#out.delete(seq);
    this.#say(what, seq, act);
    this.#link.send(() => this.#consumer.serve());
  }

  #say(what: "ack" | "nak" | "working" | "term", seq: number, act: () => void): void {
    if (this.#server.faults.settlement?.(what, seq) !== true) this.#link.send(act);
  }
}
