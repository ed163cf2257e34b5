/** Holds a rule against what is known of one schedule, queue or heartbeat. Pure. */
import type { AlertRule, Condition } from "./alert-rule.js";
import type { Instant } from "./instant.js";
import { matches } from "./labels.js";
import type { OpenRun } from "./open-runs.js";
import type { Past } from "./run-digest.js";

export interface ScheduleFacts {
  id: string;
  isPaused: boolean;
  /** Nothing before counts. */
  effectiveFrom: Instant;
  past: Past;
  open: readonly OpenRun[];
  /** Slots that are due and not in their queue: not decided, or decided and not stored. The oldest first. */
  unfired: readonly Instant[];
  /** How long after its slot a run is put into its queue by design. */
  delayOf(slot: Instant): number;
}

export interface QueueFacts {
  queue: string;
  past: Past;
  open: readonly OpenRun[];
  /** Jobs that nobody has, at the gate or in a lane. */
  waiting: number;
  /** Of the oldest job that is not done; null when there is none. */
  oldestAgeMs: number | null;
  /** When its jobs became dead letters, the oldest first. */
  deaths: readonly Instant[];
}

export type Verdict =
  | { kind: "fine" }
  | { kind: "breached"; since: Instant; text: string; data: Record<string, unknown> };

const FINE: Verdict = { kind: "fine" };
/** Runs that are named of those that are late or long. */
const NAMED = 5;

export interface ScheduleRef {
  id: string;
  labels?: Readonly<Record<string, string>> | undefined;
}

export function meansSchedule({ on }: AlertRule, { id, labels }: ScheduleRef): boolean {
  if (on.of !== "schedules") return false;
  return (on.ids?.includes(id) ?? true) && (on.labels === undefined || matches(on.labels, labels));
}

export function meansQueue({ on }: AlertRule, queue: string): boolean {
  return on.of === "queues" && (on.names?.includes(queue) ?? true);
}

export function judgeSchedule(rule: AlertRule, facts: ScheduleFacts, now: Instant): Verdict {
  const what = `schedule ${facts.id}`;
  switch (rule.kind) {
    case "late":
      return judgeLate(rule.afterMs, facts, now);
    case "missed":
      return judgeMissed(what, facts.past);
    case "failing":
      return judgeFailing(rule, what, facts.past);
    case "running-long":
      return judgeLong(rule.afterMs, what, facts.open, now);
    case "not-succeeded":
      return judgeNotSucceeded(rule, facts, now);
    default:
      return FINE;
  }
}

export function judgeQueue(rule: AlertRule, facts: QueueFacts, now: Instant): Verdict {
  const what = `queue ${facts.queue}`;
  switch (rule.kind) {
    case "failing":
      return judgeFailing(rule, what, facts.past);
    case "running-long":
      return judgeLong(rule.afterMs, what, facts.open, now);
    case "queue-deep":
      return judgeDeep(rule, facts, now);
    case "dead-letters":
      return judgeDeaths(rule, facts, now);
    default:
      return FINE;
  }
}

function judgeLate(afterMs: number, facts: ScheduleFacts, now: Instant): Verdict {
  const { id, isPaused, delayOf } = facts;
  const isLate = (slot: Instant) => slot + delayOf(slot) + afterMs < now;
  const runs = facts.open.filter((run) => isForItsTime(run) && isLate(run.fireTime as Instant));
  const unfired = isPaused ? [] : facts.unfired.filter(isLate);
  // One may have been fired between the one look and the other.
  const late = new Set([...runs.map(({ fireTime }) => fireTime as Instant), ...unfired]);
  const slots = [...late].sort((a, b) => a - b);
  const [first] = slots;
  if (first === undefined) return FINE;
  const more = slots.length > 1 ? `, and ${slots.length - 1} later one(s)` : "";
  return {
    kind: "breached",
    since: first + delayOf(first) + afterMs,
    text: `the run of schedule ${id} at ${iso(first)} has not started${more}`,
    data: { slots: slots.slice(0, NAMED).map(iso), count: slots.length },
  };
}

/**
 * A backfill is late by nature, and what people trigger is due when they do. What has begun is known by its state: a worker
 * without the SDK does not say when.
 */
