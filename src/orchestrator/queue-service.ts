/** What people do with queues. */

import { invalid, PunctualError } from "../core/errors.js";
import { isGoverned } from "../core/gate.js";
import type { GateStore } from "../core/gate-store.js";
import { mergePatch } from "../core/merge-patch.js";
import type { Clock, Membership, ScheduleStore } from "../core/ports.js";
import {
  isQueuePausedAt,
  type LaneCounts,
  type QueueConsumers,
  type QueueRecord,
  type QueueRequest,
  type QueueStore,
  settingsOf,
} from "../core/queue.js";
import type { Instant } from "../core/schedule.js";
import type { ApiParsed, ApiResponse } from "../protocol/api.js";
import { parseWith } from "../protocol/parse.js";
import type { QueueView } from "../protocol/queue-api.js";
import { queueInput, queueInputOf, queueRequestOf } from "../protocol/queue-input.js";
import type { Definitions } from "./definitions.js";
import { follow } from "./queue-keeper.js";

export interface QueueServicePorts {
  clock: Clock;
  queues: QueueStore;
  queueConsumers: QueueConsumers;
  gates: Pick<GateStore, "count">;
  membership: Membership;
  schedules: ScheduleStore;
}

/** From what was asked before. */
type Change = (asked: QueueRequest) => QueueRequest;

interface Edit {
  ifRevision?: number | undefined;
  /** What was asked before does not matter. */
  replaces?: boolean;
}

/** What a view is made of. */
interface Found {
  record: QueueRecord | null;
  counts: readonly LaneCounts[];
  /** At the gate. */
  waiting: number;
  workers: number;
}

const TRIES = 10;
/** So many schedules are named of those that stand in the way. */
const NAMED = 3;

export class QueueService {
  readonly #ports: QueueServicePorts;
  readonly #definitions: Definitions;

  constructor(ports: QueueServicePorts, definitions: Definitions) {
    this.#ports = ports;
    this.#definitions = definitions;
  }

  /** As a whole: what is not said is as by default. */
  put({ queue, settings, ifRevision }: ApiParsed<"queue.put">): Promise<QueueView> {
    return this.#change(queue, () => queueRequestOf(settings), { ifRevision, replaces: true });
  }

  async patch({ queue, patch, ifRevision }: ApiParsed<"queue.patch">): Promise<QueueView> {
    await this.#checkExists(queue);
    const change: Change = (asked) =>
      queueRequestOf(parseWith(queueInput, mergePatch(queueInputOf(asked), patch), "patch"));
    return this.#change(queue, change, { ifRevision });
  }

  async get({ queue }: ApiParsed<"queue.get">): Promise<QueueView> {
    const found = await this.#find(queue);
    if (found.record === null && found.counts.length === 0) throw notFound(queue);
    return this.#view(queue, found);
  }

  async list({ after = "", limit }: ApiParsed<"queue.list">): Promise<ApiResponse<"queue.list">> {
    const { queues, queueConsumers } = this.#ports;
    const [records, counts, workers] = await Promise.all([
      queues.list(),
      queueConsumers.all(),
      this.#workers(),
    ]);
    const byName = new Map(records.map((record) => [record.queue, record]));
    const names = [...new Set([...byName.keys(), ...counts.keys()])].filter((name) => name > after).sort();
    const shown = names.slice(0, limit).map(async (name) => {
      const record = byName.get(name) ?? null;
      const waiting = await this.#waiting(record);
      return this.#view(name, { record, counts: counts.get(name) ?? [], waiting, workers: workers(name) });
    });
    return {
      queues: await Promise.all(shown),
      next: names.length > limit ? (names[limit - 1] as string) : null,
    };
  }

