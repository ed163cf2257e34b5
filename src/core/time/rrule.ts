/**
 * The fire times of a recurrence rule (RFC 5545, section 3.3.10).
 *
 * `rrule-temporal` computes them. It passes by parts that it does not know or that are out of range, and gives up
 * with an error after a number of periods; so a rule is read here first, and rules that can never match are found
 * before they are searched for.
 *
 * By the RFC, a local time that the clocks skip is left out, and of one that comes twice the first is meant.
 */
import { RRuleTemporal } from "rrule-temporal";
import { invalid } from "../errors.js";
import type { FireTimes, RruleSpec } from "../schedule.js";
import { BoundedSearch, CountedTimes } from "./rrule-search.js";
import { zoneNamed } from "./zone.js";

const EXAMPLE = "FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=17";
const DEFAULT_START = "1970-01-01T00:00:00";
const MONTH_LENGTHS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
export const MOST_COUNT = 10_000;

/** How many periods to look at before a rule is said to be over: a hundred years of the long ones. */
const PERIODS: Readonly<Record<string, number>> = {
  YEARLY: 100,
  MONTHLY: 1_200,
  WEEKLY: 5_300,
  DAILY: 15_000,
  HOURLY: 1_000,
  MINUTELY: 1_000,
  SECONDLY: 1_000,
};

/** With BYSETPOS each of them takes long. */
const PICKED_PERIODS: Readonly<Record<string, number>> = {
  ...PERIODS,
  YEARLY: 40,
  MONTHLY: 120,
  WEEKLY: 110,
  DAILY: 400,
};

interface Part {
  /** Of one value. */
  pattern?: RegExp;
  min?: number;
  max?: number;
  /** Counting from the end, or one value only. */
  negative?: boolean;
  single?: boolean;
  expected: string;
}

const number = (min: number, max: number, more: Partial<Part> = {}): Part => ({
  min,
  max,
  expected: `${more.single === true ? "a whole number" : "whole numbers"} from ${min} to ${max}${
    more.negative === true ? `, or from -${max} to -${min}` : ""
  }`,
  ...more,
});

const PARTS: Readonly<Record<string, Part>> = {
  FREQ: {
    pattern: /^(?:YEARLY|MONTHLY|WEEKLY|DAILY|HOURLY|MINUTELY|SECONDLY)$/,
    single: true,
    expected: Object.keys(PERIODS).join(", "),
  },
  INTERVAL: number(1, 1_000_000, { single: true }),
  COUNT: number(1, MOST_COUNT, { single: true }),
  UNTIL: { pattern: /^\d{8}(?:T\d{6}Z?)?$/, single: true, expected: "a time such as 20261231T235959Z" },
  BYSECOND: number(0, 59),
  BYMINUTE: number(0, 59),
  BYHOUR: number(0, 23),
  BYDAY: { pattern: /^(?:[+-]?[1-9]\d?)?(?:MO|TU|WE|TH|FR|SA|SU)$/, expected: "weekdays such as MO or -1FR" },
  BYMONTHDAY: number(1, 31, { negative: true }),
  BYYEARDAY: number(1, 366, { negative: true }),
  BYWEEKNO: number(1, 53, { negative: true }),
  BYMONTH: number(1, 12),
  BYSETPOS: number(1, 366, { negative: true }),
  WKST: { pattern: /^(?:MO|TU|WE|TH|FR|SA|SU)$/, single: true, expected: "a weekday such as MO" },
};

/** Reads the rule and the zone; refuses either as `invalid`. */
export function compileRrule({ rule, timeZone, start = DEFAULT_START }: RruleSpec): FireTimes {
  const parts = partsOf(rule);
  zoneNamed(timeZone);
  if (neverMatches(parts)) return { next: () => null };
  const frequency = (parts.get("FREQ") as string[])[0] as string;
  const count = Number(parts.get("COUNT")?.[0] ?? 0);
  const dtstart = start.replace(/[-:]/g, "");
  try {
    const recurrence = new RRuleTemporal({
      rruleString: `DTSTART;TZID=${timeZone}:${dtstart}\nRRULE:${rule.toUpperCase()}`,
      maxIterations: periodsOf(frequency, parts.has("BYSETPOS")) + 10 * count,
    });
    return count > 0 ? new CountedTimes(recurrence) : new BoundedSearch(recurrence);
  } catch (error) {
    throw refused(`expected a rule such as ${EXAMPLE}: ${(error as Error).message}`);
  }
}

function periodsOf(frequency: string, picksByPosition: boolean): number {
  return (picksByPosition ? PICKED_PERIODS : PERIODS)[frequency] as number;
}

function partsOf(rule: string): ReadonlyMap<string, readonly string[]> {
  const parts = new Map<string, string[]>();
  for (const text of rule.toUpperCase().split(";")) {
    const [name = "", value = "", ...more] = text.split("=");
    const part = PARTS[name];
    if (part === undefined || more.length > 0)
      throw refused(`expected parts as in ${EXAMPLE}, got ${JSON.stringify(text)}`);
    if (parts.has(name)) throw refused(`expected one ${name}, got two`);
    const values = value.split(",");
    if ((part.single === true && values.length > 1) || !values.every((one) => fits(part, one)))
      throw refused(`${name}: expected ${part.expected}, got ${JSON.stringify(value)}`);
    parts.set(name, values);
  }
  if (!parts.has("FREQ")) throw refused(`expected FREQ, as in ${EXAMPLE}, got ${JSON.stringify(rule)}`);
  if (parts.has("COUNT") && parts.has("UNTIL")) throw refused("expected COUNT or UNTIL, got both");
  return parts;
}

function fits({ pattern, min = 0, max = 0, negative = false }: Part, value: string): boolean {
  if (pattern !== undefined) return pattern.test(value);
  if (!/^[+-]?\d{1,7}$/.test(value)) return false;
  const number = Number(value);
  return (number >= min && number <= max) || (negative && -number >= min && -number <= max);
}

/** No month of BYMONTH has a day of BYMONTHDAY. */
function neverMatches(parts: ReadonlyMap<string, readonly string[]>): boolean {
  const days = parts.get("BYMONTHDAY")?.map((day) => Math.abs(Number(day)));
  const months = parts.get("BYMONTH")?.map(Number);
  if (days === undefined || months === undefined) return false;
  return !months.some((month) => days.some((day) => day <= (MONTH_LENGTHS[month - 1] as number)));
}

const refused = (message: string) => invalid("rrule", message);
