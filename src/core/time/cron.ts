/**
 * The fire times of a cron line.
 *
 * The line is matched against local time, a count of milliseconds like an instant but of the clock on the
 * wall; `LocalMatches` knows no zones. `CronTimes` walks the segments of constant offset of the zone: within
 * one, the next match minus the offset is the next fire time. What happens where two segments meet:
 *
 * - Gap (the offset grows at T, local times are skipped). A daily line, one whose hour field is a value or a
 *   list of values, fires once at T for all its matches in the gap, their dates tested on the skipped date;
 *   a regular fire at T is the same fire. A rhythmic line gets no make-up.
 * - Overlap (the offset shrinks, local times come twice). A daily line fires in the first pass only, a
 *   rhythmic line at its matches in both.
 *
 * That holds for every change of the offset, whole skipped days included.
 */
import type { CronSpec, FireTimes, Instant } from "../schedule.js";
import { type CronFields, parseCronFields } from "./cron-fields.js";
import { MAX_INSTANT, MIN_INSTANT, type Zone, zoneNamed } from "./zone.js";

const SECOND_MS = 1000;
const DAY_MS = 86_400_000;

/**
 * A line that has not fired in a hundred years never will: the rarest date, a fifth weekday on a
 * 29 February, is at most forty years away. What is left fires only at times that the zone always skips.
 */
const HORIZON_MS = 100 * 366 * DAY_MS;

/** Reads the line and the zone; refuses either as `invalid`. */
export function compileCron(spec: CronSpec): FireTimes {
  return new CronTimes(parseCronFields(spec.expression), zoneNamed(spec.timeZone));
}

class CronTimes implements FireTimes {
  readonly #matches: LocalMatches;
  readonly #daily: boolean;
  readonly #zone: Zone;

  constructor(fields: CronFields, zone: Zone) {
    this.#matches = new LocalMatches(fields);
    this.#daily = fields.daily;
    this.#zone = zone;
  }

  next(instant: Instant): Instant | null {
    if (!(instant < MAX_INSTANT)) return null;
    const second = Math.floor(Math.max(instant, MIN_INSTANT) / SECOND_MS) * SECOND_MS;
    const horizon = second + HORIZON_MS;
    // The segment of the second before: if the search starts right at a gap, its make-up is still to come.
    let segment = this.#zone.segmentAt(second);
    let from = second + SECOND_MS;
    for (;;) {
      const match = this.#matches.atOrAfter(this.#localStart(from, segment));
      const at = match - segment.offsetMs;
      if (at < segment.until) return at <= MAX_INSTANT ? at : null;
      from = segment.until;
      if (from > horizon) return null;
      segment = this.#zone.segmentAt(from);
      if (this.#daily && match < from + segment.offsetMs) return from;
    }
  }

  /** A daily line starts after the local times that an overlap brings for the second time. */
  #localStart(from: Instant, segment: { from: Instant; offsetMs: number; offsetBeforeMs: number }): number {
    const local = from + segment.offsetMs;
    return this.#daily ? Math.max(local, segment.from + segment.offsetBeforeMs) : local;
  }
}

/** The local times, in milliseconds on the clock on the wall, that match a line. */
class LocalMatches {
  readonly #fields: CronFields;
  /** Bit `d` for day `d` of the month, where day of month and day of week allow it in every month. */
  readonly #daysOfMonth: number;
  readonly #weekdays: number;
  /** Seconds of the day. */
  readonly #firstTime: number;
  /** Seconds of the hour. */
  readonly #firstInHour: number;
  #cachedMonth = Number.NaN;
  #cachedDays = 0;

  constructor(fields: CronFields) {
    this.#fields = fields;
    this.#daysOfMonth = bits(fields.dayOfMonth.values);
    this.#weekdays = bits(fields.dayOfWeek.values);
    this.#firstInHour = fields.minute.values[0]! * 60 + fields.second.values[0]!;
    this.#firstTime = fields.hour.values[0]! * 3600 + this.#firstInHour;
  }

  /** The first match not before `local`, which is a whole second. */
  atOrAfter(local: number): number {
    const day = Math.floor(local / DAY_MS);
    const found = this.#dayFrom(day);
    if (found > day) return found * DAY_MS + this.#firstTime * SECOND_MS;
    const time = this.#timeFrom((local - day * DAY_MS) / SECOND_MS);
    if (time >= 0) return day * DAY_MS + time * SECOND_MS;
    return this.#dayFrom(day + 1) * DAY_MS + this.#firstTime * SECOND_MS;
  }

