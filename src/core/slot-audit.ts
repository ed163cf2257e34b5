/**
 * Whether every slot of a schedule ended once: what its definitions say was due, against what RUNS and the lease record
 * say became of it. What can no longer be known is said to be unknown, not to be fine.
 */
import { calendarsOf } from "./calendar.js";
import { isAfter, type LeaseRecord, type Report } from "./lease.js";
import { isPausedAt } from "./policies.js";
import type { ToldOfSlots } from "./ports.js";
import type { FireTimes, Instant, Schedule } from "./schedule.js";

export const anomalyKinds = ["missing", "doubled", "contradicted", "overdue"] as const;
/**
 * `missing`: it was decided, and nothing tells how. `doubled`: it was fired twice. `contradicted`: it was fired, and told
 * not to be. `overdue`: its time has come a while ago, and nobody has decided it.
 */
export type AnomalyKind = (typeof anomalyKinds)[number];

export interface Anomaly {
  kind: AnomalyKind;
  scheduleId: string;
  slot: Instant;
}

/** What RUNS tells of slots. */
export interface ToldSlots extends ToldOfSlots {
  /** What was told before this instant is no longer kept, or may not be; null: nothing was ever dropped. */
  keptFrom: Instant | null;
}

export interface SlotLedger {
  /** All that was told since an instant of the server's clock. From the leader. */
  told(since: Instant): Promise<ToldSlots>;
}

export type SlotFate = "fired" | "skipped" | "missed" | "expired" | "open" | "unknown" | AnomalyKind;

export interface Account {
  /** Slots from the first to the last instant, both included. */
  from: Instant;
  to: Instant;
  now: Instant;
  /** The revisions that ruled in the range, the oldest first, and the one before it if there was one. */
  revisions: readonly Schedule[];
  compile(schedule: Schedule): FireTimes;
  /** Read before `told`: what has left the record by then is told. Null: there is none yet. */
  lease: LeaseRecord | null;
  /** Of this schedule. */
  told: ToldSlots;
  /** Slots that are looked at. Default `MOST_SLOTS`. */
  most?: number;
  /** There were more: nothing is said of this slot and of those after it. */
  onCut?(slot: Instant): void;
}

/** A change of a definition holds from when its shard's holder has learnt of it. */
const ADOPTION_MS = 5_000;
/** A slot that nobody has decided so long after its time. */
export const OVERDUE_MS = 60_000;
/** Slots of one schedule that are looked at. */
export const MOST_SLOTS = 1_000_000;

/** The fate of every slot of the range, in order; of at most `most`. */
export function* auditSlots(account: Account): Generator<{ slot: Instant; fate: SlotFate }> {
  const { revisions, from, to, most = MOST_SLOTS } = account;
  const known = knowledgeOf(account);
  let count = 0;
  for (const [index, schedule] of revisions.entries()) {
    if (schedule.deleted) continue;
    const begin = Math.max(from, index === 0 ? from : changedAt(schedule), schedule.effectiveFrom + 1);
    const next = revisions[index + 1];
    const end = Math.min(to, next === undefined ? to : changedAt(next) - 1);
    const times = account.compile(schedule);
    for (let slot = times.next(begin - 1); slot !== null && slot <= end; slot = times.next(slot)) {
      if (isPausedAt(schedule, slot)) continue;
      if (++count > most) {
        account.onCut?.(slot);
        return;
      }
      const isSure =
        isSettled(schedule, slot) && (next === undefined || slot < changedAt(next) - ADOPTION_MS);
      yield { slot, fate: fateOf(account, known, slot, isSure) };
    }
  }
}

const changedAt = (schedule: Schedule): Instant => schedule.changedAt ?? schedule.effectiveFrom;

/** Whether the definition alone says that the slot was due. */
function isSettled(schedule: Schedule, slot: Instant): boolean {
  // A limit of runs ends a schedule before its pause is stored; a calendar may have been another one then.
  if (schedule.maxRuns > 0 || calendarsOf(schedule.spec).length > 0) return false;
  return slot > changedAt(schedule) + ADOPTION_MS || schedule.firstRevision === 0;
}

interface Knowledge {
  /** By slot: the sequences in WORK under which it was fired, where they are known. */
  fired: ReadonlyMap<Instant, ReadonlySet<number>>;
  /** By slot: reports on it alone. */
  single: ReadonlyMap<Instant, Report>;
  /** Reports on more than one slot. */
  ranges: readonly Report[];
  isOpen(slot: Instant): boolean;
}

function knowledgeOf({ told, lease, revisions }: Account): Knowledge {
  const fired = new Map<Instant, Set<number>>();
  for (const { slot, seq } of told.fired) {
    const seqs = fired.get(slot) ?? new Set();
    fired.set(slot, seq === null ? seqs : seqs.add(seq));
  }
  const single = new Map<Instant, Report>();
  const ranges: Report[] = [];
  for (const report of told.reports)
    if (report.from === report.to) single.set(report.from, report);
    else ranges.push(report);
  return { fired, single, ranges, isOpen: openSlots(lease, revisions.at(-1)?.id ?? "") };
}

/** Slots that are not over by the lease record. */
function openSlots(lease: LeaseRecord | null, id: string): (slot: Instant) => boolean {
  if (lease === null) return () => true;
  const own = <T extends { scheduleId: string }>(items: readonly T[]) =>
    items.filter(({ scheduleId }) => scheduleId === id);
  const firing = new Set(own(lease.firing).map(({ slot }) => slot));
  const [backlog, reports] = [own(lease.backlog), own(lease.reports)];
  return (slot) =>
    isAfter({ time: slot, id }, lease.cursor) ||
    firing.has(slot) ||
    backlog.some(({ after, until }) => after < slot && slot <= until) ||
    reports.some(({ from, to }) => from <= slot && slot <= to);
}

function fateOf({ told, lease, now }: Account, known: Knowledge, slot: Instant, isSure: boolean): SlotFate {
  const seqs = known.fired.get(slot);
  const single = known.single.get(slot);
  if (seqs !== undefined && seqs.size > 1) return "doubled";
  if (seqs !== undefined && single !== undefined && single.outcome !== "expired") return "contradicted";
  if (seqs !== undefined) return "fired";
  const report = single ?? known.ranges.find(({ from, to }) => from <= slot && slot <= to);
  if (report !== undefined) return report.outcome;
  if (known.isOpen(slot)) {
    const isUndecided = lease === null || slot > lease.cursor.time;
    return isUndecided && isSure && now - slot > OVERDUE_MS ? "overdue" : "open";
  }
  const isKept = told.keptFrom === null || slot >= told.keptFrom;
  return isKept && isSure ? "missing" : "unknown";
}

export const isAnomaly = (fate: SlotFate): fate is AnomalyKind => anomalyKinds.some((kind) => kind === fate);
