/** Searching a recurrence rule at a bounded cost. */
import type { RRuleTemporal } from "rrule-temporal";
import type { FireTimes, Instant } from "../schedule.js";
import { MAX_INSTANT, MIN_INSTANT } from "./zone.js";

/** The library gives up with an error: then there is nothing more, and that is remembered, as it has taken long. */
export class BoundedSearch implements FireTimes {
  readonly #rule: RRuleTemporal;
  /** There is nothing after this. */
  #over: Instant = Number.POSITIVE_INFINITY;

  constructor(rule: RRuleTemporal) {
    this.#rule = rule;
  }

  next(instant: Instant): Instant | null {
    if (instant >= this.#over || !(instant < MAX_INSTANT)) return null;
    const next = this.#search(Math.floor(Math.max(instant, MIN_INSTANT)));
    if (next === null) this.#over = instant;
    return next;
  }

  #search(instant: Instant): Instant | null {
    try {
      return this.#rule.next(new Date(instant))?.epochMilliseconds ?? null;
    } catch {
      return null;
    }
  }
}

/** A rule with COUNT: its occurrences are counted from the first one, once. */
export class CountedTimes implements FireTimes {
  readonly #rule: RRuleTemporal;
  #all: readonly Instant[] | undefined;

  constructor(rule: RRuleTemporal) {
    this.#rule = rule;
  }

  next(instant: Instant): Instant | null {
    this.#all ??= this.#count();
    let low = 0;
    let high = this.#all.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#all[middle] as Instant) > instant) high = middle;
      else low = middle + 1;
    }
    return this.#all[low] ?? null;
  }

  #count(): Instant[] {
    const found: Instant[] = [];
    try {
      this.#rule.all((time) => {
        found.push(time.epochMilliseconds);
        return true;
      });
    } catch {
      // It has given up on further ones.
    }
    return found;
  }
}
