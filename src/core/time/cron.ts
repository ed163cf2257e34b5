/**
 * The fire times of a cron line.
 *
 * The line is matched against local time, a count of milliseconds like an instant but of the clock on the
 * wall; `LocalMatches` knows no zones. `CronLine` walks the segments of constant offset of the zone: within
 * one, the next match minus the offset is the next fire time. What happens where two segments meet:
 *
 * - Gap (the offset grows at T, local times are skipped). `next`: the line fires once at T for all its matches
 *   in the gap, their dates tested on the skipped date; a regular fire at T is the same fire. `skip`: it does not.
 * - Overlap (the offset shrinks, local times come twice). `first`, `second`: the line fires in that pass only.
 *   `both`: at its matches in both.
 *
 * By default a daily line, one whose hour field is a value or a list of values, has `next` and `first`, a
 * rhythmic line `skip` and `both`. That holds for every change of the offset, whole skipped days included.
 */
import type { CronSpec, DstPolicy, FireTimes, Instant } from "../schedule.js";
import { BoundedCache } from "./bounded-cache.js";
import { type CronFields, hasHashedValues, parseCronFields, plainLine } from "./cron-fields.js";
import { LocalMatches } from "./local-matches.js";
import { MAX_INSTANT, MIN_INSTANT, type Segment, type Zone, zoneNamed } from "./zone.js";

const SECOND_MS = 1000;
const DAY_MS = 86_400_000;

/**
 * A line that has not fired in forty-two years never will: the rarest date, a fifth weekday on a
 * 29 February, is at most forty years away. What is left fires only at times that the zone always skips.
 */
const HORIZON_MS = 42 * 366 * DAY_MS;

/** More than all changes of offset together move a clock: no zone has been a day and a half apart from itself. */
const LEAD_MS = 3 * DAY_MS;

/** A million schedules are written in a few thousand different lines; each is compiled once. */
const cache = new BoundedCache<CronLine>(8192);

/**
 * Reads the line and the zone; refuses either as `invalid`. The seed is the schedule's id: hashed values (`H`)
 * depend on it, and nothing else does.
 */
export function compileCron(spec: CronSpec, seed: string): CronLine {
  const { expression, timeZone, dst } = spec;
  const plain = hasHashedValues(expression) ? plainLine(expression, seed) : expression;
  const policy = dst === undefined ? "" : `${dst.gap} ${dst.overlap}`;
  const key = `${timeZone}\n${policy}\n${plain}`;
  const known = cache.get(key);
  if (known !== undefined) return known;
  const line = new CronLine(parseCronFields(expression, seed), zoneNamed(timeZone), dst);
  cache.set(key, line);
  return line;
}

export class CronLine implements FireTimes {
  readonly fields: CronFields;
  readonly zone: Zone;
  readonly matches: LocalMatches;
  /** What was asked for, with the defaults of the line. */
  readonly dst: { readonly [K in keyof DstPolicy]-?: NonNullable<DstPolicy[K]> };
  readonly #makesUp: boolean;
  readonly #skipsFirstPass: boolean;
  readonly #skipsSecondPass: boolean;

  constructor(fields: CronFields, zone: Zone, dst: DstPolicy = {}) {
    this.fields = fields;
    this.zone = zone;
    this.matches = new LocalMatches(fields);
    const gap = dst.gap ?? (fields.daily ? "next" : "skip");
    const overlap = dst.overlap ?? (fields.daily ? "first" : "both");
    this.dst = { gap, overlap };
    this.#makesUp = gap === "next";
    this.#skipsFirstPass = overlap === "second";
    this.#skipsSecondPass = overlap === "first";
  }

  next(instant: Instant): Instant | null {
    if (!(instant < MAX_INSTANT)) return null;
    const second = Math.floor(Math.max(instant, MIN_INSTANT) / SECOND_MS) * SECOND_MS;
    const horizon = second + HORIZON_MS;
    // The segment of the second before: if the search starts right at a gap, its make-up is still to come.
    let segment = this.zone.segmentAt(second);
    let from = second + SECOND_MS;
    for (;;) {
      const match = this.matches.atOrAfter(this.#localStart(from, segment));
      const at = match - segment.offsetMs;
      if (at < this.#end(segment)) return at <= MAX_INSTANT ? at : null;
      // No change near here brings an earlier match again, and the next one is far away: what changes in between
      // does not matter.
      const far = segment.until - from >= LEAD_MS;
      from = far ? Math.max(segment.until, at - LEAD_MS) : segment.until;
      if (from > horizon) return null;
      segment = this.zone.segmentAt(from);
      if (this.#makesUp && at >= from && match < from + segment.offsetMs) return from;
    }
  }

  /** Leaves out the local times that an overlap brings for the second time, if the line fires in the first pass. */
  #localStart(from: Instant, segment: Segment): number {
    const local = from + segment.offsetMs;
    return this.#skipsSecondPass ? Math.max(local, segment.from + segment.offsetBeforeMs) : local;
  }

  /** Leaves out the local times that will come again, if the line fires in the second pass. */
  #end(segment: Segment): Instant {
    return this.#skipsFirstPass ? Math.min(segment.until, segment.repeatsFrom) : segment.until;
  }
}
