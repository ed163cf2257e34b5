/** From what a schedule says about time to its fire times. */
import { type CalendarLookup, noCalendars } from "../calendar.js";
import type { FireTimes, Instant, ScheduleSpec } from "../schedule.js";
import { compileComposite } from "./composite.js";
import { compileItem } from "./items.js";

/**
 * Checks a spec and compiles it. Refuses as `invalid`, naming the field of the spec. The seed is the schedule's
 * id, for hashed values.
 */
export function compileSpec(
  spec: ScheduleSpec,
  seed: string,
  calendars: CalendarLookup = noCalendars,
): FireTimes {
  if (spec.kind === "composite") return compileComposite(spec, seed, calendars);
  return compileItem(spec, { seed, calendars });
}

/**
 * The fire times after `afterExclusive`, up to and with `untilInclusive`, in order of time; the first `limit`
 * of them when there are more.
 */
export function fireTimesBetween(
  times: FireTimes,
  afterExclusive: Instant,
  untilInclusive: Instant,
  limit: number,
): Instant[] {
  const found: Instant[] = [];
  let at = afterExclusive;
  while (found.length < limit) {
    const next = times.next(at);
    if (next === null || next > untilInclusive) break;
    found.push(next);
    at = next;
  }
  return found;
}
