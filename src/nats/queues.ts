/** Settings of queues in their bucket, and the durable consumers of the lanes of a queue: made here when missing. */
import type { JetStreamManager } from "@nats-io/jetstream";
import type { KV } from "@nats-io/kv";
import { PunctualError } from "../core/errors.js";
import type { CasOutcome, Subscription } from "../core/ports.js";
import {
  type QueueChange,
  type QueueRecord,
  type QueueRequest,
  type QueueSettings,
  type QueueStore,
  settingsOf,
} from "../core/queue.js";
import { checkQueue, type Names } from "../protocol/names.js";
import { encodeQueue, readQueueRecord } from "../protocol/queue-input.js";
import { compareAndSwap, deletionMarker, readLatest } from "./cas.js";
import type { Publisher } from "./publisher.js";
import type { NatsQueueConsumers } from "./queue-consumers.js";

interface QueueStoreParts {
  jsm: JetStreamManager;
  names: Names;
  bucket: KV;
  publisher: Publisher;
  consumers: NatsQueueConsumers;
}

const REMOVED = { "KV-Operation": "DEL" };
/** Somebody else may write the same record at the same moment. */
const TRIES = 5;

export class NatsQueueStore implements QueueStore {
  readonly #parts: QueueStoreParts;

  constructor(parts: QueueStoreParts) {
    this.#parts = parts;
  }

  async ensure(queue: string, asked: QueueRequest = {}): Promise<QueueSettings> {
    checkQueue(queue);
    const settings = (await this.#recordFor(queue, asked))?.settings ?? settingsOf({});
    await this.#parts.consumers.ensure(queue, settings);
    return settings;
  }

  async get(queue: string): Promise<QueueRecord | null> {
    try {
      const entry = await readLatest(this.#parts.jsm, this.#parts.names.queues, queue);
      return entry === null ? null : readQueueRecord(queue, entry.text, entry.revision);
    } catch (error) {
      throw new PunctualError("unavailable", `queue ${queue}: cannot be read`, { cause: error });
    }
  }

  write(queue: string, asked: QueueRequest, revision: number): Promise<CasOutcome> {
    return this.#swap(queue, encodeQueue(asked), revision);
  }

  remove(queue: string, revision: number): Promise<CasOutcome> {
    return this.#swap(queue, "", revision, REMOVED);
  }

  async list(): Promise<QueueRecord[]> {
    const queues: string[] = [];
    for await (const key of await this.#parts.bucket.keys()) queues.push(key);
    const records = await Promise.all(queues.sort().map((queue) => this.get(queue)));
    return records.filter((record) => record !== null);
  }

  async watch(onChange: (change: QueueChange) => void, only?: string): Promise<Subscription> {
    const watch = await this.#parts.bucket.watch(only === undefined ? {} : { key: only });
    void (async () => {
      for await (const entry of watch) {
        const { key: queue, operation, revision } = entry;
        const record = operation === "PUT" ? readQueueRecord(queue, entry.string(), revision) : null;
        onChange({ queue, record });
      }
    })();
    return { stop: async () => watch.stop() };
  }

  async #recordFor(queue: string, asked: QueueRequest): Promise<QueueRecord | null> {
    for (let tries = 0; tries < TRIES; tries++) {
      const existing = await this.get(queue);
      if (existing !== null || Object.keys(asked).length === 0) return existing;
      const outcome = await this.write(queue, asked, 0);
      if (outcome.kind === "stored")
        return { queue, asked, settings: settingsOf(asked), revision: outcome.revision };
    }
    throw new PunctualError("unavailable", `queue ${queue}: its settings could not be stored`);
  }

  /** A key that was removed counts as one that never was. */
  async #swap(
    queue: string,
    text: string,
    revision: number,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<CasOutcome> {
    const { jsm, publisher, names } = this.#parts;
    const swap = (expected: number) =>
      compareAndSwap(publisher, names.queues, queue, text, expected, headers);
    const outcome = await swap(revision);
    if (outcome.kind !== "lost" || revision !== 0) return outcome;
    const marker = await deletionMarker(jsm, names.queues, queue);
    return marker === null ? outcome : swap(marker);
  }
}
