/** Running slots of the past: what a backfill is, and the pure steps of working it off. */
import { type Outcomes, type PastEvent, reportOn } from "./lookback.js";
import type { CasOutcome, Subscription, Versioned } from "./ports.js";
import type { FireTimes, Instant } from "./schedule.js";
import { previousFireTime } from "./time/previous.js";

/**
 * Which slots run that have had their turn: `none`, only those that RUNS knows nothing of; `failed`, those too that were
 * skipped, missed or expired, or whose run failed for good; `all`.
 */
export const reprocessings = ["none", "failed", "all"] as const;
export type Reprocess = (typeof reprocessings)[number];

export const backfillStates = ["running", "done", "cancelled", "failed"] as const;
export type BackfillState = (typeof backfillStates)[number];

/** So many runs in so much time. */
export interface Rate {
  count: number;
  periodMs: number;
}

export interface Backfill {
  scheduleId: string;
  /** The definition whose slots these are, and whose job. */
  revision: number;
  /** The first and the last instant of the range. */
  from: Instant;
  to: Instant;
  reprocess: Reprocess;
  backwards: boolean;
  rate: Rate;
  state: BackfillState;
  /** Why it failed. */
  reason?: string | undefined;
  /** The last slot that was decided; null: none yet. */
  cursor: Instant | null;
  /** Slots that were decided to run and are not known to be in WORK. */
  batch: readonly Instant[];
  /** The next batch is decided no earlier. */
  notBefore: Instant;
  /** Slots of the range; null: too many to count beforehand. */
  slots: number | null;
  queued: number;
  /** They had their turn. */
  passedBy: number;
  /** Decided to run and not run: the server refused them, or it is not known whether they were published. */
  missed: number;
  createdAt: Instant;
  createdBy?: string | undefined;
  changedAt: Instant;
}

/** Backfills by id. Those that are over fade after a while. */
export interface BackfillStore {
  /** From the leader. */
  get(id: string): Promise<Versioned<Backfill> | null>;
  /** Writes if the revision is still this one; 0: if there is none. */
  write(id: string, backfill: Backfill, revision: number): Promise<CasOutcome>;
  list(): Promise<{ id: string; backfill: Backfill }[]>;
  /** Every backfill and every change. Hints only: may lag. */
  watch(onChange: (id: string, backfill: Backfill) => void): Promise<Subscription>;
}

/** The next slots in the order of the backfill; fewer than `count` when there are no more. */
export function nextSlots(
  backfill: Pick<Backfill, "from" | "to" | "backwards" | "cursor">,
  times: FireTimes,
  count: number,
): Instant[] {
  const { from, to, backwards, cursor } = backfill;
  const found: Instant[] = [];
  let at = cursor ?? (backwards ? to + 1 : from - 1);
  while (found.length < count) {
    const next = backwards ? previousFireTime(times, at) : times.next(at);
    if (next === null || next < from || next > to) break;
    found.push(next);
    at = next;
  }
  return found;
}

const FAILED_ENDS: readonly string[] = ["dead", "missed", "skipped", "expired"];

/** @param last the newest event of the slot's run */
export function isToRun(
  reprocess: Reprocess,
  slot: Instant,
  outcomes: Outcomes,
  last: PastEvent | null,
): boolean {
  if (reprocess === "all") return true;
  const isFired = outcomes.fired.has(slot);
  const isReported = reportOn(outcomes, slot) !== undefined;
  if (reprocess === "none") return !isFired && !isReported && last === null;
  return last === null ? !isFired : FAILED_ENDS.includes(last.type);
}

/** How many slots may be decided at once: what the rate gives for a second, one at least. */
export function batchSize({ count, periodMs }: Rate, most: number): number {
  return Math.max(1, Math.min(most, Math.floor((count * 1_000) / periodMs)));
}

/** The record that decides these slots; over when there are none. */
export function decided(
  backfill: Backfill,
  slots: readonly { slot: Instant; runs: boolean }[],
  now: Instant,
): Backfill {
  const batch = slots.filter(({ runs }) => runs).map(({ slot }) => slot);
  const pauseMs = Math.ceil((batch.length * backfill.rate.periodMs) / backfill.rate.count);
  return {
    ...backfill,
    state: slots.length === 0 ? "done" : backfill.state,
    cursor: slots.at(-1)?.slot ?? backfill.cursor,
    batch,
    passedBy: backfill.passedBy + slots.length - batch.length,
    notBefore: now + pauseMs,
    changedAt: now,
  };
}

/** What became of the batch of a record. */
export interface Settled {
  queued: number;
  missed: number;
  /** Still to be published. */
  open: readonly Instant[];
}

export function settled(backfill: Backfill, { queued, missed, open }: Settled, now: Instant): Backfill {
  return {
    ...backfill,
    batch: open,
    queued: backfill.queued + queued,
    missed: backfill.missed + missed,
    changedAt: now,
  };
}
