import { limits } from "./limits.js";

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const PART = /(\d+(?:\.\d+)?)(ms|s|m|h|d)/g;
const WHOLE = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/;

/**
 * A duration in milliseconds: a number is milliseconds, a string is a sum of parts such as `90s`, `1h30m`,
 * `2d`, `250ms`. Null when it is neither, is not a whole number of milliseconds, or is too long.
 */
export function parseDuration(value: unknown): number | null {
  const ms = typeof value === "string" ? sumOfParts(value.trim()) : value;
  if (typeof ms !== "number" || !Number.isInteger(ms) || ms < 0 || ms > limits.maxDurationMs) return null;
  return ms;
}

function sumOfParts(text: string): number | null {
  if (!WHOLE.test(text)) return null;
  let sum = 0;
  for (const [, count, unit] of text.matchAll(PART)) sum += Number(count) * (UNITS[unit as string] as number);
  return Math.round(sum * 1_000) / 1_000;
}

/** The shortest exact form: `1h30m`, `250ms`, `0s`. */
export function formatDuration(ms: number): string {
  if (ms === 0) return "0s";
  let rest = ms;
  let text = "";
  for (const unit of ["d", "h", "m", "s", "ms"]) {
    const size = UNITS[unit] as number;
    const count = Math.floor(rest / size);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * size;
  }
  return text;
}
