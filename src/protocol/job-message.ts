/** A job's message: how a fire becomes one, and how a worker reads one. */

import { invalid } from "../core/errors.js";
import { laneOf } from "../core/lane.js";
import { startsBefore } from "../core/policies.js";
import type { WorkMessage } from "../core/ports.js";
import { defaultRetry } from "../core/retry.js";
import type { Instant, Job, RetryPolicy, Schedule } from "../core/schedule.js";
import { headers as h, type Trigger, triggers } from "./headers.js";
import { limits } from "./limits.js";
import { instantToken, isRunId, type Names, runIdOf } from "./names.js";

const isoOfSlot = rememberingIso();
const isoOfPrevious = rememberingIso();

/** The last instant that has an RFC 3339 form. */
const MAX_INSTANT = 8.64e15;

/** What a run is told beside its slot. */
export interface FireDetails {
  /** Default: that of the slot. */
  runId?: string | undefined;
  /** Default `schedule`. */
  trigger?: Trigger | undefined;
  /** The fire time before the slot's. Default: none. */
  previous?: Instant | null | undefined;
  /** Which of its subjects, from 1 to `maxConcurrent`. Default: the first. */
  ticket?: number | undefined;
  /** It is published so much after its slot, on purpose. Default 0. */
  delayMs?: number | undefined;
}
/** Builds the messages of one definition; what does not change from slot to slot is made once. */
export class FireMessages {
  readonly #names: Names;
  readonly #schedule: Schedule;
  readonly #body: Uint8Array;
  readonly #fixed: Readonly<Record<string, string>>;

  constructor(names: Names, schedule: Schedule) {
    this.#names = names;
    this.#schedule = schedule;
    this.#body = bodyOf(schedule.job.payload);
    this.#fixed = { ...schedule.job.headers, ...policyHeaders(schedule.job), [h.scheduleId]: schedule.id };
  }

  /**
   * The subject is the mutex: one for each slot when overlaps are allowed, else one for each run that may be under way
   * at once, by its number.
   */
  subject(slot: Instant, ticket = 1): string {
    const { id, overlap, job } = this.#schedule;
    const place = overlap === "allow" ? instantToken(slot) : String(ticket);
    return this.#names.fire(job.queue, id, place, laneOf(job.priority));
  }

