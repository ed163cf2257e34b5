/** Timers that were fired, many in one record, for whoever takes over. */

export interface FiredRecord {
  queue: string;
  /** Their sequences in TIMERS. */
  timers: readonly number[];
}

export interface FiredRecords {
  /** Resolves when the record is stored; a repeat says the same. */
  appendFired(record: FiredRecord): Promise<void>;
}
