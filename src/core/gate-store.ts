/** What a gate needs to know of WORK and of RUNS, beside what every publisher does. */
import type { GateHead } from "./gate-line.js";
import type { Subscription } from "./ports.js";
import type { Instant } from "./schedule.js";

export interface Waiting extends GateHead {
  runId: string;
  /** When the server stored it. */
  storedAt: Instant;
}

export interface WaitingQuery {
  /** Only those that were stored after this sequence. */
  after: number;
  limit: number;
  /** Only those of this key. Default: all. */
  key?: string;
}

export interface GateStore {
  /** The jobs that wait at a queue's gate, in the order of storing, none left out. From the leader. */
  waiting(queue: string, query: WaitingQuery): Promise<Waiting[]>;
  /** How many wait at a queue's gate. */
  count(queue: string): Promise<number>;
  /** The queue of the next job that waits, of all queues, from a sequence on. Null: there is none. */
  nextQueue(from: number): Promise<{ queue: string; seq: number } | null>;
  /** Of WORK: what is stored from now on comes after it. From the leader. */
  lastSequence(): Promise<number>;
  /** Hints, once, that a job came to a queue's gate. */
  onArrival(queue: string, arrived: () => void): Subscription;
  /** Hints that messages have left the lane `work` of a queue, by their sequences. Some are lost. */
  onDeparture(queue: string, departed: (seq: number) => void): Subscription;
  /** Tells, once, of each fire and job that was stored in a lane of a queue and has not waited at its gate. Some are lost. */
  onBypass(queue: string, bypassed: () => void): Subscription;
  /** RUNS says of no job of the queue that it was stored in a lane since; 0: of none at all. */
  quietSince(queue: string): Promise<Instant>;
}
