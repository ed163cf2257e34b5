/**
 * Fire times moved off the days that are no business days.
 *
 * Rolling does not keep the order: 11:00 on Saturday comes after 9:00 on Sunday once both are on Monday. So the
 * fire times of one business day are gathered from all the days that roll onto it: itself, and the closed days
 * right before it (rolling forward) or right after it (rolling back). Each of those days is asked once.
 */
import type { FireTimes, Instant } from "../schedule.js";
import type { LocalTime, OpeningTimes } from "./opening.js";
import { MAX_INSTANT } from "./zone.js";

export function rolled(times: FireTimes, calendar: OpeningTimes, to: "next" | "previous"): FireTimes {
  return new RolledTimes(times, calendar, to === "next" ? 1 : -1);
}

/** More business days in a row whose fire times are all swallowed by a gap there are not. */
const MOST_STEPS = 64;

class RolledTimes implements FireTimes {
  readonly #times: FireTimes;
  readonly #calendar: OpeningTimes;
  readonly #step: 1 | -1;

  constructor(times: FireTimes, calendar: OpeningTimes, step: 1 | -1) {
    this.#times = times;
    this.#calendar = calendar;
    this.#step = step;
  }

  next(instant: Instant): Instant | null {
    if (!(instant < MAX_INSTANT)) return null;
    const now = this.#calendar.localOf(instant);
    let day = this.#calendar.isBusinessDay(now.day) ? now.day : this.#calendar.businessDay(now.day, 1);
    for (let steps = 0; steps < MOST_STEPS && day !== null; steps++) {
      const found = this.#firstOn(day, instant);
      if (found !== null) return found;
      day = this.#nextTarget(day);
    }
    return null;
  }

  /** The first fire time after `instant` among those that fall or roll onto a business day. */
  #firstOn(day: number, instant: Instant): Instant | null {
    const now = this.#calendar.localOf(instant);
    const fromMs = now.day === day ? now.ms : 0;
    let first: Instant | null = null;
    for (const source of this.#sourcesOf(day)) {
      const at =
        source === day ? this.#ownAfter(day, instant) : this.#rolledFrom(source, day, fromMs, instant);
      if (at !== null && (first === null || at < first)) first = at;
    }
    return first;
  }

  #ownAfter(day: number, instant: Instant): Instant | null {
    const from = Math.max(instant, this.#startOf(day) - 1);
    const next = this.#times.next(from);
    return next !== null && this.#calendar.localOf(next).day === day ? next : null;
  }

  #rolledFrom(source: number, day: number, fromMs: number, instant: Instant): Instant | null {
    let local: LocalTime = { day: source, ms: fromMs };
    let next = this.#times.next(this.#calendar.instantOf(local) - 1);
    while (next !== null) {
      local = this.#calendar.localOf(next);
      if (local.day !== source) return null;
      const at = this.#calendar.instantOf({ day, ms: local.ms });
      if (at > instant) return at;
      next = this.#times.next(next);
    }
    return null;
  }

  /** The business day onto which the first fire time after all that `day` gathers falls. */
  #nextTarget(day: number): number | null {
    const last = this.#step === 1 ? day : Math.max(...this.#sourcesOf(day));
    const next = this.#times.next(this.#startOf(last + 1) - 1);
    if (next === null) return null;
    const local = this.#calendar.localOf(next);
    return this.#calendar.isBusinessDay(local.day)
      ? local.day
      : this.#calendar.businessDay(local.day, this.#step);
  }

  #startOf(day: number): Instant {
    return this.#calendar.instantOf({ day, ms: 0 });
  }

  *#sourcesOf(day: number): Generator<number> {
    yield day;
    const neighbour = this.#calendar.businessDay(day, this.#step === 1 ? -1 : 1);
    if (neighbour === null) return;
    for (let source = day - this.#step; source !== neighbour; source -= this.#step) yield source;
  }
}
