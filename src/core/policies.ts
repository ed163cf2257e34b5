/** What a schedule says of its runs beside when and what. Every default changes nothing. */
import type { Instant } from "./instant.js";

/** What paused a schedule by itself, so that resuming it begins to count anew. */
export const pausers = ["max-runs", "failures"] as const;
export type Pauser = (typeof pausers)[number];

export interface RunPolicies {
  /** A run that has not started this long after its slot is expired, not run late. 0: no deadline. */
  startDeadlineMs: number;
  /** After so many fired slots the schedule pauses itself. 0: no limit. */
  maxRuns: number;
  /** Only slots after this instant count for `maxRuns`. */
  countsFrom: Instant;
  /** After so many failed runs in a row the schedule pauses itself. 0: never. */
  pauseOnFailure: number;
  /** Runs that may be queued or running at once, unless overlaps are allowed. */
  maxConcurrent: number;
  /** Runs that may wait, with the overlap policy `buffer-all`. */
  bufferLimit: number;
  /** Misfires of one schedule that are fired in a second. */
  catchUpRate: number;
  /** Until when it is paused; undefined: until it is resumed. */
  pausedUntil?: Instant | undefined;
  /** Undefined: people did. */
  pausedBy?: Pauser | undefined;
}

export const defaultPolicies: RunPolicies = {
  startDeadlineMs: 0,
  maxRuns: 0,
  countsFrom: 0,
  pauseOnFailure: 0,
  maxConcurrent: 1,
  bufferLimit: 100,
  catchUpRate: 10,
};

interface Pause {
  paused: boolean;
  pausedUntil?: Instant | undefined;
}

/** Whether a slot at `instant` falls into the pause: a pause that ends leaves the slot at its end alone. */
export function isPausedAt({ paused, pausedUntil }: Pause, instant: Instant): boolean {
  return paused && (pausedUntil === undefined || instant < pausedUntil);
}

/** The instant after which a pause has no say; null: it never ends by itself. */
export function pauseEndsAfter({ paused, pausedUntil }: Pause): Instant | null {
  if (!paused) return Number.NEGATIVE_INFINITY;
  return pausedUntil === undefined ? null : pausedUntil - 1;
}

/** The instant after which runs of a slot may not start any more. */
export function startsBefore(
  { startDeadlineMs }: Pick<RunPolicies, "startDeadlineMs">,
  slot: Instant,
): Instant {
  return startDeadlineMs === 0 ? Number.POSITIVE_INFINITY : slot + startDeadlineMs;
}
