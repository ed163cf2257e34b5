/**
 * A run, folded from what is known of it.
 *
 * The fold is a pure function of the set of facts: their order and repeats do not matter. Facts that are missing make a
 * run less known, never wrong in itself: an attempt that nobody ended is `lost` when a later one began, a run without a
 * trace in WORK is `unknown`.
 *
 * An id that a producer uses again stands for its newest job: only that one's facts are folded.
 */
import { canonical, type FactKind, type LogLine, type RunFact } from "./run-fact.js";
import type { Instant } from "./schedule.js";

export const runStates = [
  /** For its time; it is not in its queue yet. */
  "waiting",
  "queued",
  "running",
  /** An attempt failed, and the next one has not begun. */
  "retrying",
  "succeeded",
  /** Its worker gave it up for good, without a dead letter. */
  "failed",
  /** Failed for good: it is a dead letter. */
  "dead",
  "cancelled",
  /** Not started in time. */
  "expired",
  "skipped",
  "missed",
  /** It has left its queue, and nothing tells how it ended. */
  "unknown",
] as const;
export type RunState = (typeof runStates)[number];

/** After one of these nothing more happens to a run. */
export const endStates: readonly RunState[] = runStates.slice(4);

export const isOver = (state: RunState): boolean => endStates.includes(state);

export type AttemptOutcome = "succeeded" | "failed" | "cancelled" | "lost";

export interface RunAttempt {
  /** 1 for the first. */
  number: number;
  worker: string | null;
  startedAt: Instant | null;
  endedAt: Instant | null;
  /** Null: it is not known to be over. `lost`: its worker did not answer in time. */
  outcome: AttemptOutcome | null;
  durationMs: number | null;
  error: string | null;
  stack: string | null;
}

export interface Run {
  id: string;
  state: RunState;
  /** Why it ended so, where that is not plain. */
  reason: string | null;
  error: string | null;
  queue: string | null;
  lane: string | null;
  scheduleId: string | null;
  fireTime: Instant | null;
  trigger: string | null;
  parent: string | null;
  labels: Readonly<Record<string, string>>;
  /** That of the last attempt. */
  worker: string | null;
  /** Of its message in WORK, the newest where it waited elsewhere between two attempts. */
  seq: number | null;
  subject: string | null;
  /** When it was put into its queue, or, of one that waits or never was, told of. */
  queuedAt: Instant | null;
  startedAt: Instant | null;
  endedAt: Instant | null;
  /** Of the last attempt. */
  durationMs: number | null;
  /** When the next attempt, or the first one of a run that waits, is due. */
  nextAt: Instant | null;
  /** How many there were, the unknown ones included. */
  attemptCount: number;
  /** Those that are known, in their order. */
  attempts: readonly RunAttempt[];
  progress: unknown;
  result: unknown;
  logs: readonly (LogLine & { attempt: number | null })[];
  /** Of skipped, missed and expired slots: this run stands for all of them. */
  slots: { from: Instant; to: Instant; count: number } | null;
}

/** Null when nothing is known. */
export function foldRun(id: string, told: Iterable<RunFact>): Run | null {
  const all = canonical(counted([...told]));
  const facts = ofNewestLife(all);
  if (facts.length === 0) return null;
  const attempts = attemptsOf(facts);
  const end = endOf(facts);
  const state = stateOf(facts, end, attempts);
  closeAttempts(attempts, state);
  const last = attempts.at(-1);
  const find = finder(facts);
  const report = find("reported");
  const isReport = report !== undefined && end === report;
  return {
    id,
    state,
    reason: (state === "waiting" ? find("waiting") : end)?.reason ?? null,
    error: state === "succeeded" ? null : (end?.error ?? last?.error ?? null),
    queue: pick(facts, "queue"),
    lane: pick(facts, "lane"),
    scheduleId: pick(all, "scheduleId"),
    fireTime: pick(all, "fireTime") ?? (isReport ? (report.from ?? null) : null),
    parent: pick(facts, "parent") ?? null,
    trigger: pick(facts, "trigger") ?? (find("fired") === undefined ? null : "schedule"),
    labels: pick(facts, "labels") ?? {},
    worker: last?.worker ?? pick(facts, "worker"),
    seq: Math.max(...facts.map(({ seq = 0 }) => seq)) || null,
    subject: pick([...facts].reverse(), "subject"),
    queuedAt:
      pick(facts, "storedAt") ?? find("stored", "fired", "triggered", "waiting", "reported")?.at ?? null,
    startedAt: attempts.find(({ startedAt }) => startedAt !== null)?.startedAt ?? null,
    endedAt: isOver(state) ? (end?.at ?? null) : null,
    durationMs: last?.durationMs ?? null,
    nextAt: nextOf(facts, state, last),
    attemptCount: last?.number ?? 0,
    attempts,
    progress: facts.filter(({ kind }) => kind === "progress").at(-1)?.progress ?? null,
    result: find("succeeded")?.result ?? null,
    logs: facts.flatMap(({ lines = [], attempt = null }) => lines.map((line) => ({ ...line, attempt }))),
    slots: isReport ? slotsOf(report) : null,
  };
}

