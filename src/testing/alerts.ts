/** Alerts in memory. */
import type { Alert, AlertBus } from "../core/alert.js";
import type { AlertRecord, AlertRecordKind, AlertStore, RecordId } from "../core/alert-store.js";
import type { CasOutcome, StoredMessage, Subscription } from "../core/ports.js";
import { encodeAlert } from "../protocol/alert-api.js";
import { alertKey, parseAlertKey } from "../protocol/names.js";
import { compareAndSwap, textOf } from "./cas.js";
import { type MemoryLink, subscription } from "./link.js";
import type { MemoryServer } from "./server.js";

const REMOVED = { "KV-Operation": "DEL" };

export class MemoryAlertStore implements AlertStore {
  readonly #server: MemoryServer;
  readonly #link: MemoryLink;

  constructor(server: MemoryServer, link: MemoryLink) {
    this.#server = server;
    this.#link = link;
  }

  get(id: RecordId): Promise<AlertRecord | null> {
    return this.#link.ask("alert record", () => {
      const message = this.#server.alerts.last(alertKey(id));
      return message === null ? null : recordIn(message);
    });
  }

  write(id: RecordId, text: string, revision: number): Promise<CasOutcome> {
    return this.#swap(id, text, revision);
  }

  remove(id: RecordId, revision: number): Promise<CasOutcome> {
    return this.#swap(id, "", revision, REMOVED);
  }

  erase(id: RecordId, revision: number): Promise<CasOutcome> {
    return this.remove(id, revision);
  }

  list(kind: AlertRecordKind): Promise<AlertRecord[]> {
    const { alerts } = this.#server;
    return this.#link.ask("alert records", () =>
      [...alerts.subjects()]
        .sort()
        .map((key) => recordIn(alerts.last(key) as StoredMessage))
        .filter((record) => record !== null)
        .filter((record) => record.kind === kind),
    );
  }

  watch(onChange: Parameters<AlertStore["watch"]>[0]): Promise<Subscription> {
    const { alerts } = this.#server;
    const tell = (message: StoredMessage) => {
      const id = parseAlertKey(message.subject);
      if (id === null || (id.kind !== "rule" && id.kind !== "heartbeat")) return;
      const text = isRemoval(message) ? null : textOf(message);
      this.#link.push(() => onChange({ ...id, text, revision: message.seq }));
    };
    return this.#link.ask("watch alerts", () => {
      const last = [...alerts.subjects()].map((key) => alerts.last(key) as StoredMessage);
      for (const message of last.sort((a, b) => a.seq - b.seq)) tell(message);
      return subscription(this.#link, alerts.onStored(tell));
    });
  }

  /** A record that was removed counts as one that never was. */
  #swap(
    id: RecordId,
    text: string,
    revision: number,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<CasOutcome> {
    const { alerts: stream, faults } = this.#server;
    const key = alertKey(id);
    const last = stream.last(key);
    const expected = revision === 0 && last !== null && isRemoval(last) ? last.seq : revision;
    const write = { stream, key, text, revision: expected, headers };
    return compareAndSwap(this.#server, this.#link, write, faults.alertWrite?.(key, text));
  }
}

const isRemoval = (message: StoredMessage): boolean => message.headers["KV-Operation"] !== undefined;

function recordIn(message: StoredMessage): AlertRecord | null {
  const id = parseAlertKey(message.subject);
  return id === null || isRemoval(message) ? null : { ...id, text: textOf(message), revision: message.seq };
}

export class MemoryAlertBus implements AlertBus {
  readonly #server: MemoryServer;
  readonly #link: MemoryLink;

  constructor(server: MemoryServer, link: MemoryLink) {
    this.#server = server;
    this.#link = link;
  }

  raise(alert: Alert): Promise<void> {
    const subject = this.#server.names.alert(alert.rule);
    const json = JSON.stringify(encodeAlert(alert));
    return this.#link.ask("alert", () => {
      for (const hear of this.#server.hearing) hear(subject, json);
    });
  }
}
