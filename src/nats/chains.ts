/** The bucket of chains and groups. */
import type { JetStreamManager } from "@nats-io/jetstream";
import type { KV } from "@nats-io/kv";
import type { ChainRecord } from "../core/chain.js";
import type { ChainChange, ChainStore, StoredChain } from "../core/chain-store.js";
import type { CasOutcome, Subscription } from "../core/ports.js";
import type { Names } from "../protocol/names.js";
import { decodeChain, encodeChain } from "../protocol/stored-chain.js";
import type { Publisher } from "./publisher.js";
import { RecordBucket } from "./record-bucket.js";

export class NatsChainStore implements ChainStore {
  readonly #records: RecordBucket;
  readonly #bucket: KV;

  constructor(jsm: JetStreamManager, bucket: KV, publisher: Publisher, names: Names) {
    this.#records = new RecordBucket(jsm, publisher, names.chains);
    this.#bucket = bucket;
  }

  async get(key: string): Promise<StoredChain | null> {
    const stored = await this.#records.get(key);
    const record = stored === null ? null : decodeChain(stored.text);
    if (stored === null || record === null) return null;
    return { record, revision: stored.revision, storedAt: stored.storedAt };
  }

  write(key: string, record: ChainRecord, revision: number): Promise<CasOutcome> {
    return this.#records.write(key, encodeChain(record), revision);
  }

  erase(key: string, revision: number): Promise<CasOutcome> {
    return this.#records.erase(key, revision);
  }

  keys(shard: number): Promise<string[]> {
    return this.#records.keys(String(shard));
  }

  clear(key: string): Promise<void> {
    return this.#records.clear(key);
  }

  async watch(onChange: (change: ChainChange) => void): Promise<Subscription> {
    const watch = await this.#bucket.watch();
    void (async () => {
      for await (const entry of watch) {
        const { key, operation, revision, created } = entry;
        const record = operation === "PUT" ? decodeChain(entry.string()) : null;
        onChange({ key, record, revision, storedAt: created.getTime() });
      }
    })();
    return { stop: async () => watch.stop() };
  }
}
