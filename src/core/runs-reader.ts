/** RUNS, read as a log. */
import type { Instant } from "./schedule.js";

/** A message of RUNS. */
export interface ToldMessage {
  /** In RUNS. */
  seq: number;
  subject: string;
  at: Instant;
  headers: Readonly<Record<string, string>>;
  body: Uint8Array;
}

export interface ReadOptions {
  /** Sequences of RUNS, both included. */
  from: number;
  to: number;
  /** Only the events of this run; with neither `subject` nor `since`. Default: everything. */
  runId?: string | undefined;
  /** Only what is told under such subjects, which may have wildcards. */
  subject?: string | undefined;
  /** Only what was stored from this instant of the server's clock on. */
  since?: Instant | undefined;
}

export interface RunsReader {
  /** The oldest and the newest sequence; `last < first` when there is nothing. From the leader. */
  bounds(): Promise<{ first: number; last: number }>;
  /** Whether anything but an end is told of a run before a sequence. */
  isAnyBefore(runId: string, seq: number): Promise<boolean>;
  /** Every message of the range that is still there, in its order. */
  read(options: ReadOptions, onMessage: (message: ToldMessage) => void): Promise<void>;
}
