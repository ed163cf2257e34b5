/**
 * Chains and groups: what follows upon the end of runs.
 *
 * Both are records in a store, written by compare-and-swap. That of a run is there before its job is, and goes last:
 *
 *   open ── its run is over ──► decided ── what follows is queued, its group knows ──► (nothing)
 *
 * The decision is kept before anything follows from it, so that whoever goes on after a crash does the same under the
 * same ids. A group is a record of its own in which the members that are over are noted, each by its bit.
 */
import { Bitmap } from "./bitmap.js";
import { hash32 } from "./hash.js";
import { type Instant, SKEW_MS } from "./instant.js";
import { isOver, type Run, type RunState } from "./run.js";

/** How a run ended. */
export interface Decision {
  state: RunState;
  at: Instant;
  /** Of the record before the decision: no other life of the run has it. */
  life: number;
}

/** A run upon whose end something follows. */
export interface Followed {
  kind: "run";
  runId: string;
  queue: string;
  /** Jobs as JSON; null: none. */
  onSuccess: string | null;
  onFailure: string | null;
  group: { id: string; index: number } | null;
  /** Null: its run is not known to be over. */
  decided: Decision | null;
}

export interface Group {
  kind: "group";
  id: string;
  members: number;
  /** A job as JSON. */
  onDone: string;
  done: Bitmap;
  failed: Bitmap;
  createdAt: Instant;
  /** When `onDone` was queued; null: it was not. */
  completedAt: Instant | null;
}

export type ChainRecord = Followed | Group;

/** A record to be written before its job is stored. */
export interface Following {
  key: string;
  record: Followed;
  /** Where the group is that it counts for. */
  groupKey: string | null;
}

/**
 * What the record can be decided by; null: nothing yet. A run id may be used again, so a run that was queued before the
 * record is an earlier life. Between two lives there are at least two minutes: the server refuses the id until then.
 */
export function decisionOf(
  run: Run | null,
  record: { storedAt: Instant; revision: number },
): Decision | null {
  if (run === null || !isOver(run.state) || isEarlier(run, record)) return null;
  return { state: run.state, at: run.endedAt ?? record.storedAt, life: record.revision };
}

/** Whether what is known is of a life of the run before the record: of its own nothing was told longer before it. */
export function isEarlier(run: Run, { storedAt }: { storedAt: Instant }): boolean {
  const begunAt = run.queuedAt ?? run.startedAt ?? run.endedAt;
  return begunAt !== null && begunAt < storedAt - SKEW_MS;
}

export const hasSucceeded = ({ state }: Pick<Decision, "state">): boolean => state === "succeeded";

/** Of the job that follows, as JSON; null: none does. */
export function followerOf({ onSuccess, onFailure }: Followed, decided: Decision): string | null {
  return hasSucceeded(decided) ? onSuccess : onFailure;
}

/** Whether both ask for the same, however far each has got. */
export function asksTheSame(a: ChainRecord, b: ChainRecord): boolean {
  if (a.kind === "group" && b.kind === "group") return a.members === b.members && a.onDone === b.onDone;
  if (a.kind === "group" || b.kind === "group") return false;
  const isSame = (x: Followed["group"], y: Followed["group"]) => x?.id === y?.id && x?.index === y?.index;
  return (
    a.runId === b.runId &&
    a.onSuccess === b.onSuccess &&
    a.onFailure === b.onFailure &&
    isSame(a.group, b.group)
  );
}

/** After a member's run is over. Once all are, it stays as it is: what follows is about to be queued. */
export function noted(group: Group, index: number, hasFailed: boolean): Group {
  if (group.completedAt !== null || index >= group.members || group.done.isFull) return group;
  return { ...group, done: group.done.with(index, true), failed: group.failed.with(index, hasFailed) };
}

/** All members are over, and nothing has followed yet. */
export const isDue = (group: Group): boolean => group.completedAt === null && group.done.isFull;

export function newGroup(id: string, members: number, onDone: string, createdAt: Instant): Group {
  const none = new Bitmap(members);
  return { kind: "group", id, members, onDone, done: none, failed: none, createdAt, completedAt: null };
}

const FOLLOWER = /:then(?:-(\d+))?$/;
/** Of a run id, in characters. */
const MOST = 160;

/** The run that follows upon a run: `mail-7:then`, and upon that `mail-7:then-2`. Of a long id, a hash is the end. */
export function followerId(runId: string): string {
  const match = FOLLOWER.exec(runId);
  const suffix = match === null ? ":then" : `:then-${Number(match[1] ?? 1) + 1}`;
  const first = match === null ? runId : runId.slice(0, match.index);
  if (first.length + suffix.length <= MOST) return first + suffix;
  const end = `-${hash32(runId).toString(36)}${suffix}`;
  return first.slice(0, MOST - end.length) + end;
}

/** The run that follows upon a group. */
export const groupRunId = (id: string): string => `${id}:done`;
