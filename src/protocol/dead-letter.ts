/** A dead letter's message: what is read from it, and the job that it becomes when it is retried. */
import type { LetterHead } from "../core/dead-letter-store.js";
import { lanes } from "../core/lane.js";
import type { Letter } from "../core/letters.js";
import type { DeadLetter, WorkMessage } from "../core/ports.js";
import { laneOfHeader } from "./gate-message.js";
import { headers as h } from "./headers.js";
import { limits } from "./limits.js";
import { isRunId, type Names } from "./names.js";
import { runIdOfMessage } from "./run-id.js";
import { firstKey, isFireSubject, isTicket, parseGateSubject, parseJobSubject } from "./subjects.js";

const RUN_ID_LENGTH = 160;
const EARLIER_RETRY = /:retry-(in)?\d+$/;

/** What only a dead letter has; a start deadline was for the run that died, and so was the place that it took. */
const LEFT_BEHIND: ReadonlySet<string> = new Set([
  ...[h.error, h.errorStack, h.reason, h.attempts, h.queue, h.subject, h.bodyBytes, h.startDeadline],
  h.inPlaceOf,
]);

/** The headers of the job, and what is told of its death; nothing that tells JetStream what to do. */
export function letterHeaders(letter: DeadLetter): Record<string, string> {
  const { subject, queue, reason, attempts, error, stack } = letter;
  const own = Object.entries(letter.headers).filter(([name]) => !/^nats-/i.test(name));
  // At the front door, and only there, the message id is the run id.
  const producers = letter.headers[h.msgId];
  const isOwnId = parseJobSubject(subject) === null && producers !== undefined && isRunId(producers);
  return {
    ...(isOwnId && { [h.runId]: producers }),
    ...Object.fromEntries(own),
    [h.msgId]: `${subject}#${letter.seq}`,
    [h.subject]: subject,
    [h.queue]: queue,
    [h.reason]: oneLine(reason),
    [h.attempts]: String(attempts),
    ...(error !== undefined && { [h.error]: oneLine(error) }),
    ...(stack !== undefined && { [h.errorStack]: oneLine(stack) }),
  };
}

/** A header is one line: line ends become spaces, as in a stack. */
function oneLine(text: string): string {
  return text.replace(/\s*[\r\n]+\s*/g, " | ").slice(0, limits.errorLength);
}

export function readLetter({ seq: id, subject: own, headers, storedAt, bodyBytes }: LetterHead): Letter {
  const subject = headers[h.subject] ?? "";
  const seq = originOf(headers[h.msgId]);
  return {
    id,
    queue: headers[h.queue] ?? own.slice(own.lastIndexOf(".") + 1),
    runId: runIdOfMessage({ headers, subject, seq: seq ?? id }),
    scheduleId: headers[h.scheduleId] ?? null,
    reason: headers[h.reason] ?? "",
    attempts: Number(headers[h.attempts] ?? 0) || 0,
    error: headers[h.error] ?? null,
    stack: headers[h.errorStack] ?? null,
    subject,
    seq,
    diedAt: storedAt,
    bodyBytes: Number(headers[h.bodyBytes] ?? bodyBytes) || bodyBytes,
    keptBytes: bodyBytes,
    headers,
  };
}

/** The message id of a letter is `<subject>#<sequence there>`. */
function originOf(msgId: string | undefined): number | null {
  const seq = Number(/#(\d+)$/.exec(msgId ?? "")?.[1]);
  return Number.isInteger(seq) && seq > 0 ? seq : null;
}

/** Whether it never came into WORK: it was refused at the front door. */
export function isOfFrontDoor({ subject, queue }: Letter, names: Names): boolean {
  return subject === names.enqueue(queue);
}

/**
 * The run that retries the letter. It is named after the message that died, not after the letter: should a crash leave
 * the same message in two letters, both are retried by one run.
 */
export function retryRunId(letter: Letter, names: Names): string {
  const { runId, seq, id } = letter;
  const suffix = `:retry-${isOfFrontDoor(letter, names) ? "in" : ""}${seq ?? id}`;
  return runId.replace(EARLIER_RETRY, "").slice(0, RUN_ID_LENGTH - suffix.length) + suffix;
}

/** The job as it was, under a run id of its own, for the place where it lay; not its place at a gate. */
export function retryMessage(letter: Letter, body: Uint8Array, names: Names): WorkMessage {
  const runId = retryRunId(letter, names);
  const isHeld = parseGateSubject(letter.subject) !== null;
  const kept = Object.entries(letter.headers).filter(
    ([name]) => !LEFT_BEHIND.has(name) && !/^nats-/i.test(name) && !(isHeld && name === h.priority),
  );
  return {
    subject: retrySubject(letter, names),
    msgId: `${runId}/${letter.diedAt.toString(36)}`,
    headers: { ...Object.fromEntries(kept), [h.runId]: runId, [h.retryOf]: letter.runId },
    body,
  };
}

/** Its subject in WORK as if its queue had no limits, and one under which the server tells of it if it may. */
function retrySubject(letter: Letter, names: Names): string {
  const { subject, scheduleId, headers } = letter;
  const held = parseGateSubject(subject);
  if (held !== null) return names.job(held.queue, held.id, laneOfHeader(headers[h.priority]));
  const place = parseJobSubject(subject);
  if (place === null) return subject;
  const key = firstKey(place.key);
  const first = names.job(place.queue, key, place.lane);
  const isUntold = isFireSubject(first) && scheduleId === null;
  const isOthers = isTicket(key) || isUntold;
  return isOthers ? names.job(place.queue, retryRunId(letter, names), place.lane) : first;
}

/**
 * The subjects of WORK under which the server may tell of the retry; none for a fire, of which it does not tell.
 *
 * @param tickets that the key of the job has
 */
export function toldSubjects(letter: Letter, names: Names, tickets = 0): string[] {
  const { queue, headers } = letter;
  const key = headers[h.key];
  const numbers = key === undefined ? [] : Array.from({ length: tickets }, (_, index) => index + 1);
  const ticketed = numbers.map((ticket) => names.ticket(queue, key as string, ticket));
  if (!isOfFrontDoor(letter, names)) {
    const subject = retrySubject(letter, names);
    return parseJobSubject(subject) === null ? [] : [subject, ...ticketed];
  }
  const id = headers[h.unique] ?? retryRunId(letter, names);
  return [...lanes.map((lane) => names.job(queue, id, lane)), ...ticketed];
}
