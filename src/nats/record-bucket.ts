/** Records of a bucket, each written by compare-and-swap and removed without a trace. */
import type { JetStreamManager } from "@nats-io/jetstream";
import type { CasOutcome } from "../core/ports.js";
import type { Instant } from "../core/schedule.js";
import { compareAndSwap, deletionMarker, readLatest } from "./cas.js";
import type { Publisher } from "./publisher.js";

const REMOVED = { "KV-Operation": "DEL" };

export interface StoredText {
  text: string;
  revision: number;
  /** By the server's clock. */
  storedAt: Instant;
}

export class RecordBucket {
  readonly #jsm: JetStreamManager;
  readonly #publisher: Publisher;
  readonly #name: { bucket: string; stream: string };

  constructor(jsm: JetStreamManager, publisher: Publisher, name: { bucket: string; stream: string }) {
    this.#jsm = jsm;
    this.#publisher = publisher;
    this.#name = name;
  }

  /** From the leader. */
  get(key: string): Promise<StoredText | null> {
    return readLatest(this.#jsm, this.#name, key);
  }

  /** A record that was removed counts as one that never was. */
  async write(
    key: string,
    text: string,
    revision: number,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<CasOutcome> {
    const swap = (expected: number) =>
      compareAndSwap(this.#publisher, this.#name, key, text, expected, headers);
    const outcome = await swap(revision);
    if (outcome.kind !== "lost" || revision !== 0) return outcome;
    const marker = await deletionMarker(this.#jsm, this.#name, key);
    return marker === null ? outcome : swap(marker);
  }

  /** Who watches is told. */
  remove(key: string, revision: number): Promise<CasOutcome> {
    return this.write(key, "", revision, REMOVED);
  }

  /** Nothing is left of it. */
  async erase(key: string, revision: number): Promise<CasOutcome> {
    const outcome = await this.remove(key, revision);
    if (outcome.kind === "stored") await this.#drop(key, outcome.revision);
    return outcome;
  }

  /** Keys that begin with tokens, also of records that were removed and have left their marker. From the leader. */
  async keys(prefix: string): Promise<string[]> {
    const start = `$KV.${this.#name.bucket}.`;
    const query = { subjects_filter: `${start}${prefix}.>` };
    const { state } = await this.#jsm.streams.info(this.#name.stream, query);
    return Object.keys(state.subjects ?? {}).map((subject) => subject.slice(start.length));
  }

  /** Removes the marker of a record that was removed, if there is one. */
  async clear(key: string): Promise<void> {
    const marker = await deletionMarker(this.#jsm, this.#name, key);
    if (marker !== null) await this.#drop(key, marker);
  }

  /**
   * What somebody writes at this moment takes the place of the marker, and stays. Not by a purge of the key: with
   * nats-server 2.9, watchers of the bucket would never hear of what they have not been sent yet.
   */
  async #drop(key: string, marker: number): Promise<void> {
    try {
      await this.#jsm.streams.deleteMessage(this.#name.stream, marker, false);
    } catch (error) {
      if ((await deletionMarker(this.#jsm, this.#name, key)) === marker) throw error;
    }
  }
}
