/**
 * The slots of one shard that are still to be decided, earliest first.
 *
 * An agenda is made for a term from the definitions and the lease record, and lives no longer than the term.
 * Planning takes slots out of it: a plan that is not committed ends the term, and the next one starts anew.
 */
import { type Decision, decideSlot, type NotFired } from "./decide.js";
import { Heap } from "./heap.js";
import {
  type Cursor,
  type Firing,
  isAfter,
  LAST_ID,
  type LeaseRecord,
  laterOf,
  type Report,
} from "./lease.js";
import { pauseEndsAfter } from "./policies.js";
import { type RunCount, RunCounts } from "./run-counts.js";
import { type FireTimes, firstRevisionOf, type Instant, type Schedule } from "./schedule.js";

/** A schedule with its compiled fire times. */
export interface CompiledSchedule {
  schedule: Schedule;
  times: FireTimes;
}

interface Entry {
  time: Instant;
  id: string;
  compiled: CompiledSchedule;
}

export interface Plan {
  fire: Firing[];
  reports: Report[];
  /** Everything up to here is decided by this plan. */
  cursor: Cursor;
}

/** How much one plan may decide; slots at or before the record's cursor are always decided, limit or not. */
export interface PlanLimits {
  fire: number;
  reports: number;
  slots: number;
}

export class Agenda {
  readonly #heap = new Heap<Entry>((a, b) => a.time < b.time || (a.time === b.time && a.id < b.id));
  /** The entry in the heap that counts for each id; others are left over and passed by. */
  readonly #entries = new Map<string, Entry>();
  readonly #counts: RunCounts;

  /** @param counts those of the record */
  constructor(counts: readonly RunCount[] = []) {
    this.#counts = new RunCounts(counts);
  }

  /**
   * Takes a new or changed definition. One that the record's view covers goes on after the cursor; a newer one
   * has never been decided and starts from its effective-from time, which may lie before the cursor. The first
   * of its id never starts earlier: a cursor that is catching up may lie before it.
   */
  put(compiled: CompiledSchedule, record: Pick<LeaseRecord, "view" | "cursor">): void {
    const { schedule, times } = compiled;
    this.remove(schedule.id);
    this.#counts.adopt(schedule);
    const resumesAfter = pauseEndsAfter(schedule);
    if (resumesAfter === null || schedule.deleted) return;
    const time = times.next(Math.max(startOf(schedule, record), resumesAfter));
    if (time !== null) this.#add({ time, id: schedule.id, compiled });
  }

  remove(id: string): void {
    this.#entries.delete(id);
  }

  /** For the record: with what was planned, and what was found not to be fired. */
  get counts(): RunCount[] {
    return this.#counts.all;
  }

  /** A slot that was planned to be fired was not, and does not count. */
  uncount({ scheduleId, slot }: Firing): void {
    this.#counts.undo(scheduleId, slot);
  }

  /** Whether as many runs of a schedule were fired as it may have. */
  isExhausted(schedule: Schedule): boolean {
    return this.#counts.isExhausted(schedule);
  }

  /** When the next slot falls due; null when there is none. */
  nextTime(): Instant | null {
    this.#dropLeftOvers();
    return this.#heap.peek()?.time ?? null;
  }

  /** Decides, in order, every slot up to `horizon`, or as many as the limits allow. */
  plan(now: Instant, horizon: Instant, term: number, cursor: Cursor, limits: PlanLimits): Plan {
    const plan: Plan = { fire: [], reports: [], cursor: laterOf(cursor, { time: horizon, id: LAST_ID }) };
    const open = new Map<string, Report>();
    for (let slots = 0; ; slots++) {
      this.#dropLeftOvers();
      const entry = this.#heap.peek();
      if (entry === undefined || isAfter(entry, plan.cursor)) return plan;
      const full = plan.fire.length >= limits.fire || open.size >= limits.reports || slots >= limits.slots;
      if (full && isAfter(entry, cursor)) {
        plan.cursor = laterOf(cursor, justBefore(entry));
        return plan;
      }
      this.#decide(entry, now, term, plan, open);
    }
  }

  #decide(entry: Entry, now: Instant, term: number, plan: Plan, open: Map<string, Report>): void {
    const { schedule, times } = entry.compiled;
    const next = times.next(entry.time);
    const decision = this.#withinLimit(schedule, decideSlot(schedule, entry.time, next, now));
    if (isFire(decision)) {
      this.#counts.add(schedule, entry.time);
      plan.fire.push({
        scheduleId: entry.id,
        slot: entry.time,
        revision: schedule.revision,
        firstTerm: term,
        ...(decision.kind === "catch up" && { catchUp: true }),
      });
    } else {
      addToReport(open, plan.reports, entry, decision.kind, decision.reason);
    }
    if (next === null) {
      this.#entries.delete(entry.id);
      this.#heap.pop();
    } else {
      const following = { time: next, id: entry.id, compiled: entry.compiled };
      this.#entries.set(entry.id, following);
      this.#heap.replace(following);
    }
  }

  #withinLimit(schedule: Schedule, decision: Decision): Decision {
    return isFire(decision) && this.#counts.isExhausted(schedule) ? EXHAUSTED : decision;
  }

  #add(entry: Entry): void {
    this.#entries.set(entry.id, entry);
    this.#heap.push(entry);
  }

  #dropLeftOvers(): void {
    for (let top = this.#heap.peek(); top !== undefined; top = this.#heap.peek()) {
      if (this.#entries.get(top.id) === top) return;
      this.#heap.pop();
    }
  }
}

const EXHAUSTED: NotFired = { kind: "skipped", reason: "maxRuns" };

function isFire(decision: Decision): decision is Exclude<Decision, NotFired> {
  return decision.kind === "fire" || decision.kind === "catch up";
}

/** The instant after which a definition has slots to decide. */
function startOf(schedule: Schedule, { view, cursor }: Pick<LeaseRecord, "view" | "cursor">): Instant {
  const { id, revision, effectiveFrom } = schedule;
  const first = firstRevisionOf(schedule);
  if (first > view) return effectiveFrom;
  const undecided = startAfter(cursor, id);
  return first === revision ? Math.max(undecided, effectiveFrom) : undecided;
}

/** The instant after which the slots of `id` are still undecided. */
function startAfter(cursor: Cursor, id: string): Instant {
  return id <= cursor.id ? cursor.time : cursor.time - 1;
}

/** A cursor that leaves out `entry` and takes in everything before it. Ids are never empty. */
function justBefore(entry: Entry): Cursor {
  const last = entry.id.charCodeAt(entry.id.length - 1);
  const id = `${entry.id.slice(0, -1)}${String.fromCharCode(last - 1)}${LAST_ID}`;
  return { time: entry.time, id };
}

function addToReport(
  open: Map<string, Report>,
  reports: Report[],
  entry: Entry,
  outcome: Report["outcome"],
  reason: string,
): void {
  const key = `${entry.id} ${outcome} ${reason}`;
  const report = open.get(key);
  if (report === undefined) {
    const made = { scheduleId: entry.id, outcome, reason, from: entry.time, to: entry.time, count: 1 };
    open.set(key, made);
    reports.push(made);
  } else {
    report.to = entry.time;
    report.count++;
  }
}
