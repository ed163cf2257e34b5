/** What a producer publishes to `<ns>.enqueue.<queue>`: the body is the payload, the options are headers. */
import { invalid } from "../core/errors.js";
import { type Lane, laneOf, type Priority, priorities } from "../core/lane.js";
import { defaultRetry } from "../core/retry.js";
import type { Instant, RetryPolicy } from "../core/schedule.js";
import { followerHeadersIn } from "./chain-input.js";
import { parseDuration } from "./duration.js";
import { askedOf } from "./enqueue-message.js";
import { headers as h, isOurs, withOurNames } from "./headers.js";
import { readLabels } from "./label-input.js";
import { limits } from "./limits.js";
import { checkJobId, checkQueue, isRunId, type Names } from "./names.js";
import { parseWith, show } from "./parse.js";
import { instant, uniquePeriod } from "./time-input.js";

export interface IntakeRequest {
  queue: string;
  runId: string;
  unique: string | undefined;
  uniqueForMs: number | undefined;
  lane: Lane;
  /** Headers that stay on the job, each with a value that it may have. */
  kept: Readonly<Record<string, string>>;
  /** When it is to be queued; that may have passed. */
  at: Instant;
  maxAttempts: number | undefined;
  backoff: Omit<RetryPolicy, "maxAttempts">;
  timeoutMs: number;
}

type Headers = Readonly<Record<string, string>>;

/** @throws invalid naming the header */
export function readIntake(
  message: { subject: string; headers: Headers; seq: number; storedAt: number },
  names: Names,
): IntakeRequest {
  const { storedAt } = message;
  const headers = withOurNames(message.headers);
  refuseUnknown(headers);
  const unique = headers[h.unique];
  const at = timeIn(headers, storedAt);
  return {
    queue: checkQueue(message.subject.slice(names.enqueue("").length)),
    runId: runIdOfMessage({ ...message, headers }),
    unique: unique === undefined ? undefined : checkJobId(unique, h.unique),
    uniqueForMs: uniqueForIn(headers),
    lane: laneOf(priorityIn(headers)),
    kept: keptIn(headers, at),
    at,
    maxAttempts: maxAttemptsIn(headers),
    backoff: backoffIn(headers),
    timeoutMs: durationIn(headers, h.timeout) ?? 0,
  };
}

/** An option that is misspelt is not passed over in silence. */
function refuseUnknown(headers: Headers): void {
  for (const name in headers) {
    if (/^punctual-/i.test(name) && !isOurs(name))
      throw invalid(name, `expected a header of Punctual, such as ${h.delay}, ${h.unique} or ${h.priority}`);
  }
}

/** The producer's own id, else one from where the message was stored: the same at every redelivery. */
function runIdOfMessage(message: { headers: Headers; seq: number; storedAt: number }): string {
  const own = message.headers[h.runId] ?? message.headers[h.msgId];
  if (own === undefined) return `job-${message.seq}-${message.storedAt.toString(36)}`;
  if (!isRunId(own)) throw invalid(h.msgId, `expected an id of A-Z a-z 0-9 _ = : -, got ${show(own)}`);
  return own;
}

function keptIn(headers: Headers, at: Instant): Record<string, string> {
  const { [h.key]: key, [h.labels]: labels } = headers;
  const startDeadline = startDeadlineIn(headers, at);
  return {
    ...(key !== undefined && { [h.key]: checkJobId(key, h.key) }),
    ...(labels !== undefined && { [h.labels]: readLabels(labels, h.labels) }),
    ...(startDeadline !== undefined && { [h.startDeadline]: new Date(startDeadline).toISOString() }),
    ...followerHeadersIn(headers),
  };
}

function uniqueForIn(headers: Headers): number | undefined {
  const text = headers[h.uniqueFor];
  if (text === undefined) return undefined;
  if (headers[h.unique] === undefined) throw invalid(h.uniqueFor, `goes with ${h.unique}`);
  return parseWith(uniquePeriod, /^\d+$/.test(text) ? Number(text) : text, h.uniqueFor);
}

function priorityIn(headers: Headers): Priority {
  const text = headers[h.priority] ?? "normal";
  const priority = priorities.find((one) => one === text);
  if (priority !== undefined) return priority;
  throw invalid(h.priority, `expected one of ${priorities.join(", ")}, got ${show(text)}`);
}

/** Counted from when the message was stored. */
function timeIn(headers: Headers, storedAt: Instant): Instant {
  const at = instantIn(headers, h.at);
  const delay = durationIn(headers, h.delay);
  if (at !== undefined && delay !== undefined)
    throw invalid(h.delay, `expected one of ${h.at}, ${h.delay}, got both`);
  return askedOf({ at, delay }, storedAt);
}

/** A time, or how long after it is due. */
function startDeadlineIn(headers: Headers, due: Instant): Instant | undefined {
  const text = headers[h.startDeadline];
  if (text === undefined) return undefined;
  const afterMs = parseDuration(text);
  if (afterMs !== null) return due + afterMs;
  const read = instant.safeParse(text);
  if (read.success) return read.data;
  throw invalid(
    h.startDeadline,
    `expected a duration such as 30s or an RFC 3339 time with offset, got ${show(text)}`,
  );
}

function maxAttemptsIn(headers: Headers): number | undefined {
  const text = headers[h.maxAttempts];
  if (text === undefined) return undefined;
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= limits.maxAttempts) return value;
  throw invalid(h.maxAttempts, `expected a whole number from 1 to ${limits.maxAttempts}, got ${show(text)}`);
}

function backoffIn(headers: Headers): Omit<RetryPolicy, "maxAttempts"> {
  const text = headers[h.backoff];
  if (text === undefined) return defaultRetry;
  const [initial, factor, most, ...more] = text.split(",");
  const initialDelayMs = readMs(initial);
  const maxDelayMs = readMs(most);
  const growth = Number(factor);
  const isGrowth = /^\d+(\.\d+)?$/.test(factor ?? "") && growth >= 1 && growth <= 100;
  if (initialDelayMs !== null && maxDelayMs !== null && isGrowth && more.length === 0)
    return { initialDelayMs, factor: growth, maxDelayMs };
  throw invalid(
    h.backoff,
    `expected <first wait>,<factor>,<longest wait> such as 1s,2,10m, got ${show(text)}`,
  );
}

function instantIn(headers: Headers, name: string): Instant | undefined {
  const text = headers[name];
  if (text === undefined) return undefined;
  const read = instant.safeParse(text);
  if (read.success) return read.data;
  throw invalid(name, `${read.error.issues[0]?.message}, got ${show(text)}`);
}

function durationIn(headers: Headers, name: string): number | undefined {
  const text = headers[name];
  if (text === undefined) return undefined;
  const ms = readMs(text);
  if (ms === null) throw invalid(name, `expected a duration such as 30s, got ${show(text)}`);
  return ms;
}

/** `30s`, or milliseconds. */
function readMs(text = ""): number | null {
  return parseDuration(/^\d+$/.test(text) ? Number(text) : text);
}
