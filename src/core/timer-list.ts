/** Jobs that wait for their time, as people look at them: by time, over all shards, without their bodies. */
import type { Instant } from "./instant.js";
import type { Timer } from "./timer.js";

/** A minute in which jobs fall due. */
export interface Crowd {
  minute: Instant;
  count: number;
}

export interface TimerHead extends Timer {
  headers: Readonly<Record<string, string>>;
}

export interface TimerList {
  /**
   * The next minutes for which there are any, in order: as many as hold `enough` of them together, or more, or all that
   * there are. Minutes are looked at, not timers.
   */
  crowds(range: { from: Instant; to: Instant; enough: number }): Promise<Crowd[]>;
  /** Of one minute, in the order of storing, those that were stored after a sequence; at most so many. */
  heads(minute: Instant, after: number, limit: number): Promise<TimerHead[]>;
}

/** In order, and no more of them than hold `enough`. */
export function nextCrowds(all: readonly Crowd[], from: Instant, to: Instant, enough: number): Crowd[] {
  const counts = new Map<Instant, number>();
  for (const { minute, count } of all)
    if (minute >= from && minute <= to) counts.set(minute, (counts.get(minute) ?? 0) + count);
  const found: Crowd[] = [];
  let sum = 0;
  for (const [minute, count] of [...counts].sort(([a], [b]) => a - b)) {
    if (sum >= enough) break;
    found.push({ minute, count });
    sum += count;
  }
  return found;
}
