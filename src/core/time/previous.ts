/** Looking back over fire times, which only tell what comes next. */
import type { FireTimes, Instant } from "../schedule.js";

const FIRST_LOOK_MS = 60_000;
const GROWTH = 8;
/** Longer than the longest gap of a calendar: 29 February, over 1900. */
const LONGEST_LOOK_MS = FIRST_LOOK_MS * GROWTH ** 8;

/** The last fire time before `slot`; null when there is none in the 30 years before it. */
export function previousFireTime(times: FireTimes, slot: Instant): Instant | null {
  for (let look = FIRST_LOOK_MS; look <= LONGEST_LOOK_MS; look *= GROWTH) {
    const first = times.next(slot - look - 1);
    if (first !== null && first < slot) return lastBefore(times, first, slot);
  }
  return null;
}

/** Bisects: `found` is a fire time, and there is none from `high` up to `slot`. */
function lastBefore(times: FireTimes, first: Instant, slot: Instant): Instant {
  let found = first;
  let high = slot;
  while (found + 1 < high) {
    const next = times.next(found);
    if (next === null || next >= slot) return found;
    found = next;
    const middle = Math.floor((found + high) / 2);
    const later = times.next(middle);
    if (later !== null && later < slot) found = later;
    else high = middle + 1;
  }
  return found;
}
