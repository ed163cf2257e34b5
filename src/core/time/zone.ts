/**
 * The offset of a time zone at an instant, from the tz data of the platform.
 *
 * `Intl` answers one instant in a microsecond or more, far too slow to be asked at every step of a search.
 * So a zone is kept as a table: time is cut into chunks of fifty days; the first question about a
 * chunk samples it every three days, halves every stretch whose ends differ down to the second, and keeps
 * the segments of constant offset. Every later question is a look into the table. Chunks are short because
 * lines that fire once a year, or never, look at one in each year only.
 *
 * Three days find every change: over all zones and years of tzdata 2025c two changes are never closer than
 * 3.98 days (Africa/Freetown, September 1939), and rules for the future come in pairs a week or more apart.
 */
import { invalid, PunctualError } from "../errors.js";
import type { Instant } from "../schedule.js";

/** The first and the last instant that the platform can represent. */
export const MIN_INSTANT: Instant = -8_640_000_000_000_000;
export const MAX_INSTANT: Instant = 8_640_000_000_000_000;

const SECOND_MS = 1000;
const QUARTER_MS = 900_000;
const DAY_MS = 86_400_000;
const STEP_MS = 3 * DAY_MS;
const CHUNK_MS = 50 * DAY_MS;
/** More than any change of offset moves the clock (24 hours), and no more than two changes are apart. */
const LEAD_MS = STEP_MS;
const MAX_CHUNKS = 2048;

/** A stretch of time with one offset. Local time is `instant + offsetMs`. */
export interface Segment {
  /** Where the offset came into force, or the edge of the table when that is more than three days before. */
  readonly from: Instant;
  /** Exclusive: the next change, or the edge of the table, beyond which the offset may be the same. */
  readonly until: Instant;
  readonly offsetMs: number;
  /** The offset just before `from`; the same as `offsetMs` when nothing changed there. */
  readonly offsetBeforeMs: number;
  /** From here on the local times come again after the next change; infinite when that does not turn back. */
  readonly repeatsFrom: Instant;
}

/** A change of the offset. Grows: local times are skipped. Shrinks: local times come twice. */
export interface Transition {
  readonly at: Instant;
  readonly offsetBeforeMs: number;
  readonly offsetAfterMs: number;
}

export class Zone {
  readonly #format: Intl.DateTimeFormat;
  readonly #isUtc: boolean;
  readonly #chunks = new Map<number, readonly Segment[]>();
  #recent: Segment | undefined;

  /** @throws RangeError when the platform does not know `name`. */
  constructor(readonly name: string) {
    // The narrow weekday is the least that it can be asked for.
    const options = { timeZone: name, weekday: "narrow", timeZoneName: "longOffset" } as const;
    this.#format = new Intl.DateTimeFormat("en-US", options);
    this.#isUtc = this.#format.resolvedOptions().timeZone === "UTC";
  }

  /** Milliseconds to add to `instant` to get local time; negative west of Greenwich. */
  offsetAt(instant: Instant): number {
    return this.segmentAt(instant).offsetMs;
  }

  /** The segment with `from <= instant < until`. */
  segmentAt(instant: Instant): Segment {
    const recent = this.#recent;
    if (recent !== undefined && recent.from <= instant && instant < recent.until) return recent;
    const segment = this.#lookUp(instant);
    this.#recent = segment;
    return segment;
  }

  /** The first instant of a local date, given as days since 1970: midnight, or what comes for it in a gap. */
  startOfDay(day: number): Instant {
    const local = day * DAY_MS;
    // The offset a day and more before is that of before any change near midnight.
    let segment = this.segmentAt(local - DAY_MS);
    for (;;) {
      const at = local - segment.offsetMs;
      if (at < segment.until) return Math.max(at, segment.from);
      segment = this.segmentAt(segment.until);
    }
  }

  /** The changes of offset after `afterExclusive`, up to and with `untilInclusive`, in order of time. */
  transitionsBetween(afterExclusive: Instant, untilInclusive: Instant): Transition[] {
    const found: Transition[] = [];
    const last = Math.min(untilInclusive, MAX_INSTANT);
    let segment = this.segmentAt(Math.max(afterExclusive, MIN_INSTANT));
    while (segment.until <= last) {
      const next = this.segmentAt(segment.until);
      if (next.offsetMs !== segment.offsetMs) {
        found.push({ at: segment.until, offsetBeforeMs: segment.offsetMs, offsetAfterMs: next.offsetMs });
      }
      segment = next;
    }
    return found;
  }

