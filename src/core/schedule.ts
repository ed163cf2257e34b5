/** What a schedule is: when it fires, what is done, and what happens when it cannot be done in time. */

import type { Instant } from "./instant.js";
import type { Labels } from "./labels.js";
import type { Priority } from "./lane.js";
import type { OverlapPolicy } from "./overlap-policy.js";
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

/** A fixed interval: fires at every instant `t` with `t ≡ phaseMs (mod everyMs)`, counted from the anchor. */
export interface EverySpec {
  kind: "every";
  /** At least 1. */
  everyMs: number;
  /** Default 0; less than `everyMs`. */
  phaseMs: number;
  /** Where counting begins. Default: the epoch. */
  anchor?: "startAt" | undefined;
}

/** Once, at an instant. */
export interface AtSpec {
  kind: "at";
  at: Instant;
  /** When it was made, if a time that had passed by then is to run all the same: then it fires right after this. */
  madeAt?: Instant | undefined;
}

/** A recurrence rule of RFC 5545. */
export interface RruleSpec {
  kind: "rrule";
  /** `FREQ=…;…`, without `RRULE:` or `DTSTART`. */
  rule: string;
  /** IANA time zone name. Default `UTC`. */
  timeZone: string;
  /** DTSTART as local time, `2026-01-31T09:00:00`. Default: midnight of 1 January 1970. */
  start?: string | undefined;
}

/** Whenever a calendar opens. */
export interface OpeningSpec {
  kind: "opening";
  calendar: string;
}

export type SpecItem = CronSpec | EverySpec | AtSpec | RruleSpec | OpeningSpec;

/** Instants at which nothing fires. */
export type Exclusion =
  /** All of each minute that the line fires in; of each second, when the line has six fields. */
  | CronSpec
  | Pick<AtSpec, "kind" | "at">
  /** `to` is not excluded. */
  | { kind: "range"; from: Instant; to: Instant }
  /** While a calendar is closed, or while it is open. */
  | { kind: "calendar"; calendar: string; when: "closed" | "open" };

/**
 * What becomes of a fire time that a calendar does not allow. `skip`: dropped while the calendar is closed. The
 * others move it from a day that is no business day to the next or the one before that is, at the same local time.
 */
export interface CalendarRule {
  name: string;
  roll: "skip" | "next-business-day" | "previous-business-day";
}

/** Everything that a schedule can say of its times, in the order in which it is applied. */
export interface CompositeSpec {
  kind: "composite";
  /** Fires when any of them does. */
  include: readonly SpecItem[];
  calendar?: CalendarRule | undefined;
  exclude: readonly Exclusion[];
  /** Nothing fires before. */
  startAt?: Instant | undefined;
  /** Nothing fires after. */
  endAt?: Instant | undefined;
  /** Shifts all fire times by one stable part of this, hashed from the schedule's id. Default 0. */
  spreadMs: number;
  /** Each run is published up to this much after its fire time, by a hash of id and fire time. Default 0. */
  jitterMs: number;
}

export type ScheduleSpec = SpecItem | CompositeSpec;

/** What a spec includes. */
export function itemsOf(spec: ScheduleSpec): readonly SpecItem[] {
  return spec.kind === "composite" ? spec.include : [spec];
}

/** The fire times of a spec: a compiled, pure, total function. */
export interface FireTimes {
  /** The first fire time strictly after `instant`, or `null` when there is none. */
  next(instant: Instant): Instant | null;
}

/** What to do with slots that were not decided in time, because nobody was there to do it. */
export type MisfirePolicy = "skip" | "once" | "all";

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
  /** Its lane. Undefined: normal. */
  priority?: Priority | undefined;
}

/** A schedule as it is stored, without its id. */
export interface ScheduleDefinition extends RunPolicies {
  spec: ScheduleSpec;
  job: Job;
  /** What to do when a slot falls due while an earlier run of the schedule is queued or running. */
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
