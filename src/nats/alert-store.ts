/** The bucket of alerts. Keys are `<kind>.<name>`. */
import { DeliverPolicy, type JetStreamClient, type JetStreamManager } from "@nats-io/jetstream";
import type { KV } from "@nats-io/kv";
import type { AlertRecord, AlertRecordKind, AlertStore, RecordId } from "../core/alert-store.js";
import type { CasOutcome, Subscription } from "../core/ports.js";
import { alertKey, type Names, parseAlertKey } from "../protocol/names.js";
import type { Publisher } from "./publisher.js";
import { RecordBucket } from "./record-bucket.js";
import { scan } from "./scan.js";

export interface AlertStoreParts {
  js: JetStreamClient;
  jsm: JetStreamManager;
  bucket: KV;
  publisher: Publisher;
  names: Names;
}

/** What people define; only of that changes are watched. */
const DEFINITIONS: readonly AlertRecordKind[] = ["rule", "heartbeat"];

export class NatsAlertStore implements AlertStore {
  readonly #parts: AlertStoreParts;
  readonly #records: RecordBucket;

  constructor(parts: AlertStoreParts) {
    const { jsm, publisher, names } = parts;
    this.#parts = parts;
    this.#records = new RecordBucket(jsm, publisher, names.alerts);
  }

  async get(id: RecordId): Promise<AlertRecord | null> {
    const stored = await this.#records.get(alertKey(id));
    return stored === null ? null : { ...id, text: stored.text, revision: stored.revision };
  }

  write(id: RecordId, text: string, revision: number): Promise<CasOutcome> {
    return this.#records.write(alertKey(id), text, revision);
  }

  remove(id: RecordId, revision: number): Promise<CasOutcome> {
    return this.#records.remove(alertKey(id), revision);
  }

  erase(id: RecordId, revision: number): Promise<CasOutcome> {
    return this.#records.erase(alertKey(id), revision);
  }

  async list(kind: AlertRecordKind): Promise<AlertRecord[]> {
    const { js, names } = this.#parts;
    const prefix = `$KV.${names.alerts.bucket}.`;
    const found: AlertRecord[] = [];
    const from = { filter_subjects: `${prefix}${kind}.>`, deliver_policy: DeliverPolicy.LastPerSubject };
    await scan({ js, stream: names.alerts.stream, from }, (message) => {
      const id = parseAlertKey(message.subject.slice(prefix.length));
      if (id !== null && !message.headers?.has("KV-Operation"))
        found.push({ ...id, text: message.string(), revision: message.seq });
      return false;
    });
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
}
