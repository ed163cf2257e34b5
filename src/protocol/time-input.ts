/** Times as people write them: durations, instants, local times, and lists of such. */
import { z } from "zod";
import { parseDuration } from "./duration.js";
import { limits } from "./limits.js";
import { read as readBy } from "./parse.js";

const DURATION = 'expected a duration such as "90s", "1h30m" or whole milliseconds, at most 366 days';

/** `"10m"`, `"1h30m"`, or milliseconds. */
export const duration = z
  .union([z.string(), z.number()], { error: DURATION })
  .refine((value) => parseDuration(value) !== null, { error: DURATION, abort: true })
  .transform((value) => parseDuration(value) as number);

/** How long a key may be unique. */
export const uniquePeriod = duration.refine((ms) => ms >= 1_000 && ms <= limits.uniqueForMs, {
  error: "expected 1s to 31d",
});

export const instant = z
  .string()
  .refine((value) => isInstant(value), {
    error: 'expected an RFC 3339 time with offset such as "2026-12-24T18:00:00Z"',
    abort: true,
  })
  .transform((value) => Date.parse(value));

/** `2026-01-31`, `2026-01-31T09:00` or with seconds; read as the longest of them. */
export const localTime = z
  .string()
  .refine((value) => isInstant(`${fullLocal(value)}Z`), {
    error: 'expected a local time without offset such as "2026-01-31T09:00:00"',
    abort: true,
  })
  .transform(fullLocal);

/** One, or a list of at least one; read as a list. */
export function oneOrMany<Output>(schema: z.ZodType<Output, string>, most: number) {
  return z.unknown().transform((value, context) => {
    const list = Array.isArray(value) ? value : [value];
    if (list.length === 0 || list.length > most)
      context.addIssue({ code: "custom", message: `expected 1 to ${most} entries, got ${list.length}` });
    return list.flatMap((one, index) => {
      const read = readBy(schema, one);
      if (read.success) return [read.data];
      const path = Array.isArray(value) ? [index] : [];
      for (const { message } of read.error.issues) context.addIssue({ code: "custom", path, message });
      return [];
    });
  }) as unknown as z.ZodType<Output[], string | string[]>;
}

function fullLocal(value: string): string {
  if (/^\d{4}-\d\d-\d\d$/.test(value)) return `${value}T00:00:00`;
  return /T\d\d:\d\d$/.test(value) ? `${value}:00` : value;
}

/** `Date.parse` takes the 30th of February for a day in March, and an hour 24. */
function isInstant(text: string): boolean {
  const match = /^(\d{4})-(\d\d)-(\d\d)[Tt]([01]\d|2[0-3]):\d\d(:\d\d(\.\d+)?)?([Zz]|[+-]\d\d:\d\d)$/.exec(
    text,
  );
  if (match === null || Number.isNaN(Date.parse(text))) return false;
  const [year, month, day] = match.slice(1, 4).map(Number) as [number, number, number];
  return day <= new Date(Date.UTC(year, month, 0)).getUTCDate();
}
