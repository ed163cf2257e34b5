/** What a change of offset did to the fire times of a cron line, in words. */
import type { Instant } from "../schedule.js";
import type { CronLine } from "./cron.js";
import type { Transition } from "./zone.js";

const SECOND_MS = 1000;
/** A line that was silent for decades has met many changes; the first few say enough. */
const MOST_SKIPS = 3;

/**
 * Remarks on the fire time `at` of a line whose fire before that was `after`: why it is not where the line says,
 * whether its local time comes twice, and which matches in between no clock has shown. None is the usual answer.
 * `at` need not be a fire time of the line: then only what was skipped since `after` is told.
 */
export function remarksOn(line: CronLine, after: Instant, at: Instant): string[] {
  const fires = line.next(at - 1) === at;
  return [...skipsOf(line, after, at), ...(fires ? [gapRemark(line, at), passRemark(line, at)] : [])].filter(
    (remark) => remark !== null,
  );
}

/** `02:30` of `2026-03-29`, or `02:30:15`. */
export function clockOf(local: number): string {
  const time = new Date(local).toISOString().split("T")[1]!;
  return time.slice(0, time.startsWith(":00.000", 5) ? 5 : 8);
}

/** `29 March`. */
export function dayNameOf(local: number): string {
  return new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long", timeZone: "UTC" }).format(local);
}

/** The local times of the line that a gap leaves out. */
export function matchesInGap(line: CronLine, { at, offsetBeforeMs, offsetAfterMs }: Transition): number[] {
  const end = at + offsetAfterMs;
  const found: number[] = [];
  let local = line.matches.atOrAfter(at + offsetBeforeMs);
  while (local < end) {
    found.push(local);
    local = line.matches.atOrAfter(local + SECOND_MS);
  }
  return found;
}

function skipsOf(line: CronLine, after: Instant, at: Instant): string[] {
  if (line.dst.gap !== "skip") return [];
  const skips: string[] = [];
  for (const change of line.zone.transitionsBetween(after, at)) {
    const matches = matchesInGap(line, change);
    if (matches.length > 0)
      skips.push(`${dayNameOf(matches[0]!)} skips ${timesOf(matches)}, no fire for that`);
    if (skips.length >= MOST_SKIPS) break;
  }
  return skips;
}

function gapRemark(line: CronLine, at: Instant): string | null {
  if (line.dst.gap !== "next") return null;
  const { from, offsetMs, offsetBeforeMs } = line.zone.segmentAt(at);
  if (from !== at || offsetMs <= offsetBeforeMs) return null;
  const matches = matchesInGap(line, { at, offsetBeforeMs, offsetAfterMs: offsetMs });
  if (matches.length === 0) return null;
  const regular = line.matches.atOrAfter(at + offsetMs) === at + offsetMs;
  return `${regular ? "also for" : "moved from"} ${timesOf(matches)}, which ${dayNameOf(matches[0]!)} skips`;
}

function passRemark(line: CronLine, at: Instant): string | null {
  const { from, offsetMs, offsetBeforeMs, repeatsFrom } = line.zone.segmentAt(at);
  const { overlap } = line.dst;
  const twice = `${clockOf(at + offsetMs)} comes twice, this is the`;
  if (at >= repeatsFrom) return `${twice} first${overlap === "first" ? "; the second does not fire" : ""}`;
  if (at + offsetMs < from + offsetBeforeMs)
    return `${twice} second${overlap === "second" ? "; the first did not fire" : ""}`;
  return null;
}

/** `02:30`, `02:00 and 02:30`, `02:00 to 02:55 (12 times)`. */
function timesOf(matches: readonly number[]): string {
  if (matches.length <= 2) return matches.map(clockOf).join(" and ");
  return `${clockOf(matches[0]!)} to ${clockOf(matches.at(-1)!)} (${matches.length} times)`;
}
