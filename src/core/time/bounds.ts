/** Start and end of a schedule, and the stable shift of one that is spread. */
import { hash32, mix } from "../hash.js";
import type { FireTimes, Instant } from "../schedule.js";
import { MAX_INSTANT } from "./zone.js";

const SECOND_MS = 1_000;

/** The fire times from `startAt` to `endAt`, both included. */
export function between(
  times: FireTimes,
  startAt = Number.NEGATIVE_INFINITY,
  endAt = Number.POSITIVE_INFINITY,
): FireTimes {
  return {
    next(instant) {
      const next = times.next(Math.max(instant, startAt - 1));
      return next !== null && next <= endAt ? next : null;
    },
  };
}

/** The fire times, all later by the same. */
export function shifted(times: FireTimes, byMs: number): FireTimes {
  return {
    next(instant) {
      const next = times.next(instant - byMs);
      return next === null || next + byMs > MAX_INSTANT ? null : next + byMs;
    },
  };
}

/** The part of a window that belongs to an id: stable, evenly spread over many ids, in whole seconds if it can be. */
export function spreadOf(id: string, windowMs: number): number {
  const unit = windowMs >= 2 * SECOND_MS ? SECOND_MS : 1;
  const places = Math.floor(windowMs / unit);
  return places === 0 ? 0 : (mix(hash32(`spread/${id}`)) % places) * unit;
}

/**
 * How long after its fire time a run is published: from 0 to `jitterMs`, the same on every orchestrator, and never
 * as long as until the next fire time.
 */
export function jitterOf(id: string, slot: Instant, next: Instant | null, jitterMs: number): number {
  const most = next === null ? jitterMs : Math.min(jitterMs, next - slot - 1);
  return Math.floor((mix(hash32(`jitter/${id}/${slot}`)) / 2 ** 32) * (most + 1));
}
