/**
 * The lease record of a shard, and the pure steps that change it.
 *
 * One record per shard; its revision in the store is the fencing token. Every change is a compare-and-swap, so
 * an orchestrator that lost its lease cannot commit, and what is not committed is not fired:
 *
 *   take over ── term + 1, firing inherited ──► settle ──► commit ──► publish ──► commit ──► …
 *
 * `cursor` and `view` together say which slots are decided: those at or before `cursor` (in the order of time,
 * then id) of definitions whose first revision is at most `view`. Neither ever decreases. Without `view`, a definition created while the watch
 * lags would be passed over (model `view.pml`).
 */
import type { RunCount } from "./run-counts.js";
import type { Instant } from "./schedule.js";

/** A run that was decided to fire, until RUNS is told that it is in WORK. */
export interface Firing {
  scheduleId: string;
  slot: Instant;
  /** The definition it is fired from. */
  revision: number;
  /** The first term that may have published it. */
  firstTerm: number;
  /** Fired as a misfire. */
  catchUp?: true | undefined;
}

/** Slots that were not fired; told to RUNS after the commit that makes it true. */
export interface Report {
  scheduleId: string;
  outcome: "skipped" | "missed" | "expired";
  reason: string;
  /** First and last slot, and how many. */
  from: Instant;
  to: Instant;
  count: number;
}

/** Misfires of one definition that are decided to be fired, in order, and are not yet: those in `(after, until]`. */
export interface Backlog {
  scheduleId: string;
  revision: number;
  after: Instant;
  until: Instant;
}

/** A place in the order of all slots of a shard: by time, then by schedule id. */
export interface Cursor {
  time: Instant;
  /** Ids up to this one are included at `time`; `LAST_ID`: all of them. */
  id: string;
}

/** Sorts after every schedule id. */
export const LAST_ID = "~";

export function isAfter(a: Cursor, b: Cursor): boolean {
  return a.time > b.time || (a.time === b.time && a.id > b.id);
}

export const laterOf = (a: Cursor, b: Cursor): Cursor => (isAfter(a, b) ? a : b);

export interface LeaseRecord {
  /** Member id, or null when released. */
  holder: string | null;
  /** New at every write, to recognise one's own write after a doubtful answer. */
  nonce: string;
  term: number;
  view: number;
  cursor: Cursor;
  /** A sequence of RUNS: every event and slot record of the runs in `firing` is newer. */
  runsFrom: number;
  firing: readonly Firing[];
  reports: readonly Report[];
  /** Of schedules that have a limit of runs. */
  counts: readonly RunCount[];
  backlog: readonly Backlog[];
}

/** The record before the first one: nothing is decided and nobody holds it. */
export function emptyLease(start: Instant): LeaseRecord {
  return {
    holder: null,
    nonce: "",
    term: 0,
    view: 0,
    cursor: { time: start, id: LAST_ID },
    runsFrom: 0,
    firing: [],
    reports: [],
    counts: [],
    backlog: [],
  };
}

/** A new term under `holder`; what was firing is inherited and must be settled before anything else. */
export function takeOver(record: LeaseRecord, holder: string, nonce: string): LeaseRecord {
  return { ...record, holder, nonce, term: record.term + 1 };
}

export interface Commit {
  nonce: string;
  /** Own view; never lowers the record's. */
  view: number;
  /** Every slot up to here is decided; never lowers the record's. */
  cursor: Cursor;
  /** A sequence of RUNS before every event of what is in flight; never lowers the record's. */
  runsFrom: number;
  /** Decided in this commit. */
  fire: readonly Firing[];
  /** In flight before this commit and still not known to be fired. */
  keep: readonly Firing[];
  reports: readonly Report[];
  /** With what is decided here. Default: as before. */
  counts?: readonly RunCount[];
  /** With what is decided here, and without what is fired from it. Default: as before. */
  backlog?: readonly Backlog[];
}

/** The next record of the same term. */
export function commitTo(record: LeaseRecord, commit: Commit): LeaseRecord {
  return {
    ...record,
    nonce: commit.nonce,
    view: Math.max(record.view, commit.view),
    cursor: laterOf(record.cursor, commit.cursor),
    runsFrom: Math.max(record.runsFrom, commit.runsFrom),
    firing: [...commit.keep, ...commit.fire],
    reports: commit.reports,
    counts: commit.counts ?? record.counts,
    backlog: commit.backlog ?? record.backlog,
  };
}

/** The holder lets go: anyone may take over at once. What is in flight stays, for the successor to settle. */
export function release(record: LeaseRecord, nonce: string): LeaseRecord {
  return { ...record, holder: null, nonce };
}
