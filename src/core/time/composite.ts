/** A composite spec, compiled part by part: union, calendar, exclusions, bounds, spread. */

import { invalid, PunctualError } from "../errors.js";
import type { CalendarRule, CompositeSpec, Exclusion, FireTimes } from "../schedule.js";
import { between, shifted, spreadOf } from "./bounds.js";
import { CronLine, compileCron } from "./cron.js";
import { excludedByCron } from "./cron-exclusion.js";
import { type Excluded, without } from "./exclusions.js";
import { compileItem, type ItemContext, openingTimesOf } from "./items.js";
import type { OpeningTimes } from "./opening.js";
import { rolled } from "./roll.js";
import { unionOf } from "./union.js";

/** Checks a spec and compiles it. Refuses as `invalid`, naming the field, as in `exclude[0].calendar`. */
export function compileComposite(
  spec: CompositeSpec,
  seed: string,
  calendars: ItemContext["calendars"],
): FireTimes {
  const { startAt, endAt, calendar: rule, spreadMs } = spec;
  checkBounds(spec);
  const context = { seed, calendars, startAt };
  const parts = spec.include.map((item, index) => at(`include[${index}].`, () => compileItem(item, context)));
  const calendar =
    rule === undefined ? null : at("calendar.", () => named(() => openingTimesOf(rule.name, calendars)));
  const lines = parts.every((part) => part instanceof CronLine) && !moves(rule) ? parts : null;
  const excluded = spec.exclude.map((exclusion, index) =>
    at(`exclude[${index}].`, () => compileExclusion(exclusion, context, lines)),
  );
  if (calendar !== null && rule?.roll === "skip") excluded.push(whileIn(calendar, "closed"));

  let times = unionOf(parts);
  if (calendar !== null && moves(rule))
    times = rolled(times, calendar, rule?.roll === "next-business-day" ? "next" : "previous");
  if (excluded.length > 0) times = without(times, excluded);
  if (startAt !== undefined || endAt !== undefined) times = between(times, startAt, endAt);
  return spreadMs > 0 ? shifted(times, spreadOf(seed, spreadMs)) : times;
}

function checkBounds({ include, startAt, endAt }: CompositeSpec): void {
  if (include.length === 0) throw invalid("include", "expected at least one entry, got none");
  if (startAt !== undefined && endAt !== undefined && endAt < startAt) {
    const iso = (instant: number) => new Date(instant).toISOString();
    throw invalid("endAt", `expected a time not before startAt, ${iso(startAt)}, got ${iso(endAt)}`);
  }
}

const moves = (rule: CalendarRule | undefined): boolean => rule !== undefined && rule.roll !== "skip";

function compileExclusion(
  exclusion: Exclusion,
  { seed, calendars }: ItemContext,
  lines: readonly CronLine[] | null,
): Excluded {
  switch (exclusion.kind) {
    case "cron":
      return excludedByCron(compileCron(exclusion, seed), hasFiveFields(exclusion.expression), lines);
    case "at":
      return (instant) => (instant === exclusion.at ? instant + 1 : null);
    case "range":
      return inRange(exclusion);
    case "calendar":
      return whileIn(openingTimesOf(exclusion.calendar, calendars), exclusion.when);
  }
}

const hasFiveFields = (expression: string): boolean => expression.trim().split(/\s+/).length !== 6;

function inRange({ from, to }: Extract<Exclusion, { kind: "range" }>): Excluded {
  if (!(from < to)) throw invalid("to", "expected a time after from");
  return (instant) => (instant >= from && instant < to ? to : null);
}

function whileIn(calendar: OpeningTimes, state: "closed" | "open"): Excluded {
  return (instant) =>
    calendar.isOpen(instant) === (state === "open") ? calendar.changeAfter(instant) : null;
}

/** What is refused in here lies under `prefix`. */
function at<T>(prefix: string, compile: () => T): T {
  try {
    return compile();
  } catch (error) {
    const [issue] = error instanceof PunctualError ? error.issues : [];
    throw issue === undefined ? error : invalid(prefix + issue.path, issue.message);
  }
}

/** A calendar rule names its calendar `name`. */
function named<T>(compile: () => T): T {
  try {
    return compile();
  } catch (error) {
    const [issue] = error instanceof PunctualError ? error.issues : [];
    throw issue?.path === "calendar" ? invalid("name", issue.message) : error;
  }
}
