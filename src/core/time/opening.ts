/** When a calendar is open: its days and hours in local time, and the instants at which that changes. */
import { type CalendarDefinition, type OpenHours, weekdays } from "../calendar.js";
import type { FireTimes, Instant } from "../schedule.js";
import { MAX_INSTANT, type Zone, zoneNamed } from "./zone.js";

export const DAY_MS = 86_400_000;

/** A calendar that does not open for so many days never does. */
const MOST_DAYS = 3_000;
/** Turns of the clocks and closings between two openings: fifty years of them. */
const MOST_EDGES = 100;
const ALL_DAY: readonly OpenHours[] = [{ fromMs: 0, toMs: DAY_MS }];
const CLOSED: readonly OpenHours[] = [];

/** A place on the clock on the wall: days since 1 January 1970, and milliseconds of that day. */
export interface LocalTime {
  day: number;
  ms: number;
}

export class OpeningTimes {
  readonly #zone: Zone;
  /** By weekday, Sunday first. */
  readonly #week: readonly (readonly OpenHours[])[];
  readonly #dates: ReadonlySet<number>;
  /** Month and day as they are written: `12-25`. */
  readonly #yearly: ReadonlySet<string>;

  /** Refuses an unknown time zone as `invalid`. */
  constructor(calendar: CalendarDefinition) {
    this.#zone = zoneNamed(calendar.timeZone);
    this.#week = weekdays.map((weekday) =>
      calendar.businessDays.includes(weekday) ? (calendar.hours[weekday] ?? ALL_DAY) : CLOSED,
    );
    const isYearly = (date: string) => date.length === 5;
    this.#yearly = new Set(calendar.holidays.filter(isYearly));
    const dated = calendar.holidays.filter((date) => !isYearly(date));
    this.#dates = new Set(dated.map((date) => Date.parse(`${date}T00:00:00Z`) / DAY_MS));
  }

  isBusinessDay(day: number): boolean {
    return this.#hoursOf(day).length > 0;
  }

  isOpen(instant: Instant): boolean {
    const { day, ms } = this.localOf(instant);
    return this.#hoursOf(day).some((hours) => hours.fromMs <= ms && ms < hours.toMs);
  }

  /** The first instant after `instant` at which it is open if it is closed now, or closed if it is open now. */
  changeAfter(instant: Instant): Instant {
    const isOpen = this.isOpen(instant);
    const edge = isOpen
      ? this.#closingAfter(this.localOf(instant))
      : this.#openingAfter(this.localOf(instant));
    const change = edge === null ? MAX_INSTANT : this.instantAfter(edge, instant);
    // Where the clocks are turned back the same local times come again.
    const turn = this.#zone.segmentAt(instant).until;
    return change > turn ? turn : change;
  }

  /** The next business day after `day`, or before it; null when there is none for years. */
  businessDay(day: number, step: 1 | -1): number | null {
    for (let days = 1; days <= MOST_DAYS; days++) {
      if (this.isBusinessDay(day + step * days)) return day + step * days;
    }
    return null;
  }

  localOf(instant: Instant): LocalTime {
    const local = instant + this.#zone.offsetAt(instant);
    const day = Math.floor(local / DAY_MS);
    return { day, ms: local - day * DAY_MS };
  }

  /** The first instant after `after` at which the clock on the wall shows `local`, or has skipped it. */
  instantAfter({ day, ms }: LocalTime, after: Instant): Instant {
    const local = day * DAY_MS + ms;
    let segment = this.#zone.segmentAt(after);
    for (;;) {
      const at = Math.max(local - segment.offsetMs, segment.from, after + 1);
      if (at < segment.until) return at;
      if (segment.until >= MAX_INSTANT) return MAX_INSTANT;
      segment = this.#zone.segmentAt(segment.until);
    }
  }

  /** The first instant of that local time; of one that is skipped, the instant right after the gap. */
  instantOf(local: LocalTime): Instant {
    return this.instantAfter(local, local.day * DAY_MS + local.ms - 2 * DAY_MS);
  }

  #openingAfter({ day, ms }: LocalTime): LocalTime | null {
    for (let days = 0; days <= MOST_DAYS; days++) {
      const hours = this.#hoursOf(day + days).find(({ fromMs }) => days > 0 || fromMs > ms);
      if (hours !== undefined) return { day: day + days, ms: hours.fromMs };
    }
    return null;
  }

  #closingAfter({ day, ms }: LocalTime): LocalTime | null {
    let now = ms;
    for (let days = 0; days <= MOST_DAYS; days++) {
      const hours = this.#hoursOf(day + days).find(({ fromMs, toMs }) => fromMs <= now && now < toMs);
      if (hours === undefined) return { day: day + days, ms: now };
      if (hours.toMs < DAY_MS) return { day: day + days, ms: hours.toMs };
      now = 0;
    }
    return null;
  }

  #hoursOf(day: number): readonly OpenHours[] {
    if (this.#dates.has(day)) return CLOSED;
    if (this.#yearly.size > 0 && this.#yearly.has(new Date(day * DAY_MS).toISOString().slice(-19, -14)))
      return CLOSED;
    return this.#week[(((day + 4) % 7) + 7) % 7] as readonly OpenHours[];
  }
}

/** Fires whenever the calendar opens. */
export function openings(calendar: OpeningTimes): FireTimes {
  return {
    next(instant) {
      let at = Math.floor(instant);
      for (let edges = 0; edges < MOST_EDGES && at < MAX_INSTANT; edges++) {
        const wasOpen = calendar.isOpen(at);
        at = calendar.changeAfter(at);
        if (!wasOpen && at < MAX_INSTANT && calendar.isOpen(at)) return at;
      }
      return null;
    },
  };
}
