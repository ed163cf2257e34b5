/**
 * The rule for cron lines and time zones, applied to the letter and without any cleverness: every minute is
 * looked at, and its local time comes from `Intl` directly.
 */
import type { DstPolicy } from "../../../../src/core/schedule.js";
import { isDaily, type Line, matchingSeconds } from "./lines.js";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** Every fire in (from, until], by the definition. The offsets of the zone are whole minutes. */
export function literalFires(
  line: Line,
  zone: string,
  { from, until, dst = {} }: { from: number; until: number; dst?: DstPolicy },
): number[] {
  const gap = dst.gap ?? (isDaily(line) ? "next" : "skip");
  const overlap = dst.overlap ?? (isDaily(line) ? "first" : "both");
  const fires: number[] = [];
  const firstMinute = Math.floor(from / MINUTE) * MINUTE;
  for (let minute = firstMinute; minute <= until; minute += MINUTE) {
    const offset = offsetAt(zone, minute);
    const before = offsetAt(zone, minute - MINUTE);
    const makeUp = gap === "next" && offset > before && matchesWithin(line, minute + before, minute + offset);
    const matching = matchingSeconds(line, minute + offset).map((second) => minute + second * 1000);
    const leftOut =
      matching.length > 0 &&
      ((overlap === "first" && isSecondPass(zone, minute)) ||
        (overlap === "second" && isFirstPass(zone, minute)));
    const regular = leftOut ? [] : matching;
    const all = makeUp && regular[0] !== minute ? [minute, ...regular] : regular;
    fires.push(...all.filter((at) => at > from && at <= until));
  }
  return fires;
}

/** Whether an overlap has begun at T, and the local time at `minute` had been reached before T. */
function isSecondPass(zone: string, minute: number): boolean {
  const offset = offsetAt(zone, minute);
  for (let earlier = minute; earlier > minute - 25 * HOUR; earlier -= MINUTE) {
    const shrunkBy = offsetAt(zone, earlier - MINUTE) - offsetAt(zone, earlier);
    if (shrunkBy > 0) return minute + offset < earlier + offset + shrunkBy;
  }
  return false;
}

/** Whether an overlap will begin at T, and the local time at `minute` will be reached again after T. */
function isFirstPass(zone: string, minute: number): boolean {
  const offset = offsetAt(zone, minute);
  for (let later = minute + MINUTE; later <= minute + 25 * HOUR; later += MINUTE) {
    const after = offsetAt(zone, later);
    if (after < offset) return minute + offset >= later + after;
  }
  return false;
}

/** Whether a local time in [from, until) matches; both are whole minutes. */
function matchesWithin(line: Line, from: number, until: number): boolean {
  for (let local = from; local < until; local += MINUTE) {
    if (matchingSeconds(line, local).length > 0) return true;
  }
  return false;
}

const formats = new Map<string, Intl.DateTimeFormat>();
const offsets = new Map<string, Map<number, number>>();

/** The difference between what the clock on the wall shows and UTC, asked anew for every minute. */
export function offsetAt(zone: string, minute: number): number {
  let ofZone = offsets.get(zone);
  if (ofZone === undefined || ofZone.size > 200_000) {
    ofZone = new Map();
    offsets.set(zone, ofZone);
  }
  const known = ofZone.get(minute);
  if (known !== undefined) return known;
  const part = Object.fromEntries(
    formatOf(zone)
      .formatToParts(minute)
      .map(({ type, value }) => [type, Number(value)]),
  );
  const wall = Date.UTC(part.year!, part.month! - 1, part.day, part.hour, part.minute, part.second);
  ofZone.set(minute, wall - minute);
  return wall - minute;
}

function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone);
  if (known !== undefined) return known;
  const two = "2-digit";
  const format = new Intl.DateTimeFormat("en-CA", {
    timeZone: zone,
    hourCycle: "h23",
    year: "numeric",
    month: two,
    day: two,
    hour: two,
    minute: two,
    second: two,
  });
  formats.set(zone, format);
  return format;
}
