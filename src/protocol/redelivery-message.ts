/** A job that is stored once more, in place of a message that its consumer had passed; under a subject of its own. */
import type { StoredMessage, WorkMessage } from "../core/ports.js";
import { headers as h } from "./headers.js";
import type { Names } from "./names.js";
import { runIdOfMessage } from "./run-id.js";
import { firstKey, parseJobSubject } from "./subjects.js";

type Head = Omit<StoredMessage, "body">;
type Place = Pick<StoredMessage, "seq" | "storedAt">;

/** Null for a run of a schedule, whose end is told in any case; and for what is no job. */
export function redeliverySubject({ seq, subject, headers }: Head, names: Names): string | null {
  const place = parseJobSubject(subject);
  if (place === null || headers[h.scheduleId] !== undefined) return null;
  return names.redelivery(place.queue, firstKey(place.key), seq, place.lane);
}

/** Whether no other job can come under the subject of this one, as its id was made for it. */
export function isSubjectForgone(passed: Head, names: Names): boolean {
  const place = parseJobSubject(passed.subject);
  return place !== null && passed.subject === names.untold(place.queue, runIdOfMessage(passed), place.lane);
}

export function redeliveryOf(passed: StoredMessage, subject: string): WorkMessage {
  const { seq, storedAt, body } = passed;
  const { [h.msgId]: _, ...headers } = passed.headers;
  const runId = runIdOfMessage(passed);
  return {
    subject,
    msgId: `${runId}/again/${seq}`,
    headers: { ...headers, [h.runId]: runId, [h.inPlaceOf]: `${seq},${storedAt}` },
    body,
  };
}

/** The message whose place it takes; null: none. */
export function inPlaceOf(headers: Readonly<Record<string, string>>): Place | null {
  const told = headers[h.inPlaceOf];
  if (told === undefined) return null;
  const [seq = Number.NaN, storedAt = Number.NaN] = told.split(",").map(Number);
  return Number.isNaN(seq + storedAt) ? null : { seq, storedAt };
}
