import type { RateLimit } from "../../src/core/queue.js";

/**
 * How many more things happened than a rate allows, in the worst stretch of time; not positive: none.
 *
 * @param ends only stretches that end at one of these times. Default: all
 */
export function excess(
  times: readonly number[],
  { limit, periodMs, burst }: RateLimit,
  ends: readonly number[] = times,
): number {
  let worst = Number.NEGATIVE_INFINITY;
  const sorted = [...times].sort((a, b) => a - b);
  const isEnd = new Set(ends);
  for (const [j, to] of sorted.entries())
    if (isEnd.has(to))
      for (const [i, from] of sorted.slice(0, j + 1).entries())
        worst = Math.max(worst, j - i + 1 - burst - ((to - from) * limit) / periodMs);
  return worst;
}
