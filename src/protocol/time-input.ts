/** Durations and instants as people and programs write them. */
import { z } from "zod";
import { parseDuration } from "./duration.js";

const DURATION = 'expected a duration such as "90s", "1h30m" or whole milliseconds, at most 366 days';

/** `"10m"`, `"1h30m"`, or milliseconds. */
export const duration = z
  .union([z.string(), z.number()], { error: DURATION })
  .refine((value) => parseDuration(value) !== null, { error: DURATION, abort: true })
  .transform((value) => parseDuration(value) as number);

export const instant = z
  .string()
  .refine((value) => isInstant(value), {
    error: 'expected an RFC 3339 time with offset such as "2026-12-24T18:00:00Z"',
    abort: true,
  })
  .transform((value) => Date.parse(value));

/** `Date.parse` takes the 30th of February for a day in March, and an hour 24. */
function isInstant(text: string): boolean {
  const match = /^(\d{4})-(\d\d)-(\d\d)[Tt]([01]\d|2[0-3]):\d\d(:\d\d(\.\d+)?)?([Zz]|[+-]\d\d:\d\d)$/.exec(
    text,
  );
  if (match === null || Number.isNaN(Date.parse(text))) return false;
  const [year, month, day] = match.slice(1, 4).map(Number) as [number, number, number];
  return day <= new Date(Date.UTC(year, month, 0)).getUTCDate();
}
