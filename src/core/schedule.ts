/** What a schedule is: when it fires, what is done, and what happens when it cannot be done in time. */

import type { Instant } from "./instant.js";
import type { Labels } from "./labels.js";
import type { RunPolicies } from "./policies.js";

export type { Instant };

/** What a cron line does where the clocks change. Default: by its kind, daily or rhythmic, see `core/time/cron.ts`. */
export interface DstPolicy {
  /** Local times that are skipped: fire once right after them, or not at all. Default: daily `next`, rhythmic `skip`. */
  gap?: "next" | "skip" | undefined;
  /** Local times that come twice: in which pass to fire. Default: daily `first`, rhythmic `both`. */
  overlap?: "first" | "second" | "both" | undefined;
}

/** A cron line: five fields, six with leading seconds, or a nickname such as `@daily`. */
export interface CronSpec {
  kind: "cron";
  expression: string;
  /** IANA time zone name. Default `UTC`. */
  timeZone: string;
  dst?: DstPolicy | undefined;
}

/** A fixed interval: fires at every instant `t` with `t ≡ phaseMs (mod everyMs)`, counted from the epoch. */
export interface EverySpec {
  kind: "every";
  /** At least 1. */
  everyMs: number;
  /** Default 0; less than `everyMs`. */
  phaseMs: number;
}

/** Once, at an instant. */
export interface AtSpec {
  kind: "at";
  at: Instant;
}

export type ScheduleSpec = CronSpec | EverySpec | AtSpec;

/** The fire times of a spec: a compiled, pure, total function. */
export interface FireTimes {
  /** The first fire time strictly after `instant`, or `null` when there is none. */
  next(instant: Instant): Instant | null;
}

/** What to do with slots that were not decided in time, because nobody was there to do it. */
export type MisfirePolicy = "skip" | "once" | "all";

/** What to do when a slot falls due while an earlier run of the schedule is queued or running. */
export type OverlapPolicy = "skip" | "allow";

/** When a failed attempt is tried again. */
export interface RetryPolicy {
  /** Attempts in all, the first included. */
  maxAttempts: number;
  /** Wait before the second attempt. */
  initialDelayMs: number;
  /** Each further wait is this many times the one before. */
  factor: number;
  /** No wait is longer. */
  maxDelayMs: number;
}

/** What a schedule puts on its queue. */
export interface Job {
  queue: string;
  /** Any JSON value; the message body is exactly this, as JSON. */
  payload: unknown;
  /** Added to the message as they are. */
  headers: Readonly<Record<string, string>>;
  retry: RetryPolicy;
  /** An attempt that takes longer is aborted and counts as failed. 0: no limit. */
  timeoutMs: number;
}

/** A schedule as it is stored, without its id. */
export interface ScheduleDefinition extends RunPolicies {
  spec: ScheduleSpec;
  job: Job;
  overlap: OverlapPolicy;
  misfire: MisfirePolicy;
  /** Slots older than this when they could be decided are missed, whatever the misfire policy says. */
  catchUpWindowMs: number;
  delivery: "at-least-once" | "at-most-once";
  paused: boolean;
  /** Why it is paused; for people. */
  note?: string | undefined;
  /** For people to find schedules by. Absent: none. */
  labels?: Labels | undefined;
  /** When and by whom this revision was written; absent when it was not written through the API. */
  changedAt?: Instant | undefined;
  changedBy?: string | undefined;
  /** A deleted schedule stays as a marker, so that its id, made again, does not decide a slot twice. */
  deleted: boolean;
  /** No slot at or before this instant belongs to this definition. */
  effectiveFrom: Instant;
  /** The revision of the first definition under this id; 0: this one is the first. */
  firstRevision: number;
}

/** A definition with its id and its place in the order of all definitions. */
export interface Schedule extends ScheduleDefinition {
  id: string;
  shard: number;
  /** The sequence of the store at which it was written: larger is newer, over all schedules. */
  revision: number;
}

/** The revision under which an id was first used, deleted since or not. */
export function firstRevisionOf({ revision, firstRevision }: Schedule): number {
  return firstRevision === 0 ? revision : firstRevision;
}
