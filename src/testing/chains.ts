/** Chains and groups in memory. */
import type { ChainRecord } from "../core/chain.js";
import type { ChainChange, ChainStore, StoredChain } from "../core/chain-store.js";
import type { CasOutcome, StoredMessage, Subscription } from "../core/ports.js";
import { decodeChain, encodeChain } from "../protocol/stored-chain.js";
import { compareAndSwap, textOf } from "./cas.js";
import { type MemoryLink, subscription } from "./link.js";
import type { MemoryServer } from "./server.js";

const REMOVED = { "KV-Operation": "DEL" };

export class MemoryChainStore implements ChainStore {
  readonly #server: MemoryServer;
  readonly #link: MemoryLink;

  constructor(server: MemoryServer, link: MemoryLink) {
    this.#server = server;
    this.#link = link;
  }

  get(key: string): Promise<StoredChain | null> {
    return this.#link.ask("chain", () => {
      const message = this.#server.chains.last(key);
      const record = message === null ? null : recordIn(message);
      if (message === null || record === null) return null;
      return { record, revision: message.seq, storedAt: message.storedAt };
    });
  }

  write(key: string, record: ChainRecord, revision: number): Promise<CasOutcome> {
    return this.#swap(key, encodeChain(record), revision);
  }

  async erase(key: string, revision: number): Promise<CasOutcome> {
    const outcome = await this.#swap(key, "", revision, REMOVED);
    if (outcome.kind === "stored") await this.clear(key);
    return outcome;
  }

  keys(shard: number): Promise<string[]> {
    const { chains } = this.#server;
    return this.#link.ask("keys of chains", () =>
      [...chains.subjects()].filter((key) => key.startsWith(`${shard}.`)),
    );
  }

  clear(key: string): Promise<void> {
    return this.#link.ask("clear chain", () => {
      const last = this.#server.chains.last(key);
      if (last !== null && isRemoval(last)) this.#server.chains.remove(last.seq);
    });
  }

  watch(onChange: (change: ChainChange) => void): Promise<Subscription> {
    const { chains } = this.#server;
    const tell = (message: StoredMessage) => {
      const { subject: key, seq: revision, storedAt } = message;
      const change = { key, record: recordIn(message), revision, storedAt };
      this.#link.push(() => onChange(change));
    };
    return this.#link.ask("watch chains", () => {
      const last = [...chains.subjects()].map((key) => chains.last(key) as StoredMessage);
      for (const message of last.sort((a, b) => a.seq - b.seq)) tell(message);
      return subscription(this.#link, chains.onStored(tell));
    });
  }

  /** A record that was removed counts as one that never was. */
  #swap(
    key: string,
    text: string,
    revision: number,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<CasOutcome> {
    const { chains: stream, faults } = this.#server;
    const last = stream.last(key);
    const expected = revision === 0 && last !== null && isRemoval(last) ? last.seq : revision;
    const write = { stream, key, text, revision: expected, headers };
    return compareAndSwap(this.#server, this.#link, write, faults.chainWrite?.(key, text));
  }
}

const isRemoval = (message: StoredMessage): boolean => message.headers["KV-Operation"] !== undefined;

const recordIn = (message: StoredMessage): ChainRecord | null =>
  isRemoval(message) ? null : decodeChain(textOf(message));
