/**
 * A job that waits for its time: the message that is to be put into WORK, and beside it where and when.
 *
 *   subject   <ns>.timers.<shard>.<day>.<minute>      in UTC, as in 20261224.1830
 *   headers   those of the job, Punctual-At, Punctual-Subject
 */
import { invalid } from "../core/errors.js";
import { shardOf } from "../core/hash.js";
import type { StoredMessage, WorkMessage } from "../core/ports.js";
import type { Instant } from "../core/schedule.js";
import { minuteOf, type Timer } from "../core/timer.js";
import { headers as h } from "./headers.js";
import { instantToken, isRunId, type Names, parseInstantToken } from "./names.js";
import { show } from "./parse.js";
import { parseJobSubject } from "./subjects.js";

/** The last instant whose year has four digits. */
const LAST = Date.UTC(9_999, 11, 31, 23, 59, 59, 999);

/**
 * @param work the job as it is to be in WORK
 * @param msgId what makes a repeat a duplicate
 * @throws invalid for a time beyond the year 9999
 */
export function timerMessage(
  work: WorkMessage,
  at: Instant,
  { names, shards, msgId }: { names: Names; shards: number; msgId: string },
): WorkMessage {
  if (at > LAST || at < 0) throw invalid("at", "expected a time from 1970 to the year 9999");
  const runId = work.headers[h.runId] ?? "";
  return {
    subject: names.timer(shardOf(runId, shards), minuteOf(at)),
    msgId,
    headers: { ...work.headers, [h.at]: new Date(at).toISOString(), [h.subject]: work.subject },
    body: work.body,
  };
}

/** @param minute that of its subject, for one that does not say when */
export function timerOf(headers: Readonly<Record<string, string>>, seq: number, minute: Instant): Timer {
  const at = Date.parse(headers[h.at] ?? "");
  const runId = headers[h.runId] ?? "";
  return { seq, at: Number.isNaN(at) ? minute : at, runId: isRunId(runId) ? runId : `timer-${seq}` };
}

/** A timer's job as it goes into WORK; null when it does not say where it belongs. */
export function workMessageOf(timer: Timer, { headers, body }: StoredMessage): WorkMessage | null {
  const { [h.subject]: subject = "", [h.at]: _, [h.msgId]: __, ...own } = headers;
  if (parseJobSubject(subject) === null) return null;
  const fireTime = fireTimeOf(timer, own);
  const told = own[h.fireTime] === undefined ? { [h.fireTime]: fireTime, [h.trigger]: "timer" } : {};
  return { subject, msgId: firingIdOf(timer), headers: { ...own, ...told, [h.runId]: timer.runId }, body };
}

/** What its job tells as its fire time. One that comes back for another attempt has its own. */
export const fireTimeOf = ({ at }: Timer, headers: StoredMessage["headers"]): string =>
  headers[h.fireTime] ?? new Date(at).toISOString();

/**
 * The message id under which a timer's job is put into WORK, by whoever does it and whenever: a second time is a
 * duplicate. Whoever has used it for something else has cancelled the timer.
 */
export const firingIdOf = ({ runId, seq }: Timer): string => `${runId}/t${seq}`;

/** What a caller knows a waiting job by: `<runId>@<time>`. It says in which shard and minute the job lies. */
export const timerIdOf = ({ runId, at }: Pick<Timer, "runId" | "at">): string =>
  `${runId}@${instantToken(at)}`;

/** @throws invalid when it is none */
export function parseTimerId(id: string, field = "timer"): { runId: string; at: Instant } {
  const mark = id.lastIndexOf("@");
  const runId = id.slice(0, mark);
  const at = parseInstantToken(id.slice(mark + 1));
  if (mark < 1 || at === null || !isRunId(runId))
    throw invalid(
      field,
      `expected <id>@<time> as enqueue answers, such as order-17@20261224T180000Z, got ${show(id)}`,
    );
  return { runId, at };
}

/** A waiting job at another time. Moved from the same message to the same time again, it is a duplicate. */
export function movedTimer(
  timer: Timer,
  { headers, body }: StoredMessage,
  at: Instant,
  place: { names: Names; shards: number },
): WorkMessage {
  const { [h.subject]: subject = "", [h.at]: _, [h.msgId]: __, ...rest } = headers;
  const own: Record<string, string> = { ...rest };
  const deadline = Date.parse(own[h.startDeadline] ?? "");
  if (!Number.isNaN(deadline)) own[h.startDeadline] = new Date(deadline + at - timer.at).toISOString();
  const work = { subject, msgId: "", headers: own, body };
  return timerMessage(work, at, {
    ...place,
    msgId: `${timerIdOf({ runId: timer.runId, at })}/t${timer.seq}`,
  });
}
