/** What a producer publishes to `<ns>.enqueue.<queue>`: the body is the payload, the options are headers. */
import { invalid } from "../core/errors.js";
import { type Lane, laneOf, type Priority, priorities } from "../core/lane.js";
import { parseDuration } from "./duration.js";
import { headers as h } from "./headers.js";
import { limits } from "./limits.js";
import { checkJobId, checkQueue, isRunId, type Names } from "./names.js";
import { parseWith, show } from "./parse.js";
import { uniquePeriod } from "./time-input.js";

export interface IntakeRequest {
  queue: string;
  runId: string;
  unique: string | undefined;
  uniqueForMs: number | undefined;
  lane: Lane;
  /** Headers that stay on the job, each with a value that it may have. */
  kept: Readonly<Record<string, string>>;
  retry: { maxAttempts?: number };
  timeoutMs: number;
}

/** @throws invalid naming the header */
export function readIntake(
  message: { subject: string; headers: Readonly<Record<string, string>>; seq: number; storedAt: number },
  names: Names,
): IntakeRequest {
  const { headers } = message;
  for (const later of [h.at, h.delay]) {
    if (headers[later] !== undefined) throw invalid(later, "is not supported by this version");
  }
  const { [h.unique]: unique, [h.key]: key } = headers;
  return {
    queue: checkQueue(message.subject.slice(names.enqueue("").length)),
    runId: runIdOfMessage(message),
    unique: unique === undefined ? undefined : checkJobId(unique, h.unique),
    uniqueForMs: uniqueForOf(headers),
    lane: laneOf(priorityOf(headers[h.priority])),
    kept: key === undefined ? {} : { [h.key]: checkJobId(key, h.key) },
    retry: maxAttemptsOf(headers[h.maxAttempts]),
    timeoutMs: timeoutOf(headers[h.timeout]),
  };
}

/** The producer's own id, else one from where the message was stored: the same at every redelivery. */
function runIdOfMessage(message: {
  headers: Readonly<Record<string, string>>;
  seq: number;
  storedAt: number;
}): string {
  const own = message.headers[h.runId] ?? message.headers[h.msgId];
  if (own === undefined) return `job-${message.seq}-${message.storedAt.toString(36)}`;
  if (!isRunId(own)) throw invalid(h.msgId, `expected an id of A-Z a-z 0-9 _ = : -, got ${show(own)}`);
  return own;
}

function uniqueForOf(headers: Readonly<Record<string, string>>): number | undefined {
  const text = headers[h.uniqueFor];
  if (text === undefined) return undefined;
  if (headers[h.unique] === undefined) throw invalid(h.uniqueFor, `goes with ${h.unique}`);
  return parseWith(uniquePeriod, /^\d+$/.test(text) ? Number(text) : text, h.uniqueFor);
}

function priorityOf(text = "normal"): Priority {
  const priority = priorities.find((one) => one === text);
  if (priority !== undefined) return priority;
  throw invalid(h.priority, `expected one of ${priorities.join(", ")}, got ${show(text)}`);
}

function maxAttemptsOf(text: string | undefined): { maxAttempts?: number } {
  if (text === undefined) return {};
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > limits.maxAttempts) {
    throw invalid(
      h.maxAttempts,
      `expected a whole number from 1 to ${limits.maxAttempts}, got ${show(text)}`,
    );
  }
  return { maxAttempts: value };
}

function timeoutOf(text: string | undefined): number {
  if (text === undefined) return 0;
  const value = parseDuration(/^\d+$/.test(text) ? Number(text) : text);
  if (value === null) throw invalid(h.timeout, `expected a duration such as 30s, got ${show(text)}`);
  return value;
}
