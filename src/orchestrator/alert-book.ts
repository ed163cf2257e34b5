/** The alert rules and expected heartbeats of the namespace, as they are now. */
import type { AlertRule } from "../core/alert-rule.js";
import type { AlertRecord, AlertStore, RecordId } from "../core/alert-store.js";
import { messageOf } from "../core/errors.js";
import type { Heartbeat } from "../core/heartbeat.js";
import type { Subscription } from "../core/ports.js";
import { decodeRule } from "../protocol/alert-input.js";
import { decodeHeartbeat } from "../protocol/heartbeat-input.js";
import type { Logger } from "../runtime/log.js";

export interface AlertBookPorts {
  alertStore: AlertStore;
  log: Logger;
}

interface Known<T> {
  /** Null: it was removed, or cannot be read. */
  value: T | null;
  revision: number;
}

type Change = RecordId & { text: string | null; revision: number };

export class AlertBook {
  readonly #ports: AlertBookPorts;
  readonly #rules = new Map<string, Known<AlertRule>>();
  readonly #heartbeats = new Map<string, Known<Heartbeat>>();

  constructor(ports: AlertBookPorts) {
    this.#ports = ports;
  }

  follow(): Promise<Subscription> {
    return this.#ports.alertStore.watch((change) => this.#note(change));
  }

  /** Everything that is stored now is known: a watch may lag. */
  async load(): Promise<void> {
    for (const kind of ["rule", "heartbeat"] as const)
      for (const record of await this.#ports.alertStore.list(kind)) this.#note(record);
  }

  get rules(): AlertRule[] {
    return valuesOf(this.#rules);
  }

  get heartbeats(): Heartbeat[] {
    return valuesOf(this.#heartbeats);
  }

  #note(change: Change | AlertRecord): void {
    if (change.kind === "rule") this.#put(this.#rules, change, decodeRule);
    if (change.kind === "heartbeat") this.#put(this.#heartbeats, change, decodeHeartbeat);
  }

  #put<T>(known: Map<string, Known<T>>, change: Change, decode: (name: string, text: string) => T): void {
    const { name, text, revision } = change;
    if ((known.get(name)?.revision ?? 0) >= revision) return;
    known.set(name, { value: text === null ? null : this.#read(change, text, decode), revision });
  }

  /** Anyone with the rights can write into the bucket. */
  #read<T>({ kind, name }: RecordId, text: string, decode: (name: string, text: string) => T): T | null {
    try {
      return decode(name, text);
    } catch (error) {
      this.#ports.log.error(
        { [kind]: name, error: messageOf(error) },
        `a stored ${kind} cannot be read: it does nothing`,
      );
      return null;
    }
  }
}

const valuesOf = <T>(known: ReadonlyMap<string, Known<T>>): T[] =>
  [...known.values()].flatMap(({ value }) => (value === null ? [] : [value]));
