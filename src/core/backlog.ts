/**
 * Misfires that are to be fired, but not all at once.
 *
 * After an outage there may be thousands of them. They are decided like any other slot, in order, so that the cursor
 * moves on and what is due now is not held up; but they lie in the lease record as ranges of slots, and are taken from
 * there at the rate of their schedule, each commit a few. So do slots that have to be decided long before they are due,
 * because the clock was set back, when they are too many. The write that takes a slot out of its range makes it one of
 * the record's firing entries: at no time is it in both, or in neither.
 */
import type { CompiledSchedule } from "./compiled-schedule.js";
import type { Backlog, Firing, Report } from "./lease.js";
import type { Instant } from "./schedule.js";

/** A range with the definition that it was decided from. */
export interface Inherited<T> {
  range: Backlog;
  compiled: T;
}

export interface Taken<T> {
  slots: { compiled: T; slot: Instant }[];
  /** Slots that were decided and are none any more: the calendar that they went by was changed before a takeover. */
  reports: Report[];
}

interface Rate {
  at: Instant;
  /** Runs that may be fired at once. */
  tokens: number;
}

/** However slow the commits are: no more of a rate than this is saved up. */
const SAVED_MS = 500;
/** Taken at most this often: commits are shared. */
const EVERY_MS = 200;

export class Backlogs<T extends CompiledSchedule> {
  #open: Inherited<T>[] = [];
  readonly #rates = new Map<string, Rate>();
  #nextAt: Instant = Number.NEGATIVE_INFINITY;
  #takenAt: Instant = Number.NEGATIVE_INFINITY;

  get size(): number {
    return this.#open.length;
  }

  /** What the record carries. */
  get ranges(): Backlog[] {
    return this.#open.map(({ range }) => range);
  }

  holds(scheduleId: string): boolean {
    return this.#open.some(({ range }) => range.scheduleId === scheduleId);
  }

  inherit(open: readonly Inherited<T>[]): void {
    this.#open.push(...open);
  }

  /**
   * A slot was decided to be fired, but not now.
   *
   * @param follows the slot before it, where that was decided in this term
   */
  defer(compiled: T, slot: Instant, follows: Instant | undefined): void {
    const { id: scheduleId, revision } = compiled.schedule;
    const before = this.#open.findLast(({ range }) => range.scheduleId === scheduleId);
    if (before !== undefined && before.range.revision === revision && before.range.until === follows) {
      before.range = { ...before.range, until: slot };
    } else {
      this.#open.push({ range: { scheduleId, revision, after: slot - 1, until: slot }, compiled });
      this.#nextAt = Number.NEGATIVE_INFINITY;
    }
  }

  /** Milliseconds until there is something to take. A clock that was set back is not waited for. */
  untilNext(now: Instant): number {
    if (this.#open.length === 0) return Number.POSITIVE_INFINITY;
    return now < this.#takenAt ? 0 : Math.max(0, this.#nextAt - now);
  }

  /** Takes what is due by `horizon` and what the rates allow, `most` at most. */
  take(now: Instant, horizon: Instant, most: number): Taken<T> {
    const taken: Taken<T>["slots"] = [];
    if (this.#open.length === 0) this.#rates.clear();
    if (this.untilNext(now) > 0) return { slots: taken, reports: [] };
    let nextAt = Number.POSITIVE_INFINITY;
    for (const item of this.#open) {
      const { compiled } = item;
      const rate = this.#refill(compiled, now);
      let slot = slotAfter(item);
      while (slot !== null && slot <= horizon && rate.tokens >= 1 && taken.length < most) {
        item.range = { ...item.range, after: slot };
        taken.push({ compiled, slot });
        rate.tokens--;
        slot = slotAfter(item);
      }
      const waitMs = ((1 - rate.tokens) * 1_000) / compiled.schedule.catchUpRate;
      if (slot !== null) nextAt = Math.min(nextAt, Math.max(slot, now + waitMs));
    }
    const ended = this.#open.filter((item) => slotAfter(item) === null);
    this.#open = this.#open.filter((item) => slotAfter(item) !== null);
    this.#takenAt = now;
    this.#nextAt = Math.max(nextAt, now + EVERY_MS);
    const reports = ended.filter(({ range }) => range.after < range.until).map(goneReportOf);
    return { slots: taken, reports };
  }

  /** Leaves out the ranges of a schedule; what they held is not fired after all. */
  drop(scheduleId: string, reason: string): { reports: Report[]; slots: Firing[] } {
    const dropped = this.#open.filter(({ range }) => range.scheduleId === scheduleId);
    this.#open = this.#open.filter(({ range }) => range.scheduleId !== scheduleId);
    const reports: Report[] = [];
    const slots: Firing[] = [];
    for (const { range, compiled } of dropped) {
      const { revision, after, until } = range;
      const count = slots.length;
      for (
        let slot = compiled.times.next(after);
        slot !== null && slot <= until;
        slot = compiled.times.next(slot)
      )
        slots.push({ scheduleId, slot, revision, firstTerm: 0 });
      const from = slots[count]?.slot ?? until;
      reports.push({ scheduleId, outcome: "skipped", reason, from, to: until, count: slots.length - count });
    }
    return { reports, slots };
  }

  #refill({ schedule: { id, catchUpRate } }: T, now: Instant): Rate {
    const rate = this.#rates.get(id) ?? { at: now, tokens: 1 };
    const elapsed = Math.min(SAVED_MS, Math.max(0, now - rate.at));
    const most = Math.max(1, (catchUpRate * SAVED_MS) / 1_000);
    rate.tokens = Math.min(most, rate.tokens + (catchUpRate * elapsed) / 1_000);
    rate.at = now;
    this.#rates.set(id, rate);
    return rate;
  }
}

/** The next slot of a range; null when there is none left. What lies beyond its end was decided by itself. */
function slotAfter({ range, compiled }: Inherited<CompiledSchedule>): Instant | null {
  const next = range.after < range.until ? compiled.times.next(range.after) : null;
  return next !== null && next <= range.until ? next : null;
}

/** The end of a range is a slot when it is decided. How many more there were cannot be told. */
function goneReportOf({ range: { scheduleId, after, until } }: Inherited<CompiledSchedule>): Report {
  const reason = "its calendar was changed";
  return { scheduleId, outcome: "missed", reason, from: after + 1, to: until, count: 1 };
}
