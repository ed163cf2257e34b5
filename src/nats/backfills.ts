/** Backfills in their bucket. */
import type { JetStreamManager } from "@nats-io/jetstream";
import type { KV } from "@nats-io/kv";
import type { Backfill, BackfillStore } from "../core/backfill.js";
import type { CasOutcome, Subscription, Versioned } from "../core/ports.js";
import { decodeBackfill, encodeBackfill } from "../protocol/backfill.js";
import type { Names } from "../protocol/names.js";
import { compareAndSwap, readLatest } from "./cas.js";
import type { Publisher } from "./publisher.js";

export class NatsBackfillStore implements BackfillStore {
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

  async get(id: string): Promise<Versioned<Backfill> | null> {
    const entry = await readLatest(this.#jsm, this.#names.backfills, id);
    return entry === null ? null : { value: decodeBackfill(entry.text, id), revision: entry.revision };
  }

  write(id: string, backfill: Backfill, revision: number): Promise<CasOutcome> {
    const text = encodeBackfill(backfill);
    return compareAndSwap(this.#publisher, this.#names.backfills, id, text, revision);
  }

  async list(): Promise<{ id: string; backfill: Backfill }[]> {
    const ids: string[] = [];
    for await (const id of await this.#bucket.keys()) ids.push(id);
    const found = await Promise.all(
      ids.map(async (id) => ({ id, entry: await readLatest(this.#jsm, this.#names.backfills, id) })),
    );
    return found.flatMap(({ id, entry }) => {
      const backfill = entry === null ? null : readable(id, entry.text);
      return backfill === null ? [] : [{ id, backfill }];
    });
  }

  async watch(onChange: (id: string, backfill: Backfill) => void): Promise<Subscription> {
    const watch = await this.#bucket.watch();
    void (async () => {
      for await (const entry of watch) {
        const backfill = entry.operation === "PUT" ? readable(entry.key, entry.string()) : null;
        if (backfill !== null) onChange(entry.key, backfill);
      }
    })();
    return { stop: async () => watch.stop() };
  }
}

/** Anyone with the rights can write into the bucket: what is no backfill must not end the watch, nor hide the others. */
function readable(id: string, text: string): Backfill | null {
  try {
    return decodeBackfill(text, id);
  } catch {
    return null;
  }
}
