/** Queues: a durable consumer each, which keeps the queue's settings. */
import { AckPolicy, type ConsumerInfo, DeliverPolicy, type JetStreamManager } from "@nats-io/jetstream";
import { nanos } from "@nats-io/transport-node";
import { PunctualError } from "../core/errors.js";
import type { QueueSettings, QueueStore } from "../core/ports.js";
import { checkQueue, type Names } from "../protocol/names.js";
import { isMissing } from "./refusal.js";

export const defaultQueue: QueueSettings = { ackWaitMs: 30_000, maxAttempts: 5, concurrency: 1_000 };

export class NatsQueueStore implements QueueStore {
  readonly #jsm: JetStreamManager;
  readonly #names: Names;

  constructor(jsm: JetStreamManager, names: Names) {
    this.#jsm = jsm;
    this.#names = names;
  }

  async ensure(queue: string, settings: Partial<QueueSettings> = {}): Promise<QueueSettings> {
    checkQueue(queue);
    const existing = await this.get(queue);
    if (existing !== null) return existing;
    const { ackWaitMs, maxAttempts, concurrency } = { ...defaultQueue, ...settings };
    const made = await this.#jsm.consumers.add(this.#names.work, {
      durable_name: this.#names.consumer(queue),
      filter_subject: this.#names.queueSubjects(queue),
      ack_policy: AckPolicy.Explicit,
      deliver_policy: DeliverPolicy.All,
      ack_wait: nanos(ackWaitMs),
      max_deliver: maxAttempts,
      max_ack_pending: concurrency,
      sample_freq: "100",
    });
    return settingsOf(made);
  }

  async get(queue: string): Promise<QueueSettings | null> {
    try {
      return settingsOf(await this.#jsm.consumers.info(this.#names.work, this.#names.consumer(queue)));
    } catch (error) {
      if (isMissing(error)) return null;
      throw new PunctualError("unavailable", `queue ${queue}: cannot be read`, { cause: error });
    }
  }
}

function settingsOf({ config }: ConsumerInfo): QueueSettings {
  return {
    ackWaitMs: (config.ack_wait ?? 30e9) / 1e6,
    maxAttempts: (config.max_deliver ?? 0) > 0 ? (config.max_deliver as number) : 100,
    concurrency: config.max_ack_pending ?? 1_000,
  };
}
