/** Lease records in their bucket; every write is a compare-and-swap. */
import { DeliverPolicy, type JetStreamClient, type JetStreamManager, type JsMsg } from "@nats-io/jetstream";
import type { LeaseRecord } from "../core/lease.js";
import type { CasOutcome, LeaseHint, LeaseStore, Subscription, Versioned } from "../core/ports.js";
import type { Names } from "../protocol/names.js";
import { decodeLease, encodeLease } from "../protocol/stored.js";
import { compareAndSwap, readLatest } from "./cas.js";
import type { Publisher } from "./publisher.js";

/** The brief of a record, for those who only watch. */
const HOLDER = "Punctual-Holder";
const TERM = "Punctual-Term";

export class NatsLeaseStore implements LeaseStore {
  readonly #js: JetStreamClient;
  readonly #jsm: JetStreamManager;
  readonly #publisher: Publisher;
  readonly #names: Names;

  constructor(js: JetStreamClient, jsm: JetStreamManager, publisher: Publisher, names: Names) {
    this.#js = js;
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
    const brief = { [HOLDER]: record.holder ?? "", [TERM]: String(record.term) };
    return compareAndSwap(this.#publisher, this.#names.leases, key, encodeLease(record), revision, brief);
  }

  /** Headers only: a record of a busy shard is large, and every orchestrator watches all of them. */
  async watch(onChange: (hint: LeaseHint) => void): Promise<Subscription> {
    const { bucket, stream } = this.#names.leases;
    const prefix = `$KV.${bucket}.${this.#names.leaseKeyPrefix}`;
    const consumer = await this.#js.consumers.getPushConsumer(stream, {
      filter_subjects: `${prefix}*`,
      deliver_policy: DeliverPolicy.LastPerSubject,
      headers_only: true,
    });
    const messages = await consumer.consume({
      callback: (message) => onChange(hintOf(message, Number(message.subject.slice(prefix.length)))),
    });
    return { stop: async () => void (await messages.close()) };
  }
}

function hintOf(message: JsMsg, shard: number): LeaseHint {
  const holder = message.headers?.get(HOLDER) ?? "";
  const term = Number(message.headers?.get(TERM));
  return { shard, holder: holder === "" ? null : holder, term, revision: message.seq };
}
