import type { RateLimit } from "../../src/core/queue.js";

/** How many more things happened than a rate allows, in the worst stretch of time; not positive: none. */
export function excess(times: readonly number[], { limit, periodMs, burst }: RateLimit): number {
  let worst = Number.NEGATIVE_INFINITY;
  const sorted = [...times].sort((a, b) => a - b);
  for (const [i, from] of sorted.entries())
    for (let j = i; j < sorted.length; j++)
      worst = Math.max(worst, j - i + 1 - burst - (((sorted[j] as number) - from) * limit) / periodMs);
  return worst;
}
