import type { RateLimit } from "../../src/core/queue.js";

/**
 * How many more things happened than a rate allows, in the worst stretch of time; not positive: none.
 *
 * @param others count too, but no stretch ends with one of them; at the same time as one of `times`, they came after it
 */
export function excess(
  times: readonly number[],
  { limit, periodMs, burst }: RateLimit,
  others: readonly number[] = [],
): number {
  let worst = Number.NEGATIVE_INFINITY;
  const all = [
    ...times.map((at) => ({ at, isEnd: true })),
    ...others.map((at) => ({ at, isEnd: false })),
  ].sort((a, b) => a.at - b.at);
  for (const [j, { at: to, isEnd }] of all.entries())
    if (isEnd)
      for (const [i, { at: from }] of all.slice(0, j + 1).entries())
        worst = Math.max(worst, j - i + 1 - burst - ((to - from) * limit) / periodMs);
  return worst;
}
