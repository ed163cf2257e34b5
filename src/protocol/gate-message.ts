/**
 * A job at the gate of its queue: how it gets there, and how it leaves.
 *
 *   <ns>.work.<queue>.<id>   ──►   <ns>.gate.<queue>.<key>.<id>   ──►   <ns>.work.<queue>.<key>~<ticket>, or as it was
 *
 * The gate lies in WORK, like the lanes. So the two messages of a job need two message ids: that of the second is made
 * from the sequence of the first, and is the same whoever lets the job pass, and however often.
 */
import { isGoverned } from "../core/gate.js";
import type { Waiting } from "../core/gate-store.js";
import type { Lane } from "../core/lane.js";
import type { StoredMessage, WorkMessage } from "../core/ports.js";
import type { QueueSettings } from "../core/queue.js";
import type { Instant } from "../core/schedule.js";
import { headers as h } from "./headers.js";
import { checkJobId, type Names } from "./names.js";
import { runIdOfMessage } from "./run-id.js";
import { isUntoldKey, parseGateSubject, parseJobSubject } from "./subjects.js";

/** A job for WORK, by way of the gate if its queue has limits that are for it. */
export function admitted(
  message: WorkMessage,
  settings: Pick<QueueSettings, "rate" | "perKey">,
  names: Names,
): WorkMessage {
  const { rate, perKey } = settings;
  // Nearly all queues, and there may be a hundred thousand jobs a second.
  if (rate === undefined && perKey === undefined) return message;
  const place = parseJobSubject(message.subject);
  const key = message.headers[h.key];
  if (place === null || !isGoverned({ rate, perKey: key === undefined ? undefined : perKey })) return message;
  const { [h.runId]: runId = "" } = message.headers;
  // The server tells of it there, as who lets it pass has to know whether it has passed.
  const id = isUntoldKey(place.key, runId) ? runId : place.key;
  const subject = names.gate(place.queue, key === undefined ? null : checkJobId(key, h.key), id);
  const priority = priorityOf(place.lane);
  return {
    ...message,
    subject,
    headers: priority === undefined ? message.headers : { ...message.headers, [h.priority]: priority },
  };
}

/** A job that waits, as it is read to let it pass. */
export interface WaitingJob {
  queue: string;
  runId: string;
  /** Not to be started later; null: no deadline. */
  startDeadline: Instant | null;
  /** For WORK. */
  message: WorkMessage;
}

/** What a gate needs to know of a job that waits there. */
export function waitingOf({ seq, subject, headers, storedAt }: Omit<StoredMessage, "body">): Waiting {
  const { key = null, id = subject } = parseGateSubject(subject) ?? {};
  const runId = runIdOfMessage({ headers, subject: id, seq });
  return { seq, key, runId, lane: laneOfHeader(headers[h.priority]), storedAt };
}

/** @param ticket of its key; null: its key needs none */
export function waitingJob(stored: StoredMessage, ticket: number | null, names: Names): WaitingJob | null {
  const place = parseGateSubject(stored.subject);
  if (place === null) return null;
  const { queue, key, id } = place;
  const { [h.msgId]: _, [h.priority]: priority, ...headers } = stored.headers;
  const runId = runIdOfMessage({ headers, subject: id, seq: stored.seq });
  const isTicketed = key !== null && ticket !== null;
  const subject = isTicketed
    ? names.ticket(queue, key, ticket)
    : names.job(queue, id, laneOfHeader(priority));
  const message = {
    subject,
    msgId: msgIdAt(runId, stored.seq),
    headers: { ...headers, [h.runId]: runId, ...(key !== null && { [h.key]: key }) },
    body: stored.body,
  };
  const deadline = Date.parse(headers[h.startDeadline] ?? "");
  return { queue, runId, startDeadline: Number.isNaN(deadline) ? null : deadline, message };
}

/** @param seq of its message at the gate */
const msgIdAt = (runId: string, seq: number): string => `${runId}/g${seq}`;

/** Whether a job in a lane was let pass by a gate, by its message id. */
export const hasPassedGate = (msgId: string | undefined): boolean => /\/g\d+$/.test(msgId ?? "");

function priorityOf(lane: Lane): string | undefined {
  return lane === "work" ? undefined : lane;
}

/** Of a job at a gate, by its header. */
export function laneOfHeader(priority: string | undefined): Lane {
  return priority === "high" || priority === "low" ? priority : "work";
}
