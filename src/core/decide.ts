import { startsBefore } from "./policies.js";
import type { Instant, ScheduleDefinition } from "./schedule.js";

/** `catch up`: fired as a misfire. */
export type Decision = { kind: "fire" } | { kind: "catch up" } | NotFired;

export interface NotFired {
  kind: "skipped" | "missed" | "expired";
  reason: string;
}

/** A slot older than this is a misfire; younger ones are only late. The default of Quartz. */
export const MISFIRE_THRESHOLD_MS = 60_000;

const FIRE: Decision = { kind: "fire" };
const CATCH_UP: Decision = { kind: "catch up" };
const TOO_OLD: Decision = { kind: "missed", reason: "older than the catch-up window" };
const EXPIRED: Decision = { kind: "expired", reason: "start deadline" };
const MISFIRE: Decision = { kind: "skipped", reason: "misfire" };

/**
 * What becomes of a slot that is due or soon will be.
 *
 * @param next the slot that follows it, or null
 */
export function decideSlot(
  definition: Pick<ScheduleDefinition, "misfire" | "catchUpWindowMs" | "startDeadlineMs">,
  slot: Instant,
  next: Instant | null,
  now: Instant,
): Decision {
  if (slot < now - definition.catchUpWindowMs) return TOO_OLD;
  if (now > startsBefore(definition, slot)) return EXPIRED;
  const stale = now - MISFIRE_THRESHOLD_MS;
  if (slot > stale) return FIRE;
  if (definition.misfire === "all") return CATCH_UP;
  if (definition.misfire === "once" && (next === null || next > stale)) return CATCH_UP;
  return MISFIRE;
}
