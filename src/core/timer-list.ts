/** Jobs that wait for their time, as people look at them: by time, over all shards, without their bodies. */
import type { Instant } from "./instant.js";
import { minuteOf, type Timer } from "./timer.js";

/** A minute of a shard in which jobs fall due. */
export interface Crowd {
  minute: Instant;
  shard: number;
  count: number;
}

export interface TimerHead extends Timer {
  headers: Readonly<Record<string, string>>;
}

export interface CrowdRange {
  from: Instant;
  /** Of the minute of `from`, the shards from this one on. */
  fromShard: number;
  to: Instant;
  /** Timers. */
  enough: number;
}

export interface TimerList {
  /**
   * The next crowds, by minute and shard: as many as hold `enough` timers together, or more, or all that there are.
   * Minutes are looked at, not timers.
   */
  crowds(range: CrowdRange): Promise<Crowd[]>;
  /** Of a crowd, in the order of storing, those that were stored after a sequence; at most so many. */
  heads(crowd: Crowd, after: number, limit: number): Promise<TimerHead[]>;
}

/** In order, and no more of them than hold `enough`. */
export function nextCrowds(all: readonly Crowd[], { from, fromShard, to, enough }: CrowdRange): Crowd[] {
  const first = minuteOf(from);
  const isNext = ({ minute, shard }: Crowd) => minute > first || (minute === first && shard >= fromShard);
  const next = all.filter((crowd) => isNext(crowd) && crowd.minute <= to);
  const found: Crowd[] = [];
  let sum = 0;
  for (const crowd of next.sort((a, b) => a.minute - b.minute || a.shard - b.shard)) {
    if (sum >= enough) break;
    found.push(crowd);
    sum += crowd.count;
  }
  return found;
}
