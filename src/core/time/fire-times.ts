/** From what a schedule says about time to its fire times. */
import { invalid } from "../errors.js";
import type { AtSpec, EverySpec, FireTimes, Instant, ScheduleSpec } from "../schedule.js";
import { compileCron } from "./cron.js";
import { MAX_INSTANT, MIN_INSTANT } from "./zone.js";

/**
 * Checks a spec and compiles it. Refuses as `invalid`, naming the field of the spec. The seed is the schedule's
 * id, for hashed values.
 */
export function compileSpec(spec: ScheduleSpec, seed: string): FireTimes {
  switch (spec.kind) {
    case "cron":
      return compileCron(spec, seed);
    case "every":
      return compileEvery(spec);
    case "at":
      return compileAt(spec);
    default:
      throw invalid("kind", `expected "cron", "every" or "at", got ${JSON.stringify((spec as AtSpec).kind)}`);
  }
}

/**
 * The fire times after `afterExclusive`, up to and with `untilInclusive`, in order of time; the first `limit`
 * of them when there are more.
 */
export function fireTimesBetween(
  times: FireTimes,
  afterExclusive: Instant,
  untilInclusive: Instant,
  limit: number,
): Instant[] {
  const found: Instant[] = [];
  let at = afterExclusive;
  while (found.length < limit) {
    const next = times.next(at);
    if (next === null || next > untilInclusive) break;
    found.push(next);
    at = next;
  }
  return found;
}

function compileEvery({ everyMs, phaseMs }: EverySpec): FireTimes {
  if (!Number.isInteger(everyMs) || everyMs < 1 || everyMs > MAX_INSTANT) {
    throw invalid("everyMs", `expected a whole number of milliseconds, at least 1, got ${String(everyMs)}`);
  }
  if (!Number.isInteger(phaseMs) || phaseMs < 0 || phaseMs >= everyMs) {
    throw invalid(
      "phaseMs",
      `expected a whole number of milliseconds from 0 to ${everyMs - 1}, less than everyMs, got ${String(phaseMs)}`,
    );
  }
  return {
    next(instant) {
      if (!(instant < MAX_INSTANT)) return null;
      const from = Math.floor(Math.max(instant, MIN_INSTANT));
      const remainder = from % everyMs;
      const position = remainder < 0 ? remainder + everyMs : remainder;
      const wait = position < phaseMs ? phaseMs - position : phaseMs - position + everyMs;
      return from + wait <= MAX_INSTANT ? from + wait : null;
    },
  };
}

function compileAt({ at }: AtSpec): FireTimes {
  if (!Number.isInteger(at) || at < MIN_INSTANT || at > MAX_INSTANT) {
    throw invalid("at", `expected a whole number of milliseconds since 1970, got ${String(at)}`);
  }
  return { next: (instant) => (instant < at ? at : null) };
}
