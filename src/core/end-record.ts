/** Ends of runs, many in one record: an event of its own for each would cost more than a short job. */

/** A run that succeeded. */
export interface RunEnd {
  runId: string;
  /** Sequence of its message in WORK. */
  seq: number;
  /** 1 for the first. */
  attempt: number;
  durationMs: number;
  /** What its handler returned; undefined: nothing. */
  result?: unknown;
}

/** Ends that one worker tells together. */
export interface EndRecord {
  queue: string;
  /** Id of the worker. */
  worker: string;
  /** Repeats under the same id are refused by the server. */
  msgId: string;
  ends: readonly RunEnd[];
}

export interface EndRecords {
  /** Resolves when the record is stored; a repeat is not an error. */
  appendEnds(record: EndRecord): Promise<void>;
}
