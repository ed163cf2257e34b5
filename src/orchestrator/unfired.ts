/** Slots that are due, and that nobody has decided, or that were decided to fire and are not known to be stored. */
import type { LeaseRecord } from "../core/lease.js";
import type { Instant } from "../core/schedule.js";
import type { Definition } from "./definitions.js";

/** The oldest first. */
export function unfiredOf({ schedule, times }: Definition, lease: LeaseRecord, now: Instant): Instant[] {
  const isIts = ({ scheduleId }: { scheduleId: string }) => scheduleId === schedule.id;
  const firing = lease.firing.filter(isIts).map(({ slot }) => slot);
  const backlog = lease.backlog.filter(isIts).map(({ after }) => times.next(after));
  const undecided = times.next(Math.max(lease.cursor.time, schedule.effectiveFrom));
  const slots = [...firing, ...backlog, undecided].filter((slot) => slot !== null && slot <= now);
  return (slots as Instant[]).sort((a, b) => a - b);
}
