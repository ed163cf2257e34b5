/** The bucket of alerts. Keys are `<kind>.<name>`. */
import { DeliverPolicy, type JetStreamClient, type JetStreamManager } from "@nats-io/jetstream";
import type { KV } from "@nats-io/kv";
import type { AlertRecord, AlertRecordKind, AlertStore, RecordId } from "../core/alert-store.js";
import type { CasOutcome, Subscription } from "../core/ports.js";
import { alertKey, type Names, parseAlertKey } from "../protocol/names.js";
import { compareAndSwap, deletionMarker, readLatest } from "./cas.js";
import type { Publisher } from "./publisher.js";

export interface AlertStoreParts {
  js: JetStreamClient;
  jsm: JetStreamManager;
  bucket: KV;
  publisher: Publisher;
  names: Names;
}

const REMOVED = { "KV-Operation": "DEL" };
/** What people define; only of that changes are watched. */
const DEFINITIONS: readonly AlertRecordKind[] = ["rule", "heartbeat"];

export class NatsAlertStore implements AlertStore {
  readonly #parts: AlertStoreParts;

  constructor(parts: AlertStoreParts) {
    this.#parts = parts;
  }

  async get(id: RecordId): Promise<AlertRecord | null> {
    const entry = await readLatest(this.#parts.jsm, this.#parts.names.alerts, alertKey(id));
    return entry === null ? null : { ...id, ...entry };
  }

  write(id: RecordId, text: string, revision: number): Promise<CasOutcome> {
    return this.#swap(id, text, revision);
  }

  remove(id: RecordId, revision: number): Promise<CasOutcome> {
    return this.#swap(id, "", revision, REMOVED);
  }

  async erase(id: RecordId, revision: number): Promise<CasOutcome> {
    const outcome = await this.remove(id, revision);
    if (outcome.kind !== "stored") return outcome;
    const { jsm, names } = this.#parts;
    const filter = `$KV.${names.alerts.bucket}.${alertKey(id)}`;
    // Up to the marker: what somebody writes at this moment stays.
    await jsm.streams.purge(names.alerts.stream, { filter, seq: outcome.revision + 1 });
    return outcome;
  }

  async list(kind: AlertRecordKind): Promise<AlertRecord[]> {
    const { js, names } = this.#parts;
    const prefix = `$KV.${names.alerts.bucket}.`;
    const found: AlertRecord[] = [];
    const consumer = await js.consumers.get(names.alerts.stream, {
      filter_subjects: `${prefix}${kind}.>`,
      deliver_policy: DeliverPolicy.LastPerSubject,
    });
    try {
      if ((await consumer.info()).num_pending === 0) return found;
      const messages = await consumer.consume({ max_messages: 1_000 });
      for await (const message of messages) {
        const id = parseAlertKey(message.subject.slice(prefix.length));
        if (id !== null && !message.headers?.has("KV-Operation"))
          found.push({ ...id, text: message.string(), revision: message.seq });
        if (message.info.pending === 0) break;
      }
      await messages.close();
    } finally {
      // It would go by itself, but not for minutes.
      await consumer.delete().catch(() => {});
    }
    return found.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  async watch(onChange: Parameters<AlertStore["watch"]>[0]): Promise<Subscription> {
    const watches = await Promise.all(
      DEFINITIONS.map((kind) => this.#parts.bucket.watch({ key: `${kind}.>` })),
    );
    for (const watch of watches)
      void (async () => {
        for await (const entry of watch) {
          const id = parseAlertKey(entry.key);
          const text = entry.operation === "PUT" ? entry.string() : null;
          if (id !== null) onChange({ ...id, text, revision: entry.revision });
        }
      })();
    return {
      stop: async () => {
        for (const watch of watches) watch.stop();
      },
    };
  }

  /** A record that was removed counts as one that never was. */
  async #swap(
    id: RecordId,
    text: string,
    revision: number,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<CasOutcome> {
    const { jsm, publisher, names } = this.#parts;
    const key = alertKey(id);
    const swap = (expected: number) => compareAndSwap(publisher, names.alerts, key, text, expected, headers);
    const outcome = await swap(revision);
    if (outcome.kind !== "lost" || revision !== 0) return outcome;
    const marker = await deletionMarker(jsm, names.alerts, key);
    return marker === null ? outcome : swap(marker);
  }
}
