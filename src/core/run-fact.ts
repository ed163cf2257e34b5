/**
 * What RUNS tells of a run, one thing at a time.
 *
 * Facts come from many sides: slot records, jobs as the server republishes them, its advisories and metrics, events of
 * workers and orchestrators. Any of them may be lost, told twice, or overtaken by another.
 */
import type { Instant } from "./schedule.js";

export const factKinds = [
  /** A slot of a schedule: its message is in WORK. */
  "fired",
  /** A job that no schedule fired at its time is in WORK; told by the server. */
  "stored",
  "triggered",
  /** It is not in WORK yet: it waits for its time. */
  "waiting",
  "started",
  "progress",
  "log",
  "retried",
  "succeeded",
  "dead",
  "expired",
  "cancelled",
  /** Told by the server of what a worker answered, or did not: given back, done, removed, delivered too often. */
  "naked",
  "acked",
  "terminated",
  "exhausted",
  /** Slots that were not fired, or a job that was one too many. */
  "reported",
  /** Not told by RUNS but seen: WORK does not have it any more. */
  "gone",
  /** Not told by RUNS but seen: its queue has delivered it. */
  "delivered",
] as const;
export type FactKind = (typeof factKinds)[number];

export interface LogLine {
  /** RFC 3339, by the clock of the worker. */
  time: string;
  level: string;
  msg: string;
  data?: unknown;
}

export interface RunFact {
  kind: FactKind;
  /** When it was told. */
  at: Instant;
  /** Sequence of the message in WORK that it is about. */
  seq?: number | undefined;
  /** 1 for the first. */
  attempt?: number | undefined;
  /** Attempts before this message: it waited elsewhere between two, and goes on. */
  before?: number | undefined;
  queue?: string | undefined;
  lane?: string | undefined;
  /** In WORK. */
  subject?: string | undefined;
  scheduleId?: string | undefined;
  fireTime?: Instant | undefined;
  trigger?: string | undefined;
  /** The run upon whose end it follows. */
  parent?: string | undefined;
  labels?: Readonly<Record<string, string>> | undefined;
  worker?: string | undefined;
  /** When WORK stored the message, and when the handler was called, where whoever tells it knows. */
  storedAt?: Instant | undefined;
  startedAt?: Instant | undefined;
  /** Of the attempt. */
  durationMs?: number | undefined;
  /** Until the next attempt, at least. */
  delayMs?: number | undefined;
  /** When a job that waits is due. */
  until?: Instant | undefined;
  error?: string | undefined;
  stack?: string | undefined;
  reason?: string | undefined;
  result?: unknown;
  progress?: unknown;
  lines?: readonly LogLine[] | undefined;
  /** Sequence in RUNS of the record that tells it together with others; its result is only there. */
  record?: number | undefined;
  /** Of a report: what became of the slots, the first and the last of them, and how many. */
  outcome?: "skipped" | "missed" | "expired" | undefined;
  from?: Instant | undefined;
  to?: Instant | undefined;
  count?: number | undefined;
}

/** Facts of one kind and one attempt are one fact told again, and the first telling counts; these are many. */
const MANY: readonly FactKind[] = ["log", "progress", "reported"];

/**
 * The same facts for any order and any number of repeats: each once, the earliest first.
 *
 * Told again means stored again, later: the first telling counts.
 */
export function canonical(facts: Iterable<RunFact>): RunFact[] {
  const kept = new Map<string, RunFact>();
  for (const fact of facts) {
    const key = identityOf(fact);
    const known = kept.get(key);
    if (known === undefined || compare(fact, known) < 0) kept.set(key, fact);
  }
  return [...kept.values()].sort(compare);
}

function identityOf(fact: RunFact): string {
  const key = `${fact.kind}/${fact.seq ?? ""}/${fact.attempt ?? ""}`;
  return MANY.includes(fact.kind) ? `${key}/${textOf(fact)}` : key;
}

/** By time; what was told at one instant in an order that depends on nothing else. */
function compare(a: RunFact, b: RunFact): number {
  if (a.at !== b.at) return a.at - b.at;
  const [rankA, rankB] = [factKinds.indexOf(a.kind), factKinds.indexOf(b.kind)];
  if (rankA !== rankB) return rankA - rankB;
  const [textA, textB] = [textOf(a), textOf(b)];
  return textA < textB ? -1 : textA > textB ? 1 : 0;
}

const textOf = (fact: RunFact): string =>
  JSON.stringify(Object.entries(fact).sort(([a], [b]) => (a < b ? -1 : 1)));
