/** The fire times of each thing that a schedule can include. */
import type { CalendarDefinition, CalendarLookup } from "../calendar.js";
import { invalid } from "../errors.js";
import type { AtSpec, EverySpec, FireTimes, Instant, SpecItem } from "../schedule.js";
import { compileCron } from "./cron.js";
import { OpeningTimes, openings } from "./opening.js";
import { compileRrule } from "./rrule.js";
import { MAX_INSTANT, MIN_INSTANT } from "./zone.js";

/** What an item's meaning depends on besides itself. */
export interface ItemContext {
  /** The schedule's id, for hashed values. */
  seed: string;
  calendars: CalendarLookup;
  startAt?: Instant | undefined;
}

/** Checks an item and compiles it. Refuses as `invalid`, naming the field of the item. */
export function compileItem(item: SpecItem, context: ItemContext): FireTimes {
  switch (item.kind) {
    case "cron":
      return compileCron(item, context.seed);
    case "every":
      return compileEvery(item, context.startAt);
    case "at":
      return compileAt(item);
    case "rrule":
      return compileRrule(item);
    case "opening":
      return openings(openingTimesOf(item.calendar, context.calendars));
    default:
      throw invalid(
        "kind",
        `expected "cron", "every", "at", "rrule", "opening" or "composite", got ${JSON.stringify((item as AtSpec).kind)}`,
      );
  }
}

/** Many schedules go by one calendar. */
const known = new WeakMap<CalendarDefinition, OpeningTimes>();

/** Refuses a calendar that was never made as `invalid`. */
export function openingTimesOf(name: string, calendars: CalendarLookup): OpeningTimes {
  const calendar = calendars(name);
  if (calendar !== undefined) {
    const opening = known.get(calendar) ?? new OpeningTimes(calendar);
    known.set(calendar, opening);
    return opening;
  }
  throw invalid("calendar", `expected a calendar that exists, got ${JSON.stringify(name)}`);
}

function compileEvery({ everyMs, phaseMs, anchor }: EverySpec, startAt: Instant | undefined): FireTimes {
  if (!Number.isInteger(everyMs) || everyMs < 1 || everyMs > MAX_INSTANT) {
    throw invalid("everyMs", `expected a whole number of milliseconds, at least 1, got ${String(everyMs)}`);
  }
  if (!Number.isInteger(phaseMs) || phaseMs < 0 || phaseMs >= everyMs) {
    throw invalid(
      "phaseMs",
      `expected a whole number of milliseconds from 0 to ${everyMs - 1}, less than everyMs, got ${String(phaseMs)}`,
    );
  }
  if (anchor === "startAt" && startAt === undefined) {
    throw invalid("anchor", "expected startAt to be given, as the interval is anchored to it, got none");
  }
  const origin = anchor === "startAt" ? modulo(startAt as Instant, everyMs) : 0;
  const first = (origin + phaseMs) % everyMs;
  return {
    next(instant) {
      if (!(instant < MAX_INSTANT)) return null;
      const from = Math.floor(Math.max(instant, MIN_INSTANT));
      const position = modulo(from, everyMs);
      const wait = position < first ? first - position : first - position + everyMs;
      return from + wait <= MAX_INSTANT ? from + wait : null;
    },
  };
}

function compileAt({ at, madeAt }: AtSpec): FireTimes {
  for (const [name, value] of Object.entries({ at, madeAt: madeAt ?? 0 })) {
    if (!Number.isInteger(value) || value < MIN_INSTANT || value > MAX_INSTANT)
      throw invalid(name, `expected a whole number of milliseconds since 1970, got ${String(value)}`);
  }
  const time = madeAt === undefined ? at : Math.max(at, madeAt + 1);
  return { next: (instant) => (instant < time ? time : null) };
}

/** Never negative. */
function modulo(value: number, divisor: number): number {
  const remainder = value % divisor;
  return remainder < 0 ? remainder + divisor : remainder;
}
