/** Single times that have passed and are to run all the same: when they do, over the changes of a schedule. */
import { type AtSpec, itemsOf, type Schedule, type ScheduleSpec, type SpecItem } from "./schedule.js";

/**
 * A new schedule is decided from the moment at which it was made, a known id only from where its holder learns of
 * the change: a time that has passed by then waits for that.
 */
const ADOPTION_MS = 5_000;

/** The spec as it follows the one that is stored: what was made to run before does not run again. */
export function succeedingSpec(
  spec: ScheduleSpec,
  existing: Pick<Schedule, "spec" | "deleted"> | null,
): ScheduleSpec {
  if (existing === null) return spec;
  const earlier = existing.deleted ? [] : itemsOf(existing.spec).filter(isToRun);
  const succeed = <T extends SpecItem>(item: T): T => {
    if (!isToRun(item)) return item;
    const known = earlier.find(({ at }) => at === item.at);
    return { ...item, madeAt: known?.madeAt ?? item.madeAt + ADOPTION_MS };
  };
  return spec.kind === "composite" ? { ...spec, include: spec.include.map(succeed) } : succeed(spec);
}

function isToRun(item: SpecItem): item is AtSpec & { madeAt: number } {
  return item.kind === "at" && item.madeAt !== undefined;
}