  message(slot: Instant, term: number, details: FireDetails = {}): WorkMessage {
    const {
      runId = runIdOf(this.#schedule.id, slot),
      trigger = "schedule",
      previous = null,
      ticket,
    } = details;
    const delayMs = trigger === "backfill" ? Number.POSITIVE_INFINITY : (details.delayMs ?? 0);
    const deadline = startsBefore(this.#schedule, slot) + delayMs;
    const headers: Record<string, string> = { ...this.#fixed };
    headers[h.runId] = runId;
    headers[h.fireTime] = isoOfSlot(slot);
    if (trigger !== "schedule") headers[h.trigger] = trigger;
    if (previous !== null) headers[h.previousFireTime] = isoOfPrevious(previous);
    if (deadline <= MAX_INSTANT) headers[h.startDeadline] = new Date(deadline).toISOString();
    return { subject: this.subject(slot, ticket), msgId: msgIdOf(runId, term), headers, body: this.#body };
  }
}

/** One message id for each term that may publish a run. */
export function msgIdOf(runId: string, term: number): string {
  return `${runId}/${term}`;
}

export function bodyOf(payload: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(payload ?? null));
}

/**
 * The payload as a body that leaves room for headers.
 *
 * @param maxPayload of the server, in bytes
 * @throws invalid when the payload is larger
 */
export function bodyWithin(maxPayload: number, payload: unknown): Uint8Array {
  const body = bodyOf(payload);
  checkSize(body, maxPayload);
  return body;
}

/** @throws invalid when a body leaves no room for headers */
export function checkSize(body: Uint8Array, maxPayload: number): void {
  const most = maxPayload - limits.headerRoom;
  if (body.length > most) throw invalid("payload", `expected at most ${most} bytes, got ${body.length}`);
}

/** The retry policy and the timeout, for the worker; what is as by default is left out. */
export function policyHeaders(job: Pick<Job, "retry" | "timeoutMs">): Record<string, string> {
  const { maxAttempts, initialDelayMs, factor, maxDelayMs } = job.retry;
  const told: Record<string, string> = {};
  if (maxAttempts !== defaultRetry.maxAttempts) told[h.maxAttempts] = String(maxAttempts);
  if (
    initialDelayMs !== defaultRetry.initialDelayMs ||
    factor !== defaultRetry.factor ||
    maxDelayMs !== defaultRetry.maxDelayMs
  )
    told[h.backoff] = `${initialDelayMs},${factor},${maxDelayMs}`;
  if (job.timeoutMs > 0) told[h.timeout] = String(job.timeoutMs);
  return told;
}

/** What a worker needs to know of a job; every header may be absent or wrong, as anyone can publish. */
export interface JobInfo {
  runId: string;
  scheduleId: string | null;
  fireTime: Instant | null;
  previousFireTime: Instant | null;
  /** Null when no schedule fired it. */
  trigger: Trigger | null;
  /** Not to be started later; null: no deadline. */
  startDeadline: Instant | null;
  retry: RetryPolicy;
  timeoutMs: number;
  /** The run upon whose end it follows; null: upon none. */
  parent: string | null;
  /** The group upon which it follows, and how many of its members failed; null: upon none. */
  group: { id: string; failed: number } | null;
  /** Attempts before its message was stored, where it waited for a long time between two. */
  attemptsBefore: number;
}

/**
 * The slot that a run is of, for whose sake its id stands for ever; null: of none. A job that somebody enqueued for a
 * time has a fire time too, and its id may be used again.
 */
export function slotOf({ scheduleId, fireTime }: Pick<JobInfo, "scheduleId" | "fireTime">): Instant | null {
  return scheduleId === null ? null : fireTime;
}

/** @param fallbackRunId for jobs that were published without one */
export function readJob(headers: Readonly<Record<string, string>>, fallbackRunId: () => string): JobInfo {
  const [initialDelayMs, factor, maxDelayMs] = headers[h.backoff]?.split(",").map(Number) ?? [];
  const fireTime = instantOf(headers[h.fireTime]);
  return {
    runId: asRunId(headers[h.runId]) ?? fallbackRunId(),
    scheduleId: headers[h.scheduleId] ?? null,
    fireTime,
    previousFireTime: instantOf(headers[h.previousFireTime]),
    trigger:
      triggers.find((trigger) => trigger === headers[h.trigger]) ?? (fireTime === null ? null : "schedule"),
    startDeadline: instantOf(headers[h.startDeadline]),
    retry: {
      maxAttempts: positive(headers[h.maxAttempts]) ?? defaultRetry.maxAttempts,
      initialDelayMs: finite(initialDelayMs) ?? defaultRetry.initialDelayMs,
      factor: finite(factor) ?? defaultRetry.factor,
      maxDelayMs: finite(maxDelayMs) ?? defaultRetry.maxDelayMs,
    },
    timeoutMs: positive(headers[h.timeout]) ?? 0,
    parent: asRunId(headers[h.parent]) ?? null,
    group: groupOf(headers),
    attemptsBefore: positive(headers[h.attemptsBefore]) ?? 0,
  };
}

/** A member of a group names it with its index, and follows upon none. */
function groupOf({
  [h.group]: id,
  [h.groupFailed]: failed,
}: Readonly<Record<string, string>>): JobInfo["group"] {
  const count = Number(failed);
  return id !== undefined && failed !== undefined && Number.isInteger(count) ? { id, failed: count } : null;
}

function instantOf(text: string | undefined): Instant | null {
  if (text === undefined) return null;
  const instant = Date.parse(text);
  return Number.isNaN(instant) ? null : instant;
}

function finite(value: number | undefined): number | undefined {
  return value !== undefined && Number.isFinite(value) && value >= 0 ? value : undefined;
}

function positive(text: string | undefined): number | undefined {
  const value = Number(text);
  return Number.isInteger(value) && value > 0 ? value : undefined;
}

/** A run id is part of subjects: one that cannot be is not believed. */
function asRunId(value: string | undefined): string | undefined {
  return value !== undefined && isRunId(value) ? value : undefined;
}

/** RFC 3339, of the last instant remembered: many runs share a fire time. */
function rememberingIso(): (instant: Instant) => string {
  let last = Number.NaN;
  let iso = "";
  return (instant) => {
    if (instant !== last) {
      iso = new Date(instant).toISOString();
      last = instant;
    }
    return iso;
  };
}
