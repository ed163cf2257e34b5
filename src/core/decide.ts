import type { Instant, ScheduleDefinition } from "./schedule.js";

export type Decision = { kind: "fire" } | { kind: "skipped" | "missed"; reason: string };

/** A slot older than this is a misfire; younger ones are only late. The default of Quartz. */
export const MISFIRE_THRESHOLD_MS = 60_000;

const FIRE: Decision = { kind: "fire" };
const TOO_OLD: Decision = { kind: "missed", reason: "older than the catch-up window" };
const MISFIRE: Decision = { kind: "skipped", reason: "misfire" };

/**
 * What becomes of a slot that is due or soon will be.
 *
 * @param next the slot that follows it, or null
 */
export function decideSlot(
  definition: Pick<ScheduleDefinition, "misfire" | "catchUpWindowMs">,
  slot: Instant,
  next: Instant | null,
  now: Instant,
): Decision {
  if (slot < now - definition.catchUpWindowMs) return TOO_OLD;
  const stale = now - MISFIRE_THRESHOLD_MS;
  if (slot > stale) return FIRE;
  if (definition.misfire === "all") return FIRE;
  if (definition.misfire === "once" && (next === null || next > stale)) return FIRE;
  return MISFIRE;
}
