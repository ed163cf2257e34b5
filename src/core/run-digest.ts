/**
 * What rules need to know of runs: of each schedule and queue how the last runs ended, and which runs are not over.
 *
 * It is told of each run as it was folded, again and again as more becomes known of it; the end of a run counts once. What it
 * knows of ends is small, and can be kept and taken up again by another orchestrator.
 */
import type { Instant } from "./instant.js";
import { type OpenRun, OpenRuns } from "./open-runs.js";
import { isOver, type Run } from "./run.js";

export interface Failure {
  runId: string;
  at: Instant;
  error: string | null;
}

/** Slots that had no run. */
export interface MissedSlots {
  at: Instant;
  from: Instant;
  to: Instant;
  count: number;
  outcome: "missed" | "expired";
  reason: string | null;
}

/** How the runs of a schedule, or of a queue, ended. */
export interface Past {
  /** The newest end of all. */
  endedAt: Instant;
  succeededAt: Instant | null;
  /** Runs that failed for good since the last one that succeeded. */
  failures: number;
  lastFailure: Failure | null;
  /** Until a later slot is fired. */
  missed: MissedSlots | null;
}

export const NO_PAST: Past = { endedAt: 0, succeededAt: null, failures: 0, lastFailure: null, missed: null };

export class RunDigest {
  readonly #pasts = new Map<string, Past>();
  readonly #open = new OpenRuns();
  /** Ends up to here were counted by somebody before us. */
  readonly #counted = new Map<string, Instant>();

  /** Takes up what somebody knew. @param key as in `schedule.nightly` or `queue.mail` */
  takeUp(key: string, past: Past): void {
    this.#pasts.set(key, past);
    this.#counted.set(key, past.endedAt);
  }

  /** All that was told so far is going to be told again. */
  rewind(): void {
    for (const [key, { endedAt }] of this.#pasts) this.#counted.set(key, endedAt);
  }

  pastOf(key: string): Past {
    return this.#pasts.get(key) ?? NO_PAST;
  }

  get pasts(): ReadonlyMap<string, Past> {
    return this.#pasts;
  }

  get open(): Iterable<OpenRun> {
    return this.#open.values();
  }

  /** It was seen that it has left its queue. */
  gone(runId: string): void {
    this.#open.delete(runId);
  }

  /** It was seen that a worker has it, which did not say when it began. */
  begun(run: OpenRun, at: Instant): void {
    this.#open.put({ ...run, state: "running", startedAt: at });
  }

  /** A run that somebody before us found open. */
  suppose(run: OpenRun): void {
    if (this.#open.get(run.runId) === undefined) this.#open.put(run);
  }

  /**
   * @param keys what it is looked at for
   * @param isCounted whether its end was counted when it was told of before
   */
  note(run: Run, keys: readonly string[], isCounted: boolean): void {
    if (isOver(run.state)) this.#open.delete(run.id);
    else this.#keep(openOf(run));
    // Backfills are about the past.
    if (run.trigger === "backfill" || isCounted) return;
    for (const key of keys) {
      const past = this.pastOf(key);
      const next = isNews(run, this.#counted.get(key)) ? after(past, run) : past;
      if (next !== past) this.#pasts.set(key, next);
    }
  }

  /** What was seen of it is not told: that holds on. */
  #keep(run: OpenRun): void {
    const known = this.#open.get(run.runId);
    const wasSeen = run.state === "queued" && known?.state === "running" && known.seq === run.seq;
    if (!wasSeen) this.#open.put(run);
  }
}

const isNews = ({ endedAt }: Run, counted: Instant = 0): boolean => endedAt === null || endedAt > counted;

function after(past: Past, run: Run): Past {
  const { state, fireTime } = run;
  const isMissed = state === "missed" || state === "expired";
  const wasFired = !isMissed && state !== "skipped" && fireTime !== null;
  const missed = wasFired && past.missed !== null && fireTime > past.missed.to ? null : past.missed;
  if (run.endedAt === null) return missed === past.missed ? past : { ...past, missed };
  const next = { ...past, missed, endedAt: Math.max(past.endedAt, run.endedAt) };
  if (isMissed) return { ...next, missed: missedOf(run, run.endedAt) };
  if (state === "succeeded")
    return { ...next, succeededAt: Math.max(past.succeededAt ?? 0, run.endedAt), failures: 0 };
  if (state !== "dead" && state !== "failed") return next;
  const lastFailure = { runId: run.id, at: run.endedAt, error: run.error };
  return { ...next, failures: past.failures + 1, lastFailure };
}

function missedOf({ state, slots, fireTime, reason }: Run, at: Instant): MissedSlots {
  const { from, to, count } = slots ?? { from: fireTime ?? at, to: fireTime ?? at, count: 1 };
  return { at, from, to, count, outcome: state === "expired" ? "expired" : "missed", reason };
}

/** How long it has been running is counted from the attempt that it is at. */
function openOf({ id: runId, attempts, ...run }: Run): OpenRun {
  const { state, scheduleId, queue, trigger, fireTime, queuedAt, seq, nextAt } = run;
  const startedAt = attempts.at(-1)?.startedAt ?? run.startedAt;
  return { runId, state, scheduleId, queue, trigger, fireTime, startedAt, queuedAt, seq, nextAt };
}
