/**
 * Queues: a durable consumer for each lane that is worked, `work` and `low`. That of `work` keeps the queue's settings,
 * that of `low` is made like it.
 */
import { AckPolicy, type ConsumerInfo, DeliverPolicy, type JetStreamManager } from "@nats-io/jetstream";
import { nanos } from "@nats-io/transport-node";
import { PunctualError } from "../core/errors.js";
import type { QueueSettings, QueueStore } from "../core/ports.js";
import { checkQueue, type Lane, type Names } from "../protocol/names.js";
import { isMissing } from "./refusal.js";

export const defaultQueue: QueueSettings = { ackWaitMs: 30_000, maxAttempts: 5, concurrency: 1_000 };

export class NatsQueueStore implements QueueStore {
  readonly #jsm: JetStreamManager;
  readonly #names: Names;
  readonly #seen = new Set<string>();

  constructor(jsm: JetStreamManager, names: Names) {
    this.#jsm = jsm;
    this.#names = names;
  }

  async ensure(queue: string, settings: Partial<QueueSettings> = {}): Promise<QueueSettings> {
    checkQueue(queue);
    const existing = await this.get(queue);
    const made = existing ?? (await this.#make(queue, "work", { ...defaultQueue, ...settings }));
    if (!(await this.#exists(queue, "low"))) await this.#make(queue, "low", made);
    return made;
  }

  async get(queue: string): Promise<QueueSettings | null> {
    const info = await this.#read(queue, "work");
    return info === null ? null : settingsOf(info);
  }

  async #make(queue: string, lane: Lane, settings: QueueSettings): Promise<QueueSettings> {
    const { ackWaitMs, maxAttempts, concurrency } = settings;
    const made = await this.#jsm.consumers.add(this.#names.work, {
      durable_name: this.#names.consumer(queue, lane),
      filter_subject: this.#names.queueSubjects(queue, lane),
      ack_policy: AckPolicy.Explicit,
      deliver_policy: DeliverPolicy.All,
      ack_wait: nanos(ackWaitMs),
      max_deliver: maxAttempts,
      max_ack_pending: concurrency,
      sample_freq: "100",
    });
    return settingsOf(made);
  }

  /** Asked of the server until it is so once. */
  async #exists(queue: string, lane: Lane): Promise<boolean> {
    const name = this.#names.consumer(queue, lane);
    if (this.#seen.has(name)) return true;
    if ((await this.#read(queue, lane)) === null) return false;
    this.#seen.add(name);
    return true;
  }

  async #read(queue: string, lane: Lane): Promise<ConsumerInfo | null> {
    try {
      return await this.#jsm.consumers.info(this.#names.work, this.#names.consumer(queue, lane));
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
