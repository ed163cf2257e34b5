import type { Instant } from "../core/schedule.js";

/** From the fire time to the start of the first attempt; null for a later one, and where no schedule fired it. */
export function latenessOf(job: { fireTime: Instant | null }, attempt: number, now: Instant): number | null {
  return job.fireTime === null || attempt > 1 ? null : now - job.fireTime;
}
