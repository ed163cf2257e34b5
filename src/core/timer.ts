/**
 * Jobs that are to be queued later.
 *
 * A timer is a message that waits in a stream of its own: as long as it is there, its job has not been queued, or
 * nobody has noted yet that it was. So there is nothing else to keep, and nothing that could be at odds with it.
 */
import type { Following } from "./chain.js";
import type { PublishOutcome, StoredMessage, Subscription, WorkMessage } from "./ports.js";
import type { Instant } from "./schedule.js";

/** As much of a waiting job as is kept in memory. */
export interface Timer {
  /** Of its message. */
  seq: number;
  at: Instant;
  runId: string;
}

/** Timers lie by the minute in which they fall due. */
export const MINUTE_MS = 60_000;

export const minuteOf = (at: Instant): Instant => Math.floor(at / MINUTE_MS) * MINUTE_MS;

/** A job to be stored. */
export interface NewJob {
  runId: string;
  /** As it is to be in WORK. */
  work: WorkMessage;
  /** There it waits at the gate of its queue. */
  isAtGate?: boolean;
  /** Where it waits until it is due, and what it is known by there; absent: it is due now. */
  waiting?: { timer: string; message: WorkMessage };
  /** To be written before it is stored; absent: nothing follows upon it. */
  following?: Following;
}

export interface TimerStore {
  /** Never rejects, never repeats by itself. */
  put(message: WorkMessage): Promise<PublishOutcome>;
  /** Resolves when the window of unanswered puts has room. */
  ready(): Promise<void> | undefined;
  /** Every timer of a shard that is stored from now on. May lag, may repeat; what it loses is found by the others. */
  watch(shard: number, onTimer: (timer: Timer) => void): Promise<Subscription>;
  /** The minutes for which a shard has timers, in order. */
  minutes(shard: number): Promise<Instant[]>;
  /** The timers of one of its minutes: all that were acknowledged before. */
  of(shard: number, minute: Instant): Promise<Timer[]>;
  /** From the leader. */
  read(seq: number): Promise<StoredMessage | null>;
  /** Again is not an error. */
  remove(seq: number): Promise<void>;
}
