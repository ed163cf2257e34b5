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
  /** Removes if the revision is still this one; nothing is left of it, unless that is cut off. */
  erase(key: string, revision: number): Promise<CasOutcome>;
  /** Of all records of a shard, and of those of which something is left. From the leader. */
  keys(shard: number): Promise<string[]>;
  /** Removes what is left of a record that was erased. */
  clear(key: string): Promise<void>;
  /** Every record and every change, in order; one may be left out. May lag, and what is there already may come after it resolves. */
  watch(onChange: (change: ChainChange) => void): Promise<Subscription>;
}
