/** What subjects say of the messages on them. */
import { type Lane, lanes } from "../core/lane.js";
import type { Instant } from "../core/schedule.js";
import { NO_KEY, parseInstantToken } from "./names.js";

/** The queue and the key of a subject in WORK; null for a tombstone or a foreign subject. */
export function parseJobSubject(subject: string): { lane: Lane; queue: string; key: string } | null {
  const [, lane, queue, ...key] = subject.split(".");
  if (!lanes.includes(lane as Lane) || queue === undefined || queue === "_void" || key.length === 0)
    return null;
  return { lane: lane as Lane, queue, key: key.join(".") };
}

/** Whether a key in WORK is a ticket, which is another job's as soon as this one is over. */
export const isTicket = (key: string): boolean => /~\d+$/.test(key);

/** Of one token more: it keeps the runs of a schedule apart, or is untold. The server tells nothing of what is stored there. */
export const isFireSubject = (subject: string): boolean =>
  parseJobSubject(subject)?.key.includes(".") === true;

/** Whether a key in WORK is of one job alone, whose id was made for it, and the server tells RUNS nothing of that. */
export const isUntoldKey = (key: string, runId: string): boolean => key.startsWith(`${runId}.`);

/** The key in WORK of a job that may have been stored once more, as it was at first. */
export const firstKey = (key: string): string => key.replace(/\.again-\d+$/, "");

/** Whether a key in WORK is of one job alone, by its id. */
export const isOwnKey = (key: string, runId: string): boolean => key === runId || isUntoldKey(key, runId);

/** Where a job waits, by its subject, in which the key may be left out; null for one that does not wait at a gate. */
export function parseGateSubject(subject: string): { queue: string; key: string | null; id: string } | null {
  const [, lane, queue, key, ...id] = subject.split(".");
  if (lane !== "gate" || queue === undefined || key === undefined) return null;
  if (id.length === 0) return { queue, key: null, id: key };
  return { queue, key: key === NO_KEY ? null : key, id: id.join(".") };
}

/** The queue and the lane of a consumer of WORK; null for another consumer. */
export function parseConsumer(name: string): { lane: Lane; queue: string } | null {
  const dash = name.indexOf("-");
  const lane = lanes.find((one) => one === name.slice(0, dash));
  return lane === undefined ? null : { lane, queue: name.slice(dash + 1) };
}

/** The run that an event in RUNS is of, by its subject. */
export const runOfEvent = (subject: string): string => subject.split(".")[2] ?? "";

/** The shard of a subject of a timer. */
export const shardOfTimer = (subject: string): number => Number(subject.split(".")[2]);

/** The minute of a subject of a timer; null when it is none. */
export function parseTimerSubject(subject: string): Instant | null {
  const [day, minute] = subject.split(".").slice(3);
  return parseInstantToken(`${day}T${minute}00Z`);
}
