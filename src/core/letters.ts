/** What a dead letter tells, and which letters are meant. */
import type { PastEvent } from "./lookback.js";
import type { Instant } from "./schedule.js";

/** Where the job of a letter may go back to. */
export const retryPlaces = ["queue", "gate", "front door"] as const;
export type RetryPlace = (typeof retryPlaces)[number];

export interface Letter {
  /** Its sequence in DEAD. */
  id: number;
  queue: string;
  runId: string;
  scheduleId: string | null;
  reason: string;
  /** Deliveries that it had. */
  attempts: number;
  /** Of the last attempt. */
  error: string | null;
  stack: string | null;
  /** Where the job lay: in WORK, or at the front door. */
  subject: string;
  /** Of the job's message there; null when the letter does not say so. */
  seq: number | null;
  diedAt: Instant;
  /** Of the job's body, and what is kept of it: the whole, but for bodies that left no room for the headers. */
  bodyBytes: number;
  keptBytes: number;
  headers: Readonly<Record<string, string>>;
}

/** Everything that is given must be so. */
export interface LetterFilter {
  queue?: string | undefined;
  schedule?: string | undefined;
  run?: string | undefined;
  /** A part of the reason, and of the error; upper and lower case are the same. */
  reason?: string | undefined;
  error?: string | undefined;
  /** When it died: from, and before. */
  since?: Instant | undefined;
  until?: Instant | undefined;
}

export function isMeant(filter: LetterFilter, letter: Letter): boolean {
  const { queue, schedule, run, reason, error, since, until } = filter;
  return (
    (queue === undefined || letter.queue === queue) &&
    (schedule === undefined || letter.scheduleId === schedule) &&
    (run === undefined || letter.runId === run) &&
    (reason === undefined || includes(letter.reason, reason)) &&
    (error === undefined || includes(letter.error ?? "", error)) &&
    (since === undefined || letter.diedAt >= since) &&
    (until === undefined || letter.diedAt < until)
  );
}

function includes(text: string, part: string): boolean {
  return text.toLowerCase().includes(part.toLowerCase());
}

/** An attempt that failed. */
export interface FailedAttempt {
  attempt: number;
  at: Instant;
  error: string | null;
  /** Until the next one; null after the last. */
  delayMs: number | null;
}

const ENDS: readonly string[] = ["succeeded", "dead", "expired", "cancelled"];

/**
 * The failed attempts that led to a letter, the first one first. A run id that a producer used again has ended more than
 * once: meant is the end nearest to the letter, which is stored just before its event.
 *
 * @param events of the run, the oldest first
 */
export function attemptsOf(events: readonly PastEvent[], diedAt: Instant): FailedAttempt[] {
  const series: PastEvent[][] = [[]];
  for (const event of events) {
    series.at(-1)?.push(event);
    if (ENDS.includes(event.type)) series.push([]);
  }
  const distance = (of: readonly PastEvent[]) =>
    of.at(-1)?.type === "dead" ? Math.abs((of.at(-1) as PastEvent).at - diedAt) : Number.POSITIVE_INFINITY;
  const own = series.reduce((best, next) => (distance(next) < distance(best) ? next : best));
  const meant = distance(own) === Number.POSITIVE_INFINITY ? (series.at(-1) as PastEvent[]) : own;
  return meant.filter(({ type }) => type === "retried" || type === "dead").map(failedAttempt);
}

function failedAttempt({ at, data }: PastEvent): FailedAttempt {
  const { attempt, error, delayMs } = data;
  return {
    attempt: typeof attempt === "number" ? attempt : 0,
    at,
    error: typeof error === "string" ? error : null,
    delayMs: typeof delayMs === "number" ? delayMs : null,
  };
}