  #lookUp(instant: Instant): Segment {
    const index = Math.floor(instant / CHUNK_MS);
    let chunk = this.#chunks.get(index);
    if (chunk === undefined) {
      if (this.#chunks.size >= MAX_CHUNKS) this.#chunks.clear();
      chunk = this.#build(index * CHUNK_MS);
      this.#chunks.set(index, chunk);
    }
    let low = 0;
    let high = chunk.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (instant < chunk[middle]!.until) high = middle;
      else low = middle + 1;
    }
    return chunk[low]!;
  }

  /** The segments of the chunk at `start`; the first one reaches back to its change if that is near. */
  #build(start: Instant): Segment[] {
    const end = start + CHUNK_MS;
    const segments: Segment[] = [];
    let from = start;
    let offsetMs = this.#ask(start - LEAD_MS);
    let offsetBeforeMs = offsetMs;
    let next: Transition | undefined;
    for (const change of this.#scan(start - LEAD_MS, end + LEAD_MS)) {
      next = change;
      if (change.at >= end) break;
      if (change.at > start) {
        const repeatsFrom = repetitionBefore(change);
        segments.push({ from, until: change.at, offsetMs, offsetBeforeMs, repeatsFrom });
      }
      from = change.at;
      offsetBeforeMs = change.offsetBeforeMs;
      offsetMs = change.offsetAfterMs;
    }
    const repeatsFrom = next !== undefined && next.at >= end ? repetitionBefore(next) : Infinity;
    segments.push({ from, until: end, offsetMs, offsetBeforeMs, repeatsFrom });
    return segments;
  }

  #scan(from: Instant, last: Instant): Transition[] {
    const found: Transition[] = [];
    let at = from;
    let offset = this.#ask(at);
    while (at < last) {
      const next = Math.min(at + STEP_MS, last);
      const nextOffset = this.#ask(next);
      if (nextOffset !== offset) {
        found.push({ at: this.#change(at, next, offset), offsetBeforeMs: offset, offsetAfterMs: nextOffset });
      }
      at = next;
      offset = nextOffset;
    }
    return found;
  }

  /** The first second in (low, high] at which the offset is no longer `offset`; nearly always a quarter of an hour. */
  #change(low: Instant, high: Instant, offset: number): Instant {
    const quarter = this.#firstChanged(low, high, offset, QUARTER_MS);
    if (this.#ask(quarter - SECOND_MS) === offset) return quarter;
    return this.#firstChanged(quarter - QUARTER_MS, quarter, offset, SECOND_MS);
  }

  /** The first multiple of `unit` in (low, high] that has another offset, both being multiples of it. */
  #firstChanged(low: Instant, high: Instant, offset: number, unit: number): Instant {
    let before = low / unit;
    let after = high / unit;
    while (after - before > 1) {
      const middle = Math.floor((before + after) / 2);
      if (this.#ask(middle * unit) === offset) before = middle;
      else after = middle;
    }
    return after * unit;
  }

  /** Asks the platform, which writes `M, GMT+00:53:28`. */
  #ask(instant: Instant): number {
    if (this.#isUtc) return 0;
    const text = this.#format.format(Math.min(Math.max(instant, MIN_INSTANT), MAX_INSTANT));
    const match = /GMT(?:([+-])(\d{2}):(\d{2})(?::(\d{2}))?)?$/.exec(text);
    if (match === null)
      throw new PunctualError("unsupported", `the platform gives no offset for ${this.name}: "${text}"`);
    const seconds = Number(match[2] ?? 0) * 3600 + Number(match[3] ?? 0) * 60 + Number(match[4] ?? 0);
    return seconds === 0 ? 0 : (match[1] === "-" ? -seconds : seconds) * SECOND_MS;
  }
}

/** The instant after which the local times come again because of `change`, for the first time. */
function repetitionBefore({ at, offsetBeforeMs, offsetAfterMs }: Transition): Instant {
  return offsetAfterMs < offsetBeforeMs ? at - (offsetBeforeMs - offsetAfterMs) : Infinity;
}

const zones = new Map<string, Zone>();

/** Whether the platform knows a time zone of this name. Upper and lower case are the same. */
export function isTimeZone(name: string): boolean {
  return find(name) !== undefined;
}

/** The zone of this name; its table is shared by all who ask. Refuses unknown names as `invalid`. */
export function zoneNamed(name: string): Zone {
  const zone = find(name);
  if (zone !== undefined) return zone;
  throw invalid(
    "timeZone",
    `expected an IANA time zone such as "Europe/Berlin", got ${JSON.stringify(name)}`,
  );
}

function find(name: string): Zone | undefined {
  // `undefined` would mean the zone of this machine.
  if (typeof name !== "string") return undefined;
  const key = name.toLowerCase();
  const known = zones.get(key);
  if (known !== undefined) return known;
  try {
    const zone = new Zone(name);
    zones.set(key, zone);
    return zone;
  } catch {
    return undefined;
  }
}
