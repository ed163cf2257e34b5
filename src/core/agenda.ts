/**
 * The slots of one shard that are still to be decided, earliest first.
 *
 * An agenda is made for a term from the definitions and the lease record, and lives no longer than the term.
 * Planning takes slots out of it: a plan that is not committed ends the term, and the next one starts anew.
 */
import { Backlogs, type Inherited } from "./backlog.js";
import type { CompiledSchedule } from "./compiled-schedule.js";
import { type Decision, decideSlot, MISFIRE_THRESHOLD_MS, type NotFired } from "./decide.js";
import { Heap } from "./heap.js";
import {
  type Backlog,
  type Cursor,
  type Firing,
  isAfter,
  LAST_ID,
  type LeaseRecord,
  laterOf,
  type Report,
} from "./lease.js";
import { isPausedAt, pauseEndsAfter } from "./policies.js";
import { type RunCount, RunCounts } from "./run-counts.js";
import { firstRevisionOf, type Instant, type Schedule } from "./schedule.js";

interface Entry<T> {
  time: Instant;
  id: string;
  compiled: T;
  /** The slot before, when it was decided in this term. */
  follows?: Instant;
}

export interface Plan<T extends CompiledSchedule = CompiledSchedule> {
  fire: Firing[];
  /** For each of them, what it is fired from. */
  by: T[];
  reports: Report[];
  /** Everything up to here is decided by this plan. */
  cursor: Cursor;
}

/** A plan in the making. */
interface Planning<T extends CompiledSchedule> {
  plan: Plan<T>;
  /** Its reports, by what they sum up. */
  open: Map<string, Report>;
  /** What has to be decided all the same is fired later. */
  isFull: boolean;
}

/** How much one plan may decide; slots at or before the record's cursor are always decided, limit or not. */
export interface PlanLimits {
  fire: number;
  reports: number;
  slots: number;
}

/** Half of the record's room: the other half is for what is being fired. */
const MOST_RANGES = 2_048;
/** However full the record is with ranges: so many may be taken out of them. */
const LEAST_TAKEN = 64;

export class Agenda<T extends CompiledSchedule = CompiledSchedule> {
  readonly #heap = new Heap<Entry<T>>((a, b) => a.time < b.time || (a.time === b.time && a.id < b.id));
  /** The entry in the heap that counts for each id; others are left over and passed by. */
  readonly #entries = new Map<string, Entry<T>>();
  readonly #backlogs = new Backlogs<T>();
  readonly #counts: RunCounts;
  /** Of what was left out of the backlog, for the next plan. */
  readonly #dropped: Report[] = [];

  /** @param counts those of the record */
  constructor(counts: readonly RunCount[] = []) {
    this.#counts = new RunCounts(counts);
  }

  /**
   * Takes a new or changed definition. One that the record's view covers goes on after the cursor; a newer one
   * has never been decided and starts from its effective-from time, which may lie before the cursor. The first
   * of its id never starts earlier: a cursor that is catching up may lie before it.
   */
  put(compiled: T, record: Pick<LeaseRecord, "view" | "cursor">): void {
    const { schedule, times } = compiled;
    this.remove(schedule.id);
    this.#dropBacklog(schedule, record.cursor.time);
    this.#counts.adopt(schedule);
    const resumesAfter = pauseEndsAfter(schedule);
    if (resumesAfter === null || schedule.deleted) return;
    const time = times.next(Math.max(startOf(schedule, record), resumesAfter));
    if (time !== null) this.#add({ time, id: schedule.id, compiled });
  }

  remove(id: string): void {
    this.#entries.delete(id);
  }

  /** What an earlier term had not caught up with. */
  inherit(open: readonly Inherited<T>[]): void {
    this.#backlogs.inherit(open);
  }

  /** For the record. */
  get backlog(): Backlog[] {
    return this.#backlogs.ranges;
  }

  /** Milliseconds until there is something to catch up with. */
  untilCatchUp(now: Instant): number {
    return this.#backlogs.untilNext(now);
  }

  /** For the record: with what was planned, and what was found not to be fired. */
  get counts(): RunCount[] {
    return this.#counts.all;
  }

  /** A slot that was planned to be fired was not, and does not count. */
  uncount({ scheduleId, slot }: Firing): void {
    this.#counts.undo(scheduleId, slot);
  }

