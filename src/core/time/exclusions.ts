/**
 * Fire times without those that are excluded.
 *
 * A search that looked at each excluded fire time in turn would take minutes over an excluded year of seconds.
 * So each exclusion says up to where it goes on, and the search jumps there.
 */
import type { FireTimes, Instant } from "../schedule.js";
import { MAX_INSTANT } from "./zone.js";

/** If `instant` is excluded: an instant after it before which no fire time is left. Else null. */
export type Excluded = (instant: Instant) => Instant | null;

/** After so many jumps in a row nothing is left: a jump passes the longest stretch that an exclusion knows of. */
const MOST_JUMPS = 10_000;
/** Nor after so many years of them, where one jump does not pass years by itself. */
const HORIZON_MS = 45 * 366 * 86_400_000;
const LONG_JUMP_MS = 20 * 366 * 86_400_000;

export function without(times: FireTimes, exclusions: readonly Excluded[]): FireTimes {
  return {
    next(instant) {
      let from = instant;
      let horizon = Number.POSITIVE_INFINITY;
      for (let jumps = 0; jumps < MOST_JUMPS; jumps++) {
        const next = times.next(from);
        if (next === null) return null;
        const until = endOf(exclusions, next);
        if (until === null) return next;
        if (jumps === 0 || until - next > LONG_JUMP_MS) horizon = until + HORIZON_MS;
        if (until > horizon || until >= MAX_INSTANT) return null;
        from = until - 1;
      }
      return null;
    },
  };
}

function endOf(exclusions: readonly Excluded[], instant: Instant): Instant | null {
  let end: Instant | null = null;
  for (const excluded of exclusions) {
    const until = excluded(instant);
    if (until !== null && (end === null || until > end)) end = until;
  }
  return end;
}
