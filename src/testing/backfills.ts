/** Backfills in memory. */
import type { Backfill, BackfillStore } from "../core/backfill.js";
import type { CasOutcome, StoredMessage, Subscription, Versioned } from "../core/ports.js";
import { decodeBackfill, encodeBackfill } from "../protocol/backfill.js";
import { compareAndSwap, textOf } from "./cas.js";
import { type MemoryLink, subscription } from "./link.js";
import type { MemoryServer } from "./server.js";

export class MemoryBackfillStore implements BackfillStore {
  readonly #server: MemoryServer;
  readonly #link: MemoryLink;

  constructor(server: MemoryServer, link: MemoryLink) {
    this.#server = server;
    this.#link = link;
  }

  get(id: string): Promise<Versioned<Backfill> | null> {
    return this.#link.ask("backfill", () => {
      const message = this.#server.backfills.last(id);
      return message === null ? null : { value: read(message), revision: message.seq };
    });
  }

  write(id: string, backfill: Backfill, revision: number): Promise<CasOutcome> {
    const { backfills, faults } = this.#server;
    const write = { stream: backfills, key: id, text: encodeBackfill(backfill), revision };
    return compareAndSwap(this.#server, this.#link, write, faults.backfillWrite?.(id, backfill));
  }

  list(): Promise<{ id: string; backfill: Backfill }[]> {
    return this.#link.ask("backfills", () => this.#all().map((message) => entryOf(message)));
  }

  watch(onChange: (id: string, backfill: Backfill) => void): Promise<Subscription> {
    const tell = (message: StoredMessage) => this.#link.push(() => onChange(message.subject, read(message)));
    return this.#link.ask("watch backfills", () => {
      for (const message of this.#all()) tell(message);
      return subscription(this.#link, this.#server.backfills.onStored(tell));
    });
  }

  #all(): StoredMessage[] {
    const { backfills } = this.#server;
    return [...backfills.subjects()].map((id) => backfills.last(id) as StoredMessage);
  }
}

const read = (message: StoredMessage): Backfill => decodeBackfill(textOf(message), message.subject);
const entryOf = (message: StoredMessage) => ({ id: message.subject, backfill: read(message) });