  /** Schedules that still have slots, and as many fired runs as they may have; none of these is yet to be caught up with. */
  exhausted(): Schedule[] {
    const found: Schedule[] = [];
    for (const { scheduleId } of this.#counts.all) {
      const schedule = this.#entries.get(scheduleId)?.compiled.schedule;
      if (schedule !== undefined && this.#counts.isExhausted(schedule) && !this.#backlogs.holds(scheduleId))
        found.push(schedule);
    }
    return found;
  }

  /** When the next slot falls due; null when there is none. */
  nextTime(): Instant | null {
    this.#dropLeftOvers();
    return this.#heap.peek()?.time ?? null;
  }

  /** How many slots fall due by an instant, counted as far as `most`; roughly, after a change. */
  crowdBy(instant: Instant, most: number): number {
    return this.#heap.countFirst(({ time }) => time <= instant, most);
  }

  /** Decides, in order, every slot up to `horizon`, or as many as the limits allow; and takes from the backlog. */
  plan(now: Instant, horizon: Instant, term: number, cursor: Cursor, limits: PlanLimits): Plan<T> {
    const plan: Plan<T> = {
      fire: [],
      by: [],
      reports: this.#dropped.splice(0),
      cursor: laterOf(cursor, { time: horizon, id: LAST_ID }),
    };
    this.#decideAll(plan, now, term, cursor, limits);
    const room = limits.fire - plan.fire.length;
    const most = Math.max(room - this.#backlogs.size, Math.min(room, LEAST_TAKEN));
    const { slots, reports } = this.#backlogs.take(now, horizon, most);
    for (const { scheduleId, to } of reports) this.#counts.undo(scheduleId, to);
    plan.reports.push(...reports);
    for (const { compiled, slot } of slots) {
      const isLate = slot <= now - MISFIRE_THRESHOLD_MS;
      plan.fire.push({ ...firingOf(compiled.schedule, slot, term), ...(isLate && { catchUp: true }) });
      plan.by.push(compiled);
    }
    return plan;
  }

  #decideAll(plan: Plan<T>, now: Instant, term: number, cursor: Cursor, limits: PlanLimits): void {
    const open = new Map<string, Report>();
    for (let slots = 0; ; slots++) {
      this.#dropLeftOvers();
      const entry = this.#heap.peek();
      if (entry === undefined || isAfter(entry, plan.cursor)) return;
      const ranges = this.#backlogs.size;
      const full =
        plan.fire.length + ranges >= limits.fire ||
        ranges >= MOST_RANGES ||
        open.size >= limits.reports ||
        slots >= limits.slots;
      if (full && isAfter(entry, cursor)) {
        plan.cursor = laterOf(cursor, justBefore(entry));
        return;
      }
      this.#decide(entry, now, term, { plan, open, isFull: full });
    }
  }

  #decide(entry: Entry<T>, now: Instant, term: number, { plan, open, isFull }: Planning<T>): void {
    const { schedule, times } = entry.compiled;
    const next = times.next(entry.time);
    const decision = this.#withinLimit(schedule, decideSlot(schedule, entry.time, next, now));
    if (isFire(decision)) this.#counts.add(schedule, entry.time);
    if (decision.kind === "catch up" || (decision.kind === "fire" && isFull)) {
      this.#backlogs.defer(entry.compiled, entry.time, entry.follows);
    } else if (decision.kind === "fire") {
      plan.fire.push(firingOf(schedule, entry.time, term));
      plan.by.push(entry.compiled);
    } else {
      addToReport(open, plan.reports, entry, decision.kind, decision.reason);
    }
    if (next === null) {
      this.#entries.delete(entry.id);
      this.#heap.pop();
    } else {
      const following = { ...entry, time: next, follows: entry.time };
      this.#entries.set(entry.id, following);
      this.#heap.replace(following);
    }
  }

  #withinLimit(schedule: Schedule, decision: Decision): Decision {
    return isFire(decision) && this.#counts.isExhausted(schedule) ? EXHAUSTED : decision;
  }

  /** Who pauses or deletes a schedule does not want what it has missed. */
  #dropBacklog(schedule: Schedule, now: Instant): void {
    if (!schedule.deleted && !isPausedAt(schedule, now)) return;
    const { reports, slots } = this.#backlogs.drop(schedule.id, schedule.deleted ? "deleted" : "paused");
    for (const slot of slots) this.uncount(slot);
    this.#dropped.push(...reports);
  }

  #add(entry: Entry<T>): void {
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

function firingOf({ id, revision }: Schedule, slot: Instant, term: number): Firing {
  return { scheduleId: id, slot, revision, firstTerm: term };
}

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
function justBefore(entry: Cursor): Cursor {
  const last = entry.id.charCodeAt(entry.id.length - 1);
  const id = `${entry.id.slice(0, -1)}${String.fromCharCode(last - 1)}${LAST_ID}`;
  return { time: entry.time, id };
}

function addToReport(
  open: Map<string, Report>,
  reports: Report[],
  entry: Cursor,
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
