/** What a handler is and what it gets. */
import type { z } from "zod";
import type { Delivery } from "../core/ports.js";
import type { Instant } from "../core/schedule.js";
import type { Trigger } from "../protocol/headers.js";
import type { JobInfo } from "../protocol/job-message.js";
import type { Logger } from "../runtime/log.js";

/** One attempt at a job, as its handler sees it. */
export interface JobContext<T = unknown> {
  /** The message's body: what the schema made of it, or plain JSON without a schema. Null when it was empty. */
  readonly payload: T;
  /** The same for every attempt: the idempotency key. */
  readonly runId: string;
  /** Null when no schedule fired it. */
  readonly scheduleId: string | null;
  /** When it was due; null when no schedule fired it. */
  readonly fireTime: Date | null;
  /** The fire time before it; null when there was none, or no schedule fired it. */
  readonly previousFireTime: Date | null;
  /** Why it was fired: at its time, as a misfire, for a range in the past, by hand; null when no schedule fired it. */
  readonly trigger: Trigger | null;
  /** The time that the run answers for, from the fire time before it to its own; null when there is none before it. */
  readonly interval: { readonly start: Date; readonly end: Date } | null;
  /** 1 for the first. */
  readonly attempt: number;
  /** The smaller one of the job's and the queue's. */
  readonly maxAttempts: number;
  readonly queue: string;
  /** Of the message, Punctual's own included. */
  readonly headers: Readonly<Record<string, string>>;
  /**
   * Aborts when the attempt takes longer than the job's timeout, when the run is cancelled, and when a worker that
   * stops can wait no longer.
   */
  readonly signal: AbortSignal;
  /** Its lines carry the run id and the attempt. */
  readonly log: Logger;
}

/**
 * Does a job. What it returns is kept with the run if it is JSON of at most 8 KiB; what it throws makes the
 * attempt fail.
 */
export interface Handler<T = unknown> {
  (job: JobContext<T>): unknown;
  /** Used when the worker's options name none. */
  readonly schema?: z.ZodType<T> | undefined;
}

export interface ContextParts {
  payload: unknown;
  job: JobInfo;
  delivery: Delivery;
  maxAttempts: number;
  queue: string;
  attempt: { readonly signal: AbortSignal };
  log: Logger;
}

/** Makes its logger and its signal when they are asked for: most jobs log nothing, and there may be thousands a second. */
export class Context implements JobContext {
  readonly payload: unknown;
  readonly runId: string;
  readonly scheduleId: string | null;
  readonly fireTime: Date | null;
  readonly previousFireTime: Date | null;
  readonly trigger: Trigger | null;
  readonly attempt: number;
  readonly maxAttempts: number;
  readonly queue: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly #attempt: { readonly signal: AbortSignal };
  readonly #parentLog: Logger;
  #log: Logger | undefined;

  constructor({ payload, job, delivery, maxAttempts, queue, attempt, log }: ContextParts) {
    this.payload = payload;
    this.runId = job.runId;
    this.scheduleId = job.scheduleId;
    this.fireTime = dateOf(job.fireTime);
    this.previousFireTime = dateOf(job.previousFireTime);
    this.trigger = job.trigger;
    this.attempt = delivery.attempt;
    this.maxAttempts = maxAttempts;
    this.queue = queue;
    this.headers = delivery.headers;
    this.#attempt = attempt;
    this.#parentLog = log;
  }

  get interval(): JobContext["interval"] {
    const { previousFireTime: start, fireTime: end } = this;
    return start === null || end === null ? null : { start, end };
  }

  get signal(): AbortSignal {
    return this.#attempt.signal;
  }

  get log(): Logger {
    this.#log ??= this.#parentLog.child({ runId: this.runId, attempt: this.attempt });
    return this.#log;
  }
}

const dateOf = (instant: Instant | null): Date | null => (instant === null ? null : new Date(instant));