const isForItsTime = ({ fireTime, startedAt, state, trigger }: OpenRun): boolean =>
  fireTime !== null &&
  startedAt === null &&
  (state === "queued" || state === "waiting") &&
  trigger !== "backfill" &&
  trigger !== "manual";

function judgeMissed(what: string, { missed }: Past): Verdict {
  if (missed === null) return FINE;
  const { from, to, count, outcome, reason, at } = missed;
  const slots = count === 1 ? `the slot at ${iso(from)} was` : `${count} slots, the last at ${iso(to)}, were`;
  const because = reason === null ? "" : ` (${reason})`;
  return {
    kind: "breached",
    since: at,
    text: `${what}: ${slots} ${outcome}${because}`,
    data: { outcome, from: iso(from), to: iso(to), count, reason },
  };
}

function judgeFailing(rule: Condition & { kind: "failing" }, what: string, past: Past): Verdict {
  const { failures, lastFailure } = past;
  if (failures < rule.times || lastFailure === null) return FINE;
  const runs = failures === 1 ? "the last run failed" : `the last ${failures} runs failed`;
  const { runId, error, at } = lastFailure;
  return { kind: "breached", since: at, text: `${what}: ${runs}`, data: { failures, runId, error } };
}

function judgeLong(afterMs: number, what: string, open: readonly OpenRun[], now: Instant): Verdict {
  const startOf = ({ startedAt }: OpenRun) => startedAt ?? Number.POSITIVE_INFINITY;
  const runs = open.filter((run) => run.state === "running" && startOf(run) + afterMs < now);
  runs.sort((a, b) => startOf(a) - startOf(b));
  const [first] = runs;
  if (first === undefined) return FINE;
  const more = runs.length > 1 ? `, and ${runs.length - 1} more run(s)` : "";
  return {
    kind: "breached",
    since: startOf(first) + afterMs,
    text: `${what}: run ${first.runId} has been running since ${iso(startOf(first))}${more}`,
    data: { runIds: runs.slice(0, NAMED).map(({ runId }) => runId), count: runs.length },
  };
}

/** What was paused by a person waits for a person. Where no success is known, none is expected from before the rule. */
function judgeNotSucceeded(
  { withinMs, madeAt }: AlertRule & { kind: "not-succeeded" },
  { id, isPaused, effectiveFrom, past }: ScheduleFacts,
  now: Instant,
): Verdict {
  const since = Math.max(past.succeededAt ?? madeAt, effectiveFrom) + withinMs;
  if (isPaused || since >= now) return FINE;
  const last = past.succeededAt === null ? null : iso(past.succeededAt);
  const known =
    last === null ? "no run is known to have succeeded" : `the last run that succeeded ended at ${last}`;
  return { kind: "breached", since, text: `schedule ${id}: ${known}`, data: { lastSuccess: last } };
}

function judgeDeep(
  { over, olderThanMs }: Condition & { kind: "queue-deep" },
  { queue, waiting, oldestAgeMs }: QueueFacts,
  now: Instant,
): Verdict {
  const isDeep = over !== undefined && waiting > over;
  const isOld = olderThanMs !== undefined && oldestAgeMs !== null && oldestAgeMs > olderThanMs;
  if (!isDeep && !isOld) return FINE;
  const seconds = oldestAgeMs === null ? null : Math.round(oldestAgeMs / 1_000);
  const old = isOld ? `${isDeep ? ", and " : ""}its oldest job is ${seconds} s old` : "";
  return {
    kind: "breached",
    since: now,
    text: `queue ${queue}: ${isDeep ? waitingText(waiting) : ""}${old}`,
    data: { waiting, oldestAgeSeconds: seconds },
  };
}

function judgeDeaths(
  { over, withinMs }: Condition & { kind: "dead-letters" },
  { queue, deaths }: QueueFacts,
  now: Instant,
): Verdict {
  const count = deaths.filter((at) => at > now - withinMs).length;
  if (count <= over) return FINE;
  const text = `queue ${queue}: ${count} jobs became dead letters`;
  return { kind: "breached", since: now, text, data: { count, since: iso(now - withinMs) } };
}

const iso = (at: Instant): string => new Date(at).toISOString();
const waitingText = (waiting: number): string => (waiting === 1 ? "1 job waits" : `${waiting} jobs wait`);
