/** Dead letters as they lie in their stream, for those who look after them. */
import type { StoredMessage } from "./ports.js";

/** A letter without its body; `seq` is its id. */
export type LetterHead = Omit<StoredMessage, "body"> & { bodyBytes: number };

/** Ids from `from` on, and before `before`. */
export interface LetterRange {
  /** Default: every queue. */
  queue?: string | undefined;
  from: number;
  before: number;
}

export interface DeadLetterStore {
  /** From the leader. */
  at(id: number): Promise<StoredMessage | null>;
  /** Whether it was there. */
  remove(id: number): Promise<boolean>;
  /** Every letter has an id from `first` on, and before `next`, which the next one will have. */
  bounds(): Promise<{ first: number; next: number }>;
  /** The letters of a range, the oldest first, until `visit` has seen enough and returns false. */
  scan(range: LetterRange, visit: (letter: LetterHead) => boolean): Promise<void>;
}

/** What the server itself tells of jobs that it stored in WORK. */
export interface QueuedJobs {
  /**
   * Whether the run's job was stored under this subject of WORK, not before an instant of the server's clock.
   *
   * @param life of the run that it follows upon; default any
   */
  has(workSubject: string, runId: string, since: number, life?: number): Promise<boolean>;
}

/** A message of WORK that no consumer will deliver again, or may not. */
export interface StuckMessage extends Omit<StoredMessage, "body"> {
  /** Deliveries that its consumer allows. */
  attempts: number;
  /** Whether the server tells RUNS what its consumer was acknowledged; if not, this one may be done without a trace. */
  areAcksTold: boolean;
  /** It was delivered, and its consumer may still wait for its acknowledgement: it is stuck only if it is over. */
  mayBeInHand: boolean;
}

export interface StuckMessages {
  /**
   * Those that seem to be stuck. One that is being acknowledged at this moment may be among them: stuck is what is
   * found again, for a while.
   *
   * @param anew also where there was nothing when it was last looked for, and with those that may be in hand: the server
   * may have been killed since
   */
  find(anew?: boolean): Promise<StuckMessage[]>;
}
