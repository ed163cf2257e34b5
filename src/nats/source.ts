/**
 * The pulling end of a durable consumer.
 *
 * After a 409 (a leader change) the client's `consume()` waits for two missed heartbeats before it pulls again, and
 * a heartbeat is half of `expires`: the default of 30 s would leave a worker idle for as long. With 5 s the pull is
 * renewed within about 5 s, and when the consumer reports missed heartbeats the loop is started anew.
 */
import type { Consumer, ConsumerMessages, JetStreamClient, JsMsg } from "@nats-io/jetstream";
import { messageOf } from "../core/errors.js";
import type { Clock, ConsumeOptions, Delivery, Subscription, WorkSource } from "../core/ports.js";
import type { Names } from "../protocol/names.js";
import { headersOf } from "./work.js";

const EXPIRES_MS = 5_000;
const RESTART_MS = 250;

/** Pulls from one durable consumer of one stream until stopped. */
export class DurableSource {
  readonly #js: JetStreamClient;
  readonly #clock: Clock;
  readonly #stream: string;
  readonly #durable: string;

  constructor(js: JetStreamClient, clock: Clock, stream: string, durable: string) {
    this.#js = js;
    this.#clock = clock;
    this.#stream = stream;
    this.#durable = durable;
  }

  async consume(options: ConsumeOptions): Promise<Subscription> {
    const consumer = await this.#js.consumers.get(this.#stream, this.#durable);
    const pull = new Pull(consumer, this.#clock, options);
    await pull.start();
    return pull;
  }
}

export class NatsWorkSource implements WorkSource {
  readonly #js: JetStreamClient;
  readonly #clock: Clock;
  readonly #names: Names;

  constructor(js: JetStreamClient, clock: Clock, names: Names) {
    this.#js = js;
    this.#clock = clock;
    this.#names = names;
  }

  consume(queue: string, options: ConsumeOptions): Promise<Subscription> {
    return new DurableSource(this.#js, this.#clock, this.#names.work, this.#names.consumer(queue)).consume(
      options,
    );
  }
}

class Pull implements Subscription {
  readonly #consumer: Consumer;
  readonly #clock: Clock;
  readonly #options: ConsumeOptions;
  #messages: ConsumerMessages | undefined;
  #stopped = false;

  constructor(consumer: Consumer, clock: Clock, options: ConsumeOptions) {
    this.#consumer = consumer;
    this.#clock = clock;
    this.#options = options;
  }

  async start(): Promise<void> {
    const messages = await this.#consumer.consume({
      max_messages: this.#options.concurrency,
      expires: EXPIRES_MS,
      callback: (message) => this.#options.onDelivery(deliveryOf(message)),
    });
    this.#messages = messages;
    void this.#guard(messages);
    void messages.closed().then((error) => this.#restart(error ? messageOf(error) : "the pull ended"));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#messages?.close();
  }

  /** Missed heartbeats mean that the server no longer knows of the pull. */
  async #guard(messages: ConsumerMessages): Promise<void> {
    for await (const status of messages.status()) {
      if (status.type === "heartbeats_missed" || status.type === "consumer_not_found") {
        this.#options.onNotice?.(`${status.type}: the pull is started anew`);
        messages.stop();
        return;
      }
    }
  }

  #restart(why: string): void {
    if (this.#stopped) return;
    this.#options.onNotice?.(why);
    this.#clock.after(RESTART_MS, () => {
      if (this.#stopped) return;
      this.start().catch((error) => this.#restart(messageOf(error)));
    });
  }
}

function deliveryOf(message: JsMsg): Delivery {
  const { info } = message;
  return {
    subject: message.subject,
    headers: headersOf(message.headers),
    body: message.data,
    seq: message.seq,
    attempt: info.deliveryCount,
    storedAt: Math.floor(info.timestampNanos / 1e6),
    ack: () => message.ack(),
    nak: (delayMs) => message.nak(Math.max(0, Math.round(delayMs))),
    working: () => message.working(),
    term: (reason) => message.term(reason),
  };
}
