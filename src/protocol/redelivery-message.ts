/**
 * A job that is stored once more, in place of a message that its consumer had passed.
 *
 * Its subject is another one, so that it can be stored before the other message is removed: a crash in between delivers
 * twice, and loses nothing.
 */
import type { StoredMessage, WorkMessage } from "../core/ports.js";
import { headers as h } from "./headers.js";
import type { Names } from "./names.js";
import { runIdOfMessage } from "./run-id.js";
import { isOwnKey, parseJobSubject } from "./subjects.js";

type Place = Pick<StoredMessage, "seq" | "storedAt">;

/** Null for a job whose subject keeps it apart from others, as that of a unique one: elsewhere it would not be. */
export function redeliveryOf(passed: StoredMessage, names: Names): WorkMessage | null {
  const { seq, storedAt, subject, body } = passed;
  const place = parseJobSubject(subject);
  const runId = runIdOfMessage(passed);
  if (place === null || !isOwnKey(place.key, runId) || passed.headers[h.scheduleId] !== undefined)
    return null;
  const { [h.msgId]: _, ...headers } = passed.headers;
  return {
    subject: names.redelivery(place.queue, runId, seq, place.lane),
    msgId: `${runId}/again/${seq}`,
    headers: { ...headers, [h.runId]: runId, [h.inPlaceOf]: `${seq},${storedAt}` },
    body,
  };
}

/** The message whose place it takes; null: none. */
export function inPlaceOf(headers: Readonly<Record<string, string>>): Place | null {
  const [seq = Number.NaN, storedAt = Number.NaN] = headers[h.inPlaceOf]?.split(",").map(Number) ?? [];
  return Number.isNaN(seq + storedAt) ? null : { seq, storedAt };
}
