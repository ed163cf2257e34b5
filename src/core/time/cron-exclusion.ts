/**
 * What a cron line excludes, and how far it goes on.
 *
 * A line that excludes every second of eleven months must be passed in one jump. Its fields tell how far: if it
 * takes all seconds of a minute, the search goes on at the first minute that it does not take; if it takes all
 * minutes of an hour, at the first such hour; and so on to the days. A second, minute or hour that no fire time
 * has anyway counts as taken, for `*\/2` without `*\/2` in winter to be passed in one jump as well.
 */
import type { Instant } from "../schedule.js";
import type { CronLine } from "./cron.js";
import type { Excluded } from "./exclusions.js";
import { MAX_INSTANT, type Segment } from "./zone.js";

const UNITS_MS = { second: 1_000, minute: 60_000, hour: 3_600_000, day: 86_400_000 };
/** Who takes all days of so many years takes every day: at most eight years lie between two 29 Februaries. */
const MOST_DAYS = 10 * 366;

/** Where a field is taken, by value. */
type Taken = readonly boolean[];

/**
 * @param wholeMinutes whether all of a minute is excluded in which the line fires
 * @param base the lines that fire, when there is nothing but lines; else null
 */
export function excludedByCron(
  line: CronLine,
  wholeMinutes: boolean,
  base: readonly CronLine[] | null,
): Excluded {
  const unit = wholeMinutes ? UNITS_MS.minute : UNITS_MS.second;
  const run = new Run(line, wholeMinutes, base?.every(({ zone }) => zone === line.zone) ? base : null);
  return (instant) => {
    const segment = line.zone.segmentAt(instant);
    const local = Math.floor((instant + segment.offsetMs) / unit) * unit;
    const start = local - segment.offsetMs;
    const matches = line.matches.atOrAfter(local) === local;
    // Without a match it can only fire right after a gap, to make up for it; such a fire stands alone.
    if ((!matches && start > segment.from) || line.next(start - 1) !== start) return null;
    if (!matches) return start + unit;
    const end = run.endAfter(local);
    if (end === MAX_INSTANT && line.dst.overlap === "both") return end;
    return Math.max(start + unit, Math.min(end - segment.offsetMs, lastOf(segment, line)));
  };
}

/** A run ends where the offset changes; before local times of which the line takes the second pass only. */
function lastOf({ until }: Segment, { dst }: CronLine): Instant {
  return dst.overlap === "second" ? until - UNITS_MS.day : until;
}

/** How long the local times go on that are taken. */
class Run {
  readonly #line: CronLine;
  readonly #seconds: Taken;
  readonly #minutes: Taken;
  readonly #hours: Taken;
  /** Remembered: all days from the one until the other are taken. */
  #knownFrom = MAX_INSTANT;
  #knownFree = MAX_INSTANT;

  constructor(line: CronLine, wholeMinutes: boolean, base: readonly CronLine[] | null) {
    const taken = (name: "second" | "minute" | "hour", count: number): Taken =>
      Array.from({ length: count }, (_, value) => {
        if (line.fields[name].values.includes(value)) return true;
        return base !== null && !base.some(({ fields }) => fields[name].values.includes(value));
      });
    this.#line = line;
    this.#seconds = wholeMinutes ? new Array(60).fill(true) : taken("second", 60);
    this.#minutes = taken("minute", 60);
    this.#hours = taken("hour", 24);
  }

  /** @param local is taken, as is all up to the end, which is not */
  endAfter(local: number): number {
    const { second, minute, hour, day } = UNITS_MS;
    const levels = [
      { taken: this.#seconds, unit: second, whole: minute },
      { taken: this.#minutes, unit: minute, whole: hour },
      { taken: this.#hours, unit: hour, whole: day },
    ];
    for (const { taken, unit, whole } of levels) {
      const start = Math.floor(local / whole) * whole;
      const free = taken.indexOf(false, (local - start) / unit);
      if (free >= 0) return start + free * unit;
      if (taken.includes(false)) return start + whole;
      local = start;
    }
    return this.#freeDayAfter(local);
  }

  /** `MAX_INSTANT` when there is none. */
  #freeDayAfter(day: number): number {
    if (this.#knownFrom <= day && day < this.#knownFree) return this.#knownFree;
    const last = day + MOST_DAYS * UNITS_MS.day;
    let free = day + UNITS_MS.day;
    while (free < last && this.#line.matches.atOrAfter(free) < free + UNITS_MS.day) free += UNITS_MS.day;
    this.#knownFrom = day;
    this.#knownFree = free < last ? free : MAX_INSTANT;
    return this.#knownFree;
  }
}