const finder =
  (facts: readonly RunFact[]) =>
  (...kinds: FactKind[]): RunFact | undefined => {
    for (const kind of kinds) {
      const found = facts.find((fact) => fact.kind === kind);
      if (found !== undefined) return found;
    }
    return undefined;
  };

/** What the earliest fact says that says anything of it. */
function pick<F extends keyof RunFact>(facts: readonly RunFact[], field: F): NonNullable<RunFact[F]> | null {
  for (const fact of facts) {
    const value = fact[field];
    if (value !== undefined && value !== null) return value as NonNullable<RunFact[F]>;
  }
  return null;
}

const COUNTED_BY_SERVER: readonly FactKind[] = ["acked", "naked", "terminated", "exhausted"];

/** The server counts the deliveries of one message; a run may have had attempts before it. */
function counted(facts: readonly RunFact[]): RunFact[] {
  const before = new Map(
    facts.map(({ seq, before = 0, kind }) => [kind === "stored" ? seq : undefined, before]),
  );
  return facts.map((fact) => {
    const more = fact.seq === undefined ? 0 : (before.get(fact.seq) ?? 0);
    const isCounted = COUNTED_BY_SERVER.includes(fact.kind) && fact.attempt !== undefined;
    return isCounted && more > 0 ? { ...fact, attempt: (fact.attempt as number) + more } : fact;
  });
}

/** A slot that was stored twice all the same is one run, and so is one that waited elsewhere between two attempts. */
function ofNewestLife(facts: readonly RunFact[]): RunFact[] {
  const fired = facts.flatMap(({ kind, seq }) => (kind === "fired" && seq !== undefined ? [seq] : []));
  const first = Math.min(...fired);
  const seqs = [...new Set(facts.flatMap(({ seq }) => (seq === undefined ? [] : [seq])))].sort(
    (a, b) => a - b,
  );
  const lives = new Map<number, number>();
  for (const [index, seq] of seqs.entries()) {
    const goesOn = facts.some((fact) => fact.kind === "stored" && fact.seq === seq && (fact.before ?? 0) > 0);
    const earlier = lives.get(seqs[index - 1] ?? 0);
    lives.set(seq, goesOn && earlier !== undefined ? earlier : fired.includes(seq) ? first : seq);
  }
  const lifeOf = (seq: number) => lives.get(seq) ?? seq;
  const newest = facts.reduce((life, { seq }) => (seq === undefined ? life : Math.max(life, lifeOf(seq))), 0);
  return facts.filter(({ seq }) => seq === undefined || lifeOf(seq) === newest);
}

/** Facts that an attempt began or ended with; the more telling ones first. */
const ENDINGS: Partial<Record<FactKind, AttemptOutcome>> = {
  succeeded: "succeeded",
  cancelled: "cancelled",
  retried: "failed",
  dead: "failed",
  acked: "succeeded",
  naked: "failed",
  terminated: "failed",
};

function attemptsOf(facts: readonly RunFact[]): RunAttempt[] {
  const byNumber = new Map<number, RunFact[]>();
  for (const fact of facts) {
    const { attempt } = fact;
    if (attempt !== undefined && attempt > 0) byNumber.set(attempt, [...(byNumber.get(attempt) ?? []), fact]);
  }
  return [...byNumber].sort(([a], [b]) => a - b).map(([number, own]) => attemptOf(number, own));
}