  /** The first matching second of the day not before `time`, or -1. */
  #timeFrom(time: number): number {
    const { second, minute, hour } = this.#fields;
    const h = (time / 3600) | 0;
    const m = ((time - h * 3600) / 60) | 0;
    if (hour.next[h] === h) {
      const nextSecond = second.next[time - h * 3600 - m * 60]!;
      if (minute.next[m] === m && nextSecond >= 0) return h * 3600 + m * 60 + nextSecond;
      const nextMinute = minute.next[m + 1]!;
      if (nextMinute >= 0) return h * 3600 + nextMinute * 60 + second.values[0]!;
    }
    const nextHour = hour.next[h + 1]!;
    return nextHour < 0 ? -1 : nextHour * 3600 + this.#firstInHour;
  }

  /** The first matching day not before `day`, both counted from 1 January 1970. A line always has one. */
  #dayFrom(day: number): number {
    let { year, month, date } = civilOf(day);
    for (;;) {
      const candidate = this.#fields.month.next[month]!;
      if (candidate !== month) {
        date = 1;
        month = candidate < 0 ? this.#fields.month.values[0]! : candidate;
        if (candidate < 0) year++;
      }
      const days = this.#daysOf(year, month) & (-1 << date);
      if (days !== 0) return dayOf(year, month, 31 - Math.clz32(days & -days));
      date = 1;
      month++;
    }
  }

  /** Bit `d` for every day `d` of the month that matches. */
  #daysOf(year: number, month: number): number {
    const key = year * 16 + month;
    if (key !== this.#cachedMonth) {
      this.#cachedDays = this.#computeDays(year, month);
      this.#cachedMonth = key;
    }
    return this.#cachedDays;
  }

  #computeDays(year: number, month: number): number {
    const { dayOfMonth, dayOfWeek } = this.#fields;
    const length = monthLength(year, month);
    const all = (-1 >>> (31 - length)) & ~1;
    if (!dayOfMonth.restricted && !dayOfWeek.restricted) return all;
    const ofMonth = this.#daysOfMonth | (dayOfMonth.last === 0 ? 0 : 1 << length);
    if (!dayOfWeek.restricted) return ofMonth & all;
    const first = (((dayOf(year, month, 1) + 4) % 7) + 7) % 7;
    let ofWeek = everyWeek(this.#weekdays, first);
    if (dayOfWeek.last !== 0) ofWeek |= everyWeek(dayOfWeek.last, first) & (-1 << (length - 6));
    for (let k = 0; k < 5; k++) ofWeek |= aligned(dayOfWeek.nth[k]!, first) << (7 * k + 1);
    return (dayOfMonth.restricted ? ofMonth | ofWeek : ofWeek) & all;
  }
}

function bits(values: readonly number[]): number {
  return values.reduce((mask, value) => mask | (1 << value), 0);
}

/** Seven bits, Sunday first, turned so that the weekday of the first of the month is bit 0. */
function aligned(weekdays: number, first: number): number {
  return ((weekdays >> first) | (weekdays << (7 - first))) & 127;
}

/** Bit `d` for every day `d` of a month of 31 days that falls on one of `weekdays`. */
function everyWeek(weekdays: number, first: number): number {
  const week = aligned(weekdays, first);
  return (week | (week << 7) | (week << 14) | (week << 21) | (week << 28)) << 1;
}

function monthLength(year: number, month: number): number {
  if (month !== 2) return 30 + ((month + (month >> 3)) & 1);
  return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
}

/**
 * Days since 1 January 1970 of a date in the Gregorian calendar, and back. Years begin in March there, so that
 * the odd day comes last. After Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
 */
function dayOf(year: number, month: number, date: number): number {
  const y = month > 2 ? year : year - 1;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = (((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) | 0) + date - 1;
  const dayOfEra = yearOfEra * 365 + ((yearOfEra / 4) | 0) - ((yearOfEra / 100) | 0) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

function civilOf(day: number): { year: number; month: number; date: number } {
  const shifted = day + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra =
    ((dayOfEra - ((dayOfEra / 1460) | 0) + ((dayOfEra / 36_524) | 0) - ((dayOfEra / 146_096) | 0)) / 365) | 0;
  const dayOfYear = dayOfEra - (365 * yearOfEra + ((yearOfEra / 4) | 0) - ((yearOfEra / 100) | 0));
  const shiftedMonth = ((5 * dayOfYear + 2) / 153) | 0;
  const date = dayOfYear - (((153 * shiftedMonth + 2) / 5) | 0) + 1;
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, date };
}
