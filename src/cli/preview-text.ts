/** A preview on the screen, and from when on it is asked for. */
import { invalid } from "../core/errors.js";
import type { Instant } from "../core/schedule.js";
import { zoneNamed } from "../core/time/zone.js";
import { instant } from "../protocol/time-input.js";
import { type Output, utcTime } from "./output.js";

export interface ShownPreview {
  fires: readonly { at: Instant; local: string; note: string | null }[];
  timeZone: string;
  tzData: string;
}

/** With `--json` a list of `{at, local, note}`; else a table. The release of the tz data is a note. */
export function showPreview(output: Output, { fires, timeZone, tzData }: ShownPreview): void {
  const values = fires.map(({ at, local, note }) => ({ at: new Date(at).toISOString(), local, note }));
  output.show(values, () => {
    if (fires.length === 0) output.note("it does not fire in that time");
    else output.table(...tableOf(fires, timeZone));
  });
  output.note(`tz data ${tzData}`);
}

function tableOf(fires: ShownPreview["fires"], timeZone: string): [columns: string[], rows: string[][]] {
  const zoned = timeZone !== "UTC";
  const noted = fires.some(({ note }) => note !== null);
  const columns = ["UTC", ...(zoned ? [timeZone.toUpperCase()] : []), ...(noted ? ["NOTE"] : [])];
  const rows = fires.map(({ at, local, note }) => [
    utcTime(at),
    ...(zoned ? [spaced(local)] : []),
    ...(noted ? [note ?? ""] : []),
  ]);
  return [columns, rows];
}

/** `2026-03-29T03:00:00+02:00` → `2026-03-29 03:00:00 +02:00`. */
const spaced = (local: string): string => local.replace("T", " ").replace(/(?=[+-][\d:]+$)/, " ");

/** What `--from` says: after this time, or from the beginning of this date in the zone on. */
export function fromOf(text: string | undefined, timeZone: string): Instant | undefined {
  if (text === undefined) return undefined;
  const date = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(text) : Number.NaN;
  // `Date.parse` takes the 30th of February for a day in March.
  if (!Number.isNaN(date) && new Date(date).toISOString().startsWith(text))
    return zoneNamed(timeZone).startOfDay(date / 86_400_000) - 1;
  const parsed = instant.safeParse(text);
  if (parsed.success) return parsed.data;
  throw invalid(
    "--from",
    `expected a date such as 2026-12-24 or an RFC 3339 time with offset such as 2026-12-24T18:00:00Z, got ${JSON.stringify(text)}`,
  );
}
