/**
 * Why a schedule did, or did not, or will, or will not run at an instant.
 *
 * What was told of the slot goes first, then what its shard has decided, and only then what follows from the definition
 * as it was then: a definition that was changed around that time may not have been what the slot was decided from.
 */
import { whyExcluded } from "./exclusion-reason.js";
import { isAfter, type LeaseRecord, type Report } from "./lease.js";
import { type Outcomes, type PastEvent, reportOn } from "./lookback.js";
import { takesTurns } from "./overlap-policy.js";
import { isPausedAt } from "./policies.js";
import {
  type FireTimes,
  firstRevisionOf,
  type Instant,
  type Schedule,
  type ScheduleSpec,
} from "./schedule.js";
import { previousFireTime } from "./time/previous.js";

/** Stable: programs may rely on them. */
export const explanationCodes = [
  "fired", // its run was put on its queue: the events tell how it went on
  "in-flight", // decided to fire: being published, or, as a misfire, waiting for its rate
  "waiting", // decided to fire, and waiting for an earlier run to end
  "overlap", // an earlier run was queued or running
  "misfire", // nobody was there in time, and the misfire policy said skip, or a later slot stood for it
  "max-runs", // the schedule had run as often as it may
  "expired", // it could not start before its deadline
  "skipped", // for another reason, which is told
  "missed", // for the reason that is told
  "not-due", // it will run when its time comes
  "undecided", // its time has come, and no orchestrator has decided it yet
  "paused",
  "deleted",
  "did-not-exist",
  "excluded", // an exclusion or a calendar keeps it from firing
  "out-of-bounds", // before the schedule's start or after its end
  "not-a-fire-time",
  "unknown", // what would tell is no longer kept
] as const;
export type ExplanationCode = (typeof explanationCodes)[number];

export interface Explanation {
  code: ExplanationCode;
  /** A sentence for people. */
  text: string;
  /** The definition that was, or is, in effect; null: none, or it is no longer kept. */
  revision: number | null;
  /** The nearest fire times by that definition, where the instant is none. */
  nearest?: { before: Instant | null; after: Instant | null };
}

export interface Evidence {
  at: Instant;
  now: Instant;
  /** Every revision that is kept, the oldest first; not empty. */
  revisions: readonly Schedule[];
  compile(spec: ScheduleSpec): FireTimes;
  /** Null: the shard has none yet. */
  lease: LeaseRecord | null;
  /** Of the slot's run. */
  events: readonly PastEvent[];
  outcomes: Outcomes;
  /** Whether the run's message is in WORK. */
  isInWork: boolean;
}

export function explain(evidence: Evidence): Explanation {
  const effective = effectiveRevision(evidence);
  const known =
    byWhatWasTold(evidence, effective) ?? byLease(evidence, effective) ?? byDefinition(evidence, effective);
  return { revision: effective?.revision ?? null, ...known };
}

type Known = Pick<Explanation, "code" | "text" | "nearest">;

/** The newest that was written before the instant; of an instant to come, the newest. */
function effectiveRevision({ revisions, at }: Evidence): Schedule | null {
  return revisions.findLast(({ changedAt }) => (changedAt ?? Number.NEGATIVE_INFINITY) <= at) ?? null;
}

function byWhatWasTold(evidence: Evidence, effective: Schedule | null): Known | null {
  const { at, events, outcomes } = evidence;
  const last = events.at(-1);
  if (last !== undefined && (last.type === "skipped" || last.type === "missed"))
    return notFired({ outcome: last.type, reason: String(last.data.reason ?? "") });
  const report = reportOn(outcomes, at);
  // A report is on slots from one to another: what lies between need not be one of them.
  const isReported =
    report !== undefined && (report.from === at || report.to === at || isSlot(evidence, effective));
  if (isReported && !outcomes.fired.has(at)) return notFired(report);
  if (last?.type === "expired") return notFired({ outcome: "expired", reason: "start deadline" });
  if (last === undefined && !outcomes.fired.has(at)) return null;
  return { code: "fired", text: `It fired; ${howItWent(last, evidence.isInWork)}.` };
}

function howItWent(last: PastEvent | undefined, isInWork: boolean): string {
  switch (last?.type) {
    case "succeeded":
      return "the run succeeded";
    case "dead":
      return `the run failed for good (${String(last.data.reason ?? "no reason is told")}) and is a dead letter`;
    case "cancelled":
      return "the run was cancelled";
    case "retried":
      return "an attempt failed, and it is tried again";
    case "started":
      return "a worker has begun it";
    default:
      return isInWork
        ? "its job is queued, or a worker has it"
        : "its job is no longer queued, and no worker told how it went";
  }
}

