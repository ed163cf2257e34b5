/** Where chains and groups are kept. Keys begin with the number of a shard. */
import type { ChainRecord } from "./chain.js";
import type { CasOutcome, Subscription } from "./ports.js";
import type { Instant } from "./schedule.js";

export interface StoredChain {
  record: ChainRecord;
  revision: number;
  /** By the server's clock. */
  storedAt: Instant;
}

export interface ChainChange {
  key: string;
  /** Null: it was removed, or cannot be read. */
  record: ChainRecord | null;
  revision: number;
  /** By the server's clock. */
  storedAt: Instant;
}

export interface ChainStore {
  /** From the leader. Null: there is none that can be read. */
  get(key: string): Promise<StoredChain | null>;
  /** Writes if the revision is still this one; 0: if there is none. */
  write(key: string, record: ChainRecord, revision: number): Promise<CasOutcome>;
  /** Removes if the revision is still this one; nothing is left of it. */
  erase(key: string, revision: number): Promise<CasOutcome>;
  /** Every record and every change, in order. May lag, and what is there already may come after it resolves. */
  watch(onChange: (change: ChainChange) => void): Promise<Subscription>;
}
