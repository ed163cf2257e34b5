/** Queues: what may be set of one, and the ports through which settings are kept and consumers follow them. */
import type { Instant } from "./instant.js";
import type { Lane } from "./lane.js";
import { isPausedAt } from "./policies.js";
import type { CasOutcome, Subscription } from "./ports.js";

/** What of its runs is told to RUNS: all, how they ended, nothing by workers. */
export const historyLevels = ["full", "outcome", "off"] as const;
export type HistoryLevel = (typeof historyLevels)[number];

/** A token bucket: `limit` jobs in `periodMs`, and after a rest up to `burst` at once. */
export interface RateLimit {
  limit: number;
  periodMs: number;
  burst: number;
}

/** Of the jobs with one `Punctual-Key`. */
export interface KeyLimits {
  /** Jobs of a key that may run at once. Undefined: no limit. */
  concurrency?: number | undefined;
  rate?: RateLimit | undefined;
  /** One after another, in the order in which they were accepted. */
  order: boolean;
}

export interface QueueSettings {
  /** Redelivery when a worker was silent for this long. */
  ackWaitMs: number;
  /** Deliveries of one message, the first included. Jobs may ask for fewer, not more. */
  maxAttempts: number;
  /** Waits after the ack wait has run out, the last for all further attempts; empty: none. For bare workers. */
  backoffMs: readonly number[];
  /** Jobs of one lane of this queue that may run at once, over all workers. */
  concurrency: number;
  paused: boolean;
  /** Undefined: until it is resumed. */
  pausedUntil?: Instant | undefined;
  /** For people. */
  note?: string | undefined;
  /** Jobs that may be in the queue, running ones included. Undefined: no limit. */
  maxDepth?: number | undefined;
  history: HistoryLevel;
  /** Of the queue as a whole. Undefined: none. */
  rate?: RateLimit | undefined;
  perKey?: KeyLimits | undefined;
}

/** What was asked of a queue; the rest is as by default. */
export type QueueRequest = { [Field in keyof QueueSettings]?: QueueSettings[Field] | undefined };

export const defaultQueueSettings: QueueSettings = {
  ackWaitMs: 10_000,
  maxAttempts: 5,
  backoffMs: [],
  concurrency: 1_000,
  paused: false,
  history: "full",
};

export function settingsOf(asked: QueueRequest): QueueSettings {
  const given = Object.entries(asked).filter(([, value]) => value !== undefined);
  return { ...defaultQueueSettings, ...Object.fromEntries(given) };
}

/**
 * Whether the server tells RUNS what its workers have acknowledged: from that the ends of jobs are known, of workers
 * without events too, and by the gate when a key has room again.
 */
export const areAcksTold = ({ history, perKey }: Pick<QueueSettings, "history" | "perKey">): boolean =>
  history !== "off" || perKey !== undefined;

/** What is stored of a queue. */
export interface QueueRecord {
  queue: string;
  revision: number;
  asked: QueueRequest;
  /** With the defaults. */
  settings: QueueSettings;
  /** Why what lies there cannot be read; then nothing was asked. */
  unreadable?: string | undefined;
}

/** `record` is null when it was removed. */
export type QueueChange = { queue: string; record: QueueRecord | null };

/** Settings of queues. A queue may exist without any: then it is as by default. */
export interface QueueStore {
  /**
   * Makes what the queue needs to be worked, if it is not there. What was asked before is left as it is; a queue of
   * which nothing was asked gets `asked`.
   */
  ensure(queue: string, asked?: QueueRequest): Promise<QueueSettings>;
  /** From the leader. Null: nothing was asked. */
  get(queue: string): Promise<QueueRecord | null>;
  /** Writes if the revision is still `revision`; 0: if nothing was asked. Consumers do not follow by themselves. */
  write(queue: string, asked: QueueRequest, revision: number): Promise<CasOutcome>;
  remove(queue: string, revision: number): Promise<CasOutcome>;
  list(): Promise<QueueRecord[]>;
  /** Every record and every change, in order; of all queues, or only of one. */
  watch(onChange: (change: QueueChange) => void, only?: string): Promise<Subscription>;
}

/** What is in one lane of a queue now. */
export interface LaneCounts {
  lane: Lane;
  /** Not handed out yet. */
  queued: number;
  /** Handed out and not settled: running, or waiting for another attempt. */
  running: number;
  /** Of those, the ones that were handed out more than once. */
  redelivered: number;
  /** Requests of workers that wait for a job. */
  pulls: number;
  /** Whether the server hands out nothing. */
  paused: boolean;
}

/** What the server keeps of queues: a consumer for each lane. */
export interface QueueConsumers {
  /**
   * Brings the consumers of a queue that are there to what its settings say at `now`. False: something has to wait for
   * jobs that are under way; do it again later.
   */
  apply(queue: string, settings: QueueSettings, now: Instant): Promise<boolean>;
  /** Empty: the queue has no consumers. */
  counts(queue: string): Promise<LaneCounts[]>;
  /** Of all queues that have consumers. */
  all(): Promise<Map<string, LaneCounts[]>>;
  /** The newest message that a lane has handed out, by its sequence in WORK; what is older was handed out too. */
  handedOut(queue: string, lane: Lane): Promise<number>;
  /** Whether any job lies in WORK, also one that no consumer sees any more. */
  hasJobs(queue: string): Promise<boolean>;
  /** When the oldest of them was stored, by the server's clock; null: there is none. */
  oldestJob(queue: string): Promise<Instant | null>;
  remove(queue: string): Promise<void>;
}

/** Whether its jobs are held back at `instant`. */
export const isQueuePausedAt = (settings: QueueSettings, instant: Instant): boolean =>
  isPausedAt(settings, instant);