  async pause({ queue, note, until }: ApiParsed<"queue.pause">): Promise<QueueView> {
    const now = this.#ports.clock.now();
    if (until !== undefined && until <= now)
      throw invalid("until", `expected a time to come, after ${iso(now)}, got ${iso(until)}`);
    await this.#checkExists(queue);
    return this.#change(queue, (asked) => ({
      ...asked,
      paused: true,
      pausedUntil: until,
      note: note ?? asked.note,
    }));
  }

  async resume({ queue }: ApiParsed<"queue.resume">): Promise<QueueView> {
    await this.#checkExists(queue);
    return this.#change(queue, ({ paused: _, pausedUntil: __, note: ___, ...rest }) => rest);
  }

  /** Refused while it is in use; a job that comes at the same moment makes the queue anew. */
  async delete({ queue, ifRevision }: ApiParsed<"queue.delete">): Promise<{ queue: string }> {
    const { queues, queueConsumers } = this.#ports;
    const { record, counts, workers } = await this.#find(queue);
    if (record === null && counts.length === 0) throw notFound(queue);
    const conflict = conflictOf(queue, record, ifRevision);
    if (conflict !== null) throw conflict;
    if (await queueConsumers.hasJobs(queue)) throw inUse(queue, "has jobs; let them end");
    if (workers > 0) throw inUse(queue, `has ${workers} worker(s); stop them first`);
    await this.#checkSchedules(queue);
    // The marker is written of a queue without a record too: it tells everyone.
    const outcome = await queues.remove(queue, record?.revision ?? 0);
    if (outcome.kind === "lost") throw changedByOthers(queue);
    if (outcome.kind === "unknown") throw inDoubt(queue, "deleted");
    await queueConsumers.remove(queue);
    if (await queueConsumers.hasJobs(queue)) await queues.ensure(queue);
    return { queue };
  }

  /** A queue that nobody has heard of is made by whoever puts it, not by a slip of the pen. */
  async #checkExists(queue: string): Promise<void> {
    const { record, counts } = await this.#find(queue);
    if (record !== null || counts.length > 0 || (await this.#ports.queueConsumers.hasJobs(queue))) return;
    throw new PunctualError("not_found", `queue ${queue} does not exist; queue put makes it`);
  }

  /** What fires into a queue that nobody can work would lie there unseen. */
  async #checkSchedules(queue: string): Promise<void> {
    await this.#definitions.reached(await this.#ports.schedules.lastSequence());
    const users = this.#definitions.page("", NAMED + 1, ({ job }) => job.queue === queue).map(({ id }) => id);
    if (users.length === 0) return;
    const more = users.length > NAMED ? " and others" : "";
    throw inUse(queue, `is in use by the schedules ${users.slice(0, NAMED).join(", ")}${more}`);
  }

  /** Reads, changes and writes until nobody else came between, then lets the consumers follow. */
  async #change(queue: string, change: Change, edit: Edit = {}): Promise<QueueView> {
    await this.#write(queue, change, edit);
    await this.#ports.queues.ensure(queue);
    await follow(this.#ports, queue);
    return this.#view(queue, await this.#find(queue));
  }

  async #write(queue: string, change: Change, { ifRevision, replaces = false }: Edit): Promise<void> {
    const { queues } = this.#ports;
    let isInDoubt = false;
    for (let tries = 0; tries < TRIES; tries++) {
      const existing = await queues.get(queue).catch((error) => {
        throw isInDoubt ? inDoubt(queue, "stored") : error;
      });
      const unreadable = existing?.unreadable;
      if (unreadable !== undefined && !replaces)
        throw new PunctualError("conflict", `${unreadable}; put the settings of queue ${queue} anew`);
      const asked = change(existing?.asked ?? {});
      const isThere = existing !== null && unreadable === undefined && saysTheSame(existing.asked, asked);
      // An unanswered write that was done after all has moved the revision itself.
      if (isThere && isInDoubt) return;
      const conflict = conflictOf(queue, existing, ifRevision);
      if (conflict !== null) throw isInDoubt ? inDoubt(queue, "stored") : conflict;
      if (isThere) return;
      const outcome = await queues.write(queue, asked, existing?.revision ?? 0);
      if (outcome.kind === "stored") return;
      isInDoubt ||= outcome.kind === "unknown";
    }
    throw isInDoubt ? inDoubt(queue, "stored") : changedByOthers(queue);
  }

  async #find(queue: string): Promise<Found> {
    const { queues, queueConsumers } = this.#ports;
    const [record, counts, workers] = await Promise.all([
      queues.get(queue),
      queueConsumers.counts(queue),
      this.#workers(),
    ]);
    return { record, counts, waiting: await this.#waiting(record), workers: workers(queue) };
  }

  #waiting(record: QueueRecord | null): Promise<number> {
    return record !== null && isGoverned(record.settings)
      ? this.#ports.gates.count(record.queue)
      : Promise.resolve(0);
  }

  async #workers(): Promise<(queue: string) => number> {
    const members = await this.#ports.membership.list();
    return (queue) =>
      members.filter(({ role, queues }) => role === "worker" && queues?.includes(queue)).length;
  }

  #view(queue: string, { record, counts, waiting, workers }: Found): QueueView {
    const asked = record?.asked ?? {};
    const sum = (field: "queued" | "running" | "redelivered" | "pulls") =>
      counts.reduce((total, lane) => total + lane[field], 0);
    return {
      queue,
      revision: record?.revision ?? 0,
      asked: queueInputOf(asked),
      settings: queueInputOf(settingsOf(asked)),
      ...(record?.unreadable !== undefined && { unreadable: record.unreadable }),
      paused: isQueuePausedAt(settingsOf(asked), this.#ports.clock.now()),
      bareWorkersPaused: counts.length > 0 && counts.every(({ paused }) => paused),
      waiting,
      queued: sum("queued"),
      running: sum("running"),
      redelivered: sum("redelivered"),
      pulls: sum("pulls"),
      workers,
      lanes: counts.map(({ paused: _, ...lane }) => lane),
    };
  }
}

function saysTheSame(a: QueueRequest, b: QueueRequest): boolean {
  return JSON.stringify(queueInputOf(a)) === JSON.stringify(queueInputOf(b));
}

function conflictOf(queue: string, record: QueueRecord | null, expected = record?.revision ?? 0) {
  const revision = record?.revision ?? 0;
  if (expected === revision) return null;
  const is = revision === 0 ? "has no settings" : `is at revision ${revision}`;
  return new PunctualError("conflict", `queue ${queue} ${is}, expected revision ${expected}`, {
    issues: [{ path: "ifRevision", message: `expected ${revision}, the current revision, got ${expected}` }],
  });
}

const iso = (at: Instant): string => new Date(at).toISOString();
const notFound = (queue: string) => new PunctualError("not_found", `queue ${queue} does not exist`);
const inUse = (queue: string, why: string) => new PunctualError("conflict", `queue ${queue} ${why}`);
const changedByOthers = (queue: string) =>
  new PunctualError("conflict", `queue ${queue} is being changed by others; try again`);
const inDoubt = (queue: string, done: "stored" | "deleted") => {
  const what = done === "stored" ? `the settings of queue ${queue}` : `queue ${queue}`;
  return new PunctualError("timeout", `${what} may or may not have been ${done}; see queue get`);
};
