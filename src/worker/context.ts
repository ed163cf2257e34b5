/** What a handler is and what it gets. */
import type { z } from "zod";
import type { Delivery } from "../core/ports.js";
import type { Instant } from "../core/schedule.js";
import type { Trigger } from "../protocol/headers.js";
import type { JobInfo } from "../protocol/job-message.js";
import type { Logger } from "../runtime/log.js";
import type { Progress } from "./progress.js";

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
  /** The run upon whose end it follows; null when it follows upon none. */
  readonly parent: string | null;
  /** The group upon which it follows, and how many of its members did not succeed; null when it follows upon none. */
  readonly group: { readonly id: string; readonly failed: number } | null;
  /** 1 for the first. */
  readonly attempt: number;
  /** The smaller one of the job's and the queue's. */
  readonly maxAttempts: number;
  readonly queue: string;
  /** Of the message, Punctual's own included. */
  readonly headers: Readonly<Record<string, string>>;
  /**
   * Aborts when the attempt takes longer than the job's timeout, when the run is cancelled, and when a worker that
   * stops can wait no longer. Its `reason` is an `AbortReason`, whose `why` says which.
   */
  readonly signal: AbortSignal;
  /**
   * Its lines carry the run id and the attempt. They are kept with the run from `info` on, up to 1,000 lines and
   * 256 KiB of an attempt, if the queue's history is full.
   */
  readonly log: Logger;
  /**
   * Tells how far the attempt is: a number from 0 to 1, or JSON of at most 1 KiB. The newest is kept with the run about
   * once a second, and the last one in any case.
   *
   * @throws invalid for anything else
   */
  progress(value: Progress): void;
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
  /** Makes a signal and a journal when they are asked for: most jobs need none, and there may be thousands a second. */
  run: { readonly signal: AbortSignal; readonly journal: Pick<JobContext, "log" | "progress"> };
}

export class Context implements JobContext {
  readonly payload: unknown;
  readonly runId: string;
  readonly scheduleId: string | null;
  readonly fireTime: Date | null;
  readonly previousFireTime: Date | null;
  readonly trigger: Trigger | null;
  readonly parent: string | null;
  readonly group: JobContext["group"];
  readonly attempt: number;
  readonly maxAttempts: number;
  readonly queue: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly #run: ContextParts["run"];

  constructor({ payload, job, delivery, maxAttempts, queue, run }: ContextParts) {
    this.payload = payload;
    this.runId = job.runId;
    this.scheduleId = job.scheduleId;
    this.fireTime = dateOf(job.fireTime);
    this.previousFireTime = dateOf(job.previousFireTime);
    this.trigger = job.trigger;
    this.parent = job.parent;
    this.group = job.group;
    this.attempt = job.attemptsBefore + delivery.attempt;
    this.maxAttempts = maxAttempts;
    this.queue = queue;
    this.headers = delivery.headers;
    this.#run = run;
  }

  get interval(): JobContext["interval"] {
    const { previousFireTime: start, fireTime: end } = this;
    return start === null || end === null ? null : { start, end };
  }

  get signal(): AbortSignal {
    return this.#run.signal;
  }

  get log(): Logger {
    return this.#run.journal.log;
  }

  /** Handlers take it out of its job. */
  get progress(): (value: Progress) => void {
    return (value) => this.#run.journal.progress(value);
  }
}

const dateOf = (instant: Instant | null): Date | null => (instant === null ? null : new Date(instant));
