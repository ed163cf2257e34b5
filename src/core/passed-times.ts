/** Single times that have passed and are to run all the same: when they do, over the changes of a schedule. */
import {
  type AtSpec,
  type Instant,
  itemsOf,
  type Schedule,
  type ScheduleSpec,
  type SpecItem,
} from "./schedule.js";

/**
 * A new schedule is decided from the moment at which it was made, a known id only from where its holder learns of
 * the change: a time that has passed by then waits for that.
 */
const ADOPTION_MS = 5_000;

/**
 * The spec as it follows the one that is stored: what was made to run before does not run again.
 *
 * @param now where the new revision begins
 */
export function succeedingSpec(
  spec: ScheduleSpec,
  existing: Pick<Schedule, "spec" | "deleted"> | null,
  now: Instant,
): ScheduleSpec {
  const earlier = existing === null || existing.deleted ? [] : itemsOf(existing.spec).filter(isToRun);
  const madeAt = existing === null ? now : now + ADOPTION_MS;
  const succeed = <T extends SpecItem>(item: T): T => {
    if (!isToRun(item)) return item;
    const known = earlier.find(({ at }) => at === item.at);
    return { ...item, madeAt: known?.madeAt ?? madeAt };
  };
  return spec.kind === "composite" ? { ...spec, include: spec.include.map(succeed) } : succeed(spec);
}

function isToRun(item: SpecItem): item is AtSpec & { madeAt: number } {
  return item.kind === "at" && item.madeAt !== undefined;
}
