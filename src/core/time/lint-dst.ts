/** The next time that the clocks have something to do with a line, so that it can be known before. */
import type { Instant } from "../schedule.js";
import type { CronLine } from "./cron.js";
import type { Finding } from "./finding.js";
import { clockOf, dayNameOf, matchesInGap } from "./remarks.js";
import type { Transition } from "./zone.js";

/** Two cycles of weekdays and dates around the switches, nearly: a yearly line meets them seldom. */
const AHEAD_MS = 12 * 366 * 86_400_000;

/** At most one of each kind. A rhythmic line of all hours loses and repeats nothing that would be missed. */
export function dstFindings(line: CronLine, now: Instant): Finding[] {
  if (!line.fields.daily && line.fields.hour.values.length === 24) return [];
  let gap: Finding | undefined;
  let overlap: Finding | undefined;
  for (const change of line.zone.transitionsBetween(now, now + AHEAD_MS)) {
    if (change.offsetAfterMs > change.offsetBeforeMs) gap ??= gapFinding(line, change);
    else overlap ??= overlapFinding(line, change);
    if (gap !== undefined && overlap !== undefined) break;
  }
  return [gap, overlap].filter((finding) => finding !== undefined);
}

function gapFinding(line: CronLine, change: Transition): Finding | undefined {
  const [local] = matchesInGap(line, change);
  if (local === undefined) return undefined;
  const then =
    line.dst.gap === "next" ? `fires at ${clockOf(change.at + change.offsetAfterMs)}` : "does not fire";
  return { code: "dst-gap", message: `${momentOf(line, local)} does not come: the line ${then}` };
}

function overlapFinding(
  line: CronLine,
  { at, offsetBeforeMs, offsetAfterMs }: Transition,
): Finding | undefined {
  const local = line.matches.atOrAfter(at + offsetAfterMs);
  if (local >= at + offsetBeforeMs) return undefined;
  const passes = { first: "the first time", second: "the second time", both: "both times" };
  return {
    code: "dst-overlap",
    message: `${momentOf(line, local)} comes twice: the line fires ${passes[line.dst.overlap]}`,
  };
}

/** `02:30 on 29 March 2026 in Europe/Berlin`. */
function momentOf(line: CronLine, local: number): string {
  return `${clockOf(local)} on ${dayNameOf(local)} ${new Date(local).getUTCFullYear()} in ${line.zone.name}`;
}
