/** Lease records in their bucket; every write is a compare-and-swap. */
import type { JetStreamManager } from "@nats-io/jetstream";
import type { KV } from "@nats-io/kv";
import type { LeaseRecord } from "../core/lease.js";
import type { CasOutcome, LeaseStore, Subscription, Versioned } from "../core/ports.js";
import type { Names } from "../protocol/names.js";
import { decodeLease, encodeLease } from "../protocol/stored.js";
import { compareAndSwap, readLatest } from "./cas.js";
import type { Publisher } from "./publisher.js";

export class NatsLeaseStore implements LeaseStore {
  readonly #bucket: KV;
  readonly #jsm: JetStreamManager;
  readonly #publisher: Publisher;
  readonly #names: Names;

  constructor(bucket: KV, jsm: JetStreamManager, publisher: Publisher, names: Names) {
    this.#bucket = bucket;
    this.#jsm = jsm;
    this.#publisher = publisher;
    this.#names = names;
  }

  async read(shard: number): Promise<Versioned<LeaseRecord> | null> {
    const key = this.#names.leaseKey(shard);
    const entry = await readLatest(this.#jsm, this.#names.leases, key);
    return entry === null ? null : { value: decodeLease(entry.text, key), revision: entry.revision };
  }

  write(shard: number, record: LeaseRecord, revision: number): Promise<CasOutcome> {
    const key = this.#names.leaseKey(shard);
    return compareAndSwap(this.#publisher, this.#names.leases, key, encodeLease(record), revision);
  }

  async watch(onChange: (shard: number, lease: Versioned<LeaseRecord>) => void): Promise<Subscription> {
    const watch = await this.#bucket.watch({ key: "shard.*" });
    void (async () => {
      for await (const entry of watch) {
        if (entry.operation !== "PUT") continue;
        const shard = Number(entry.key.slice("shard.".length));
        onChange(shard, { value: decodeLease(entry.string(), entry.key), revision: entry.revision });
      }
    })();
    return { stop: async () => watch.stop() };
  }
}
