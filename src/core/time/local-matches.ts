/** The local times that match a cron line. Knows no zones: local time is the clock on the wall. */
import { civilOf, dayOf, monthLength, weekdayOf } from "./civil.js";
import type { CronFields } from "./cron-fields.js";

const SECOND_MS = 1000;
const DAY_MS = 86_400_000;

/** Local times are milliseconds on the clock on the wall, counted like an instant in UTC. */
export class LocalMatches {
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
    const first = weekdayOf(dayOf(year, month, 1));
    if (!dayOfWeek.restricted) return this.#ofMonth(length, first) & all;
    const ofWeek = this.#ofWeek(length, first);
    return (dayOfMonth.restricted ? this.#ofMonth(length, first) | ofWeek : ofWeek) & all;
  }

  /** Days that the month lacks are among them. `first` is the weekday of the first of the month. */
  #ofMonth(length: number, first: number): number {
    const { last, nearest, nearestToLast } = this.#fields.dayOfMonth;
    let days = this.#daysOfMonth;
    if ((last | nearest | nearestToLast) === 0) return days;
    for (let date = 1; date <= length; date++) {
      const back = length - date;
      if ((last >>> back) & 1) days |= 1 << date;
      if (((nearest >>> date) | (nearestToLast >>> back)) & 1)
        days |= 1 << nearestWeekday(date, length, first);
    }
    return days;
  }

  #ofWeek(length: number, first: number): number {
    const { last, nth } = this.#fields.dayOfWeek;
    let days = everyWeek(this.#weekdays, first);
    if (last !== 0) days |= everyWeek(last, first) & (-1 << (length - 6));
    for (let k = 0; k < 5; k++) days |= aligned(nth[k]!, first) << (7 * k + 1);
    return days;
  }
}

function bits(values: readonly number[]): number {
  return values.reduce((mask, value) => mask | (1 << value), 0);
}

/** Monday to Friday, at most two days away, and never out of the month. */
function nearestWeekday(date: number, length: number, first: number): number {
  const weekday = (first + date - 1) % 7;
  if (weekday === 6) return date === 1 ? 3 : date - 1;
  if (weekday === 0) return date === length ? date - 2 : date + 1;
  return date;
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
