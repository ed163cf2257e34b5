/**
 * Two other engines, and the differences from them that are meant. Whatever else differs is a mistake, most
 * probably ours.
 */
import { CronExpressionParser } from "cron-parser";
import { Cron } from "croner";
import type { Instant } from "../../../../src/core/schedule.js";
import { compileCron } from "../../../../src/core/time/cron.js";
import { type Transition, zoneNamed } from "../../../../src/core/time/zone.js";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

export interface Question {
  line: string;
  zone: string;
  after: Instant;
}

export const engines: Readonly<Record<string, (question: Question) => Instant | null>> = {
  croner({ line, zone, after }) {
    const cron = new Cron(line, { timezone: zone, paused: true });
    return cron.nextRun(new Date(after))?.getTime() ?? null;
  },
  "cron-parser"({ line, zone, after }) {
    return CronExpressionParser.parse(line, { currentDate: new Date(after), tz: zone })
      .next()
      .getTime();
  },
};

export function ours({ line, zone, after }: Question): Instant | null {
  return compileCron({ kind: "cron", expression: line, timeZone: zone }, "").next(after);
}

/** What makes an answer of another engine differ from ours by our rule; null when nothing does. */
export type NamedDifference =
  /** A daily line fires once at the end of a gap for all that it skips; they shift each match, or drop it. */
  | "make-up"
  /** A rhythmic line gets nothing for a gap; they shift the match, cron-parser always by a full hour. */
  | "no make-up"
  /** A daily line does not fire in the second pass; they do when they start within it. */
  | "second pass"
  /** A rhythmic line fires in both passes; they leave one out. */
  | "both passes";

export function namedDifference(question: Question, theirs: Instant | null): NamedDifference | null {
  const mine = ours(question);
  const line = compileCron({ kind: "cron", expression: question.line, timeZone: question.zone }, "");
  const { daily } = line.fields;
  for (const change of changesNear(question.zone, [mine, theirs])) {
    const { at, offsetBeforeMs, offsetAfterMs } = change;
    const width = Math.abs(offsetAfterMs - offsetBeforeMs);
    const isNear = (instant: Instant | null) => instant !== null && instant >= at && instant <= at + width;
    const grows = offsetAfterMs > offsetBeforeMs;
    if (grows && daily && mine === at) return "make-up";
    if (grows && !daily && theirs !== null && theirs >= at && theirs < at + width + HOUR) return "no make-up";
    if (!grows && daily && isNear(theirs)) return "second pass";
    if (!grows && !daily && (isNear(mine) || isNear(theirs))) return "both passes";
  }
  return null;
}

function changesNear(zone: string, instants: (Instant | null)[]): Transition[] {
  return instants.flatMap((instant) =>
    instant === null ? [] : zoneNamed(zone).transitionsBetween(instant - 2 * DAY, instant + 2 * DAY),
  );
}