function attemptOf(number: number, facts: readonly RunFact[]): RunAttempt {
  const find = finder(facts);
  const end = find(...(Object.keys(ENDINGS) as FactKind[]));
  const durationMs = pick(facts, "durationMs");
  const isLost = end === undefined ? find("exhausted") !== undefined : isBuriedBare(end, find);
  const endedAt = end?.at ?? null;
  const before = endedAt !== null && durationMs !== null ? endedAt - durationMs : null;
  return {
    number,
    worker: pick(facts, "worker"),
    startedAt: pick(facts, "startedAt") ?? find("started")?.at ?? before,
    endedAt: isLost ? null : endedAt,
    outcome: isLost ? "lost" : end === undefined ? null : (ENDINGS[end.kind] ?? null),
    durationMs,
    error: pick(facts, "error"),
    stack: pick(facts, "stack"),
  };
}

/** An orchestrator buried it because nobody had answered to the last delivery. */
function isBuriedBare(end: RunFact, find: ReturnType<typeof finder>): boolean {
  return end.kind === "dead" && end.error === undefined && find("naked", "terminated") === undefined;
}

/** An attempt without an end is over when another one was begun, or the run has ended. */
function closeAttempts(attempts: RunAttempt[], state: RunState): void {
  attempts.forEach((attempt, index) => {
    const isLast = index === attempts.length - 1;
    if (attempt.outcome === null && (!isLast || isOver(state))) attempt.outcome = "lost";
  });
}

const TOLD_ENDS: readonly FactKind[] = ["succeeded", "dead", "cancelled", "expired"];

/** The first end that somebody told; else what the server saw; else a report, which is true of what never was in WORK. */
function endOf(facts: readonly RunFact[]): RunFact | undefined {
  const told = facts.find(({ kind }) => TOLD_ENDS.includes(kind));
  if (told !== undefined) return told;
  const find = finder(facts);
  // A worker that lets a run wait elsewhere is done with the message, not with the run.
  const isGivenBack = ({ seq, attempt }: RunFact) =>
    facts.some((fact) => fact.kind === "retried" && fact.seq === seq && fact.attempt === attempt);
  const acked = facts.find((fact) => fact.kind === "acked" && !isGivenBack(fact));
  const seen = find("exhausted", "terminated") ?? acked;
  if (seen !== undefined) return seen;
  return wasInWork(facts) ? undefined : find("reported");
}

const IN_WORK: readonly FactKind[] = [
  ...([
    "fired",
    "stored",
    "triggered",
    "started",
    "progress",
    "log",
    "retried",
    "naked",
    "delivered",
  ] as const),
];

const wasInWork = (facts: readonly RunFact[]): boolean => facts.some(({ kind }) => IN_WORK.includes(kind));

const STATE_OF: Partial<Record<FactKind, RunState>> = {
  succeeded: "succeeded",
  acked: "succeeded",
  dead: "dead",
  exhausted: "dead",
  terminated: "failed",
  cancelled: "cancelled",
  expired: "expired",
};

function stateOf(facts: readonly RunFact[], end: RunFact | undefined, attempts: RunAttempt[]): RunState {
  if (end !== undefined) return STATE_OF[end.kind] ?? end.outcome ?? "unknown";
  const find = finder(facts);
  if (find("gone") !== undefined) return "unknown";
  const last = attempts.at(-1);
  if (last?.outcome === "failed") return "retrying";
  if (last !== undefined || find("delivered") !== undefined) return "running";
  if (wasInWork(facts)) return "queued";
  return find("waiting") === undefined ? "unknown" : "waiting";
}

function nextOf(facts: readonly RunFact[], state: RunState, last: RunAttempt | undefined): Instant | null {
  if (state === "waiting") return facts.filter(({ kind }) => kind === "waiting").at(-1)?.until ?? null;
  if (state !== "retrying" || last === undefined) return null;
  const failed = facts.find(({ kind, attempt }) => kind === "retried" && attempt === last.number);
  return failed === undefined ? null : failed.at + (failed.delayMs ?? 0);
}

function slotsOf({ from, to, count }: RunFact): Run["slots"] {
  return from === undefined || to === undefined ? null : { from, to, count: count ?? 1 };
}
