/**
 * Changing definitions: read, change, write if nobody else came between. What is written says when and by whom, and
 * goes on where the revision before it stopped.
 */
import { PunctualError } from "../core/errors.js";
import { shardOf } from "../core/hash.js";
import { succeedingSpec } from "../core/passed-times.js";
import { defaultPolicies, isPausedAt } from "../core/policies.js";
import type { Clock, ScheduleStore } from "../core/ports.js";
import { defaultRetry } from "../core/retry.js";
import { firstRevisionOf, type Instant, type Schedule, type ScheduleDefinition } from "../core/schedule.js";
import { inputOf } from "../protocol/schedule-input.js";

export interface EditorPorts {
  clock: Clock;
  schedules: ScheduleStore;
  shards: number;
}

/** Whose change it is, and on which condition. */
export interface Edit {
  author?: string | undefined;
  /** Only if the revision is still this one; 0: only if there is no such schedule. */
  ifRevision?: number | undefined;
  /** What is there does not matter; so it may be no definition at all. */
  replaces?: boolean;
}

export interface Edited {
  schedule: Schedule;
  /** False: it said the same before. */
  changed: boolean;
}

const TRIES = 10;

/** What stands for a schedule that nobody could read and that was deleted. */
const DELETED: ScheduleDefinition = {
  spec: { kind: "at", at: 0 },
  job: { queue: "default", payload: null, headers: {}, retry: defaultRetry, timeoutMs: 0 },
  overlap: "skip",
  misfire: "skip",
  catchUpWindowMs: 0,
  delivery: "at-least-once",
  paused: false,
  ...defaultPolicies,
  deleted: true,
  effectiveFrom: 0,
  firstRevision: 0,
};

export class ScheduleEditor {
  readonly #ports: EditorPorts;

  constructor(ports: EditorPorts) {
    this.#ports = ports;
  }

  /** @throws not_found */
  async existing(id: string): Promise<Schedule> {
    const schedule = await this.#ports.schedules.get(id);
    if (schedule === null || schedule.deleted) throw notFound(id);
    return schedule;
  }

  /** Changes a schedule that exists. */
  change(
    id: string,
    edit: Edit,
    change: (existing: ScheduleDefinition) => ScheduleDefinition,
  ): Promise<Edited> {
    return this.write(id, edit, (existing) => {
      if (existing === null || existing.deleted) throw notFound(id);
      return change(definitionOf(existing));
    });
  }

  /** What is no definition is deleted as well. */
  async delete(id: string, edit: Edit): Promise<void> {
    await this.write(id, { ...edit, replaces: true }, (existing, isUnreadable) => {
      if (isUnreadable) return DELETED;
      if (existing === null || existing.deleted) throw notFound(id);
      return { ...definitionOf(existing), deleted: true };
    });
  }

  /** @throws conflict when the condition does not hold, or others write all the time */
  async write(
    id: string,
    edit: Edit,
    change: (existing: Schedule | null, isUnreadable: boolean) => ScheduleDefinition,
  ): Promise<Edited> {
    const { schedules, clock, shards } = this.#ports;
    for (let tries = 0; tries < TRIES; tries++) {
      const { existing, revision } = await this.#read(id, edit);
      checkRevision(id, existing, edit.ifRevision);
      const wanted = change(existing, existing === null && revision > 0);
      if (existing !== null && saysTheSame(existing, wanted)) return { schedule: existing, changed: false };
      const definition = succeeding(existing, wanted, clock.now(), edit.author);
      const outcome = await schedules.write(id, definition, revision);
      // A doubtful write is read: it may be there.
      if (outcome.kind !== "stored") continue;
      const schedule = { ...definition, id, shard: shardOf(id, shards), revision: outcome.revision };
      return { schedule, changed: true };
    }
    throw new PunctualError("conflict", `schedule ${id} is being changed by others; try again`);
  }

  /** A revision without a schedule: what is there is no definition. */
  async #read(id: string, edit: Edit): Promise<{ existing: Schedule | null; revision: number }> {
    const { schedules } = this.#ports;
    try {
      const existing = await schedules.get(id);
      return { existing, revision: existing?.revision ?? 0 };
    } catch (error) {
      const isToBeReplaced = edit.replaces === true && edit.ifRevision === undefined;
      const revision = isToBeReplaced ? await schedules.unreadableAt(id) : null;
      if (revision === null) throw error;
      return { existing: null, revision };
    }
  }
}

function succeeding(
  existing: Schedule | null,
  definition: ScheduleDefinition,
  now: Instant,
  author: string | undefined,
): ScheduleDefinition {
  return {
    ...definition,
    spec: succeedingSpec(definition.spec, existing, now),
    changedAt: now,
    changedBy: author,
    effectiveFrom: effectiveFromOf(existing, now),
    countsFrom: countsFromOf(existing, definition, now),
    firstRevision: existing === null ? 0 : firstRevisionOf(existing),
  };
}

/** Slots of a definition that nobody has decided yet go on under its next revision. */
function effectiveFromOf(existing: Schedule | null, now: Instant): Instant {
  return existing === null || existing.deleted || isPausedAt(existing, now) ? now : existing.effectiveFrom;
}

/** The count of runs goes on as well, unless its limit is another one now, or was reached and is to be reached again. */
function countsFromOf(existing: Schedule | null, next: ScheduleDefinition, now: Instant): Instant {
  if (existing === null || existing.deleted || existing.maxRuns !== next.maxRuns) return now;
  return existing.pausedBy === "max-runs" && !next.paused ? now : existing.countsFrom;
}

function definitionOf({ id: _id, shard: _shard, revision: _revision, ...definition }: Schedule) {
  return definition;
}

function saysTheSame(a: ScheduleDefinition, b: ScheduleDefinition): boolean {
  return a.deleted === b.deleted && JSON.stringify(inputOf(a)) === JSON.stringify(inputOf(b));
}

function checkRevision(id: string, existing: Schedule | null, expected: number | undefined): void {
  const revision = existing === null || existing.deleted ? 0 : existing.revision;
  if (expected === undefined || expected === revision) return;
  const is = revision === 0 ? "does not exist" : `is at revision ${revision}`;
  throw new PunctualError("conflict", `schedule ${id} ${is}, expected revision ${expected}`, {
    issues: [{ path: "ifRevision", message: `expected ${revision}, the current revision, got ${expected}` }],
  });
}

const notFound = (id: string) => new PunctualError("not_found", `schedule ${id} does not exist`);
