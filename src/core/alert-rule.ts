/** Rules: what people want to be told of. */
import type { Instant } from "./instant.js";
import type { Selector } from "./labels.js";

/** All schedules, those of these ids, or those whose labels fit. */
export interface SchedulesMeant {
  of: "schedules";
  ids?: readonly string[] | undefined;
  labels?: Selector | undefined;
}

/** All queues, or those of these names. */
export interface QueuesMeant {
  of: "queues";
  names?: readonly string[] | undefined;
}

export type Condition =
  /** A run has not started so long after its fire time. */
  | { kind: "late"; on: SchedulesMeant; afterMs: number }
  /** The last slot that was to be fired was missed, or came too late to be started. */
  | { kind: "missed"; on: SchedulesMeant }
  /** So many runs in a row failed for good. */
  | { kind: "failing"; on: SchedulesMeant | QueuesMeant; times: number }
  | { kind: "running-long"; on: SchedulesMeant | QueuesMeant; afterMs: number }
  | { kind: "not-succeeded"; on: SchedulesMeant; withinMs: number }
  /** More jobs wait, or the oldest job is older. */
  | { kind: "queue-deep"; on: QueuesMeant; over?: number | undefined; olderThanMs?: number | undefined }
  /** More jobs than that became dead letters in so much time. */
  | { kind: "dead-letters"; on: QueuesMeant; over: number; withinMs: number };

export type AlertKind = Condition["kind"];

export type AlertRule = Condition & {
  name: string;
  /** When it was first made: nothing is held against anybody from before. */
  madeAt: Instant;
  /** For people. */
  description?: string | undefined;
};

/** Those for which RUNS has to be read. */
const RUN_KINDS: readonly AlertKind[] = ["late", "missed", "failing", "running-long", "not-succeeded"];

export const needsRuns = ({ kind }: AlertRule): boolean => RUN_KINDS.includes(kind);