const REASONS: Readonly<Record<string, { code: ExplanationCode; text: string }>> = {
  overlap: { code: "overlap", text: "an earlier run of the schedule was queued or running" },
  misfire: {
    code: "misfire",
    text: "it was decided over a minute late, and by the misfire policy it does not run then",
  },
  maxRuns: { code: "max-runs", text: "the schedule had run as often as maxRuns allows" },
  "start deadline": { code: "expired", text: "it could not start before its start deadline" },
  ambiguous: {
    code: "missed",
    text: "it is not known whether it was published, and the schedule runs at most once",
  },
};

function notFired({ outcome, reason }: Pick<Report, "outcome" | "reason">): Known {
  const known = REASONS[reason] ?? { code: outcome, text: reason === "" ? "no reason is told" : reason };
  return { code: known.code, text: `It did not run: ${known.text}.` };
}

function byLease(evidence: Evidence, effective: Schedule | null): Known | null {
  const { at, revisions, lease } = evidence;
  const { id, overlap } = revisions.at(-1) as Schedule;
  const ranges = lease?.backlog.filter(({ scheduleId }) => scheduleId === id) ?? [];
  if (ranges.some(({ after, until }) => after < at && at <= until) && isSlot(evidence, effective))
    return {
      code: "in-flight",
      text: "It is decided to fire as a misfire, and waits for its catch-up rate.",
    };
  const firing = lease?.firing.find(({ scheduleId, slot }) => scheduleId === id && slot === at);
  if (firing === undefined) return null;
  if (takesTurns({ overlap }))
    return {
      code: "waiting",
      text: "It is decided to fire; it is being published, or waits for an earlier run.",
    };
  return { code: "in-flight", text: "It is decided to fire and is being published." };
}

function byDefinition(evidence: Evidence, effective: Schedule | null): Known {
  const { at, now, lease, revisions } = evidence;
  if (effective === null) return beforeTheFirst(revisions[0] as Schedule);
  if (effective.deleted)
    return { code: "deleted", text: `It did not exist then: deleted ${whoAndWhen(effective)}.` };
  if (!isSlot(evidence, effective)) return noSlot(evidence, effective);
  if (isPausedAt(effective, at)) return pausedThen(effective, at > now);
  if (at > now) return { code: "not-due", text: "It will run: its time has not come." };
  if (lease === null || isAfter({ time: at, id: effective.id }, lease.cursor)) {
    const holder = lease?.holder ?? null;
    const who =
      holder === null
        ? "no orchestrator holds its shard"
        : `${holder} holds its shard and has not come to it`;
    return { code: "undecided", text: `Its time has come, but ${who}.` };
  }
  return {
    code: "unknown",
    text: "It was decided, but nothing is kept that tells how: RUNS reaches not back so far.",
  };
}

function beforeTheFirst(oldest: Schedule): Known {
  if (firstRevisionOf(oldest) === oldest.revision)
    return { code: "did-not-exist", text: `It did not exist yet: made ${whoAndWhen(oldest)}.` };
  return {
    code: "unknown",
    text: "Nothing was told of it, and its definition of that time is no longer kept.",
  };
}

function pausedThen(schedule: Schedule, isToCome: boolean): Known {
  const { note, pausedUntil } = schedule;
  const why = note === undefined ? "" : ` (${note})`;
  const until = pausedUntil === undefined ? "" : ` until ${iso(pausedUntil)}`;
  const verb = isToCome ? "will not run as long as the schedule is" : "did not run: the schedule was";
  return { code: "paused", text: `It ${verb} paused${until}${why}; last changed ${whoAndWhen(schedule)}.` };
}

function isSlot({ at, compile }: Evidence, schedule: Schedule | null): boolean {
  return schedule !== null && !schedule.deleted && compile(schedule.spec).next(at - 1) === at;
}

function noSlot({ at, compile }: Evidence, { spec }: Schedule): Known {
  const times = compile(spec);
  const nearest = { before: previousFireTime(times, at), after: times.next(at) };
  const why = whyExcluded(spec, at, compile);
  if (why !== null) return { ...why, nearest };
  return { code: "not-a-fire-time", text: "It is no fire time of the schedule.", nearest };
}

function whoAndWhen({ changedAt, changedBy }: Schedule): string {
  const when = changedAt === undefined ? "at an unknown time" : iso(changedAt);
  return changedBy === undefined ? when : `${when} by ${changedBy}`;
}

const iso = (instant: Instant): string => new Date(instant).toISOString();
