/** What people do with schedules. */
import { invalid, PunctualError } from "../core/errors.js";
import { shardOf } from "../core/hash.js";
import type { Clock, QueueStore, ScheduleStore, WorkStream } from "../core/ports.js";
import {
  type FireTimes,
  firstRevisionOf,
  type Instant,
  type Schedule,
  type ScheduleDefinition,
  type ScheduleSpec,
} from "../core/schedule.js";
import { compileSpec, fireTimesBetween } from "../core/time/fire-times.js";
import type { ApiParsed, ApiResponse, Enqueued, ScheduleView } from "../protocol/api.js";
import { bodyWithin, FireMessages } from "../protocol/job-message.js";
import type { Names } from "../protocol/names.js";
import { definitionOf, inputOf } from "../protocol/schedule-input.js";
import { enqueue } from "../runtime/enqueue.js";
import type { Definitions } from "./definitions.js";

export interface ScheduleServicePorts {
  clock: Clock;
  names: Names;
  schedules: ScheduleStore;
  queues: QueueStore;
  work: WorkStream;
  maxPayload: number;
  shards: number;
  newNonce(): string;
}

const TRIES = 10;
const END_OF_TIME = 8.64e15;

export class ScheduleService {
  readonly #ports: ScheduleServicePorts;
  readonly #definitions: Definitions;

  constructor(ports: ScheduleServicePorts, definitions: Definitions) {
    this.#ports = ports;
    this.#definitions = definitions;
  }

  async put({ id, schedule: input, ifRevision }: ApiParsed<"schedule.put">): Promise<ScheduleView> {
    const { maxAttempts } = await this.#ports.queues.ensure(input.queue);
    const draft = { now: this.#ports.clock.now(), queueMaxAttempts: maxAttempts, firstRevision: 0 };
    this.#check(definitionOf(input, draft), id);
    return this.#write(id, (existing) => {
      const revision = existing === null || existing.deleted ? 0 : existing.revision;
      if (ifRevision !== undefined && ifRevision !== revision) {
        const is = revision === 0 ? "does not exist" : `is at revision ${revision}`;
        throw new PunctualError("conflict", `schedule ${id} ${is}, expected revision ${ifRevision}`);
      }
      return {
        ...definitionOf(input, {
          ...draft,
          firstRevision: existing === null ? 0 : firstRevisionOf(existing),
        }),
        effectiveFrom: effectiveFromOf(existing, draft.now),
      };
    });
  }

  async get({ id }: ApiParsed<"schedule.get">): Promise<ScheduleView> {
    return this.#view(await this.#existing(id));
  }

  async list({ after, limit }: ApiParsed<"schedule.list">): Promise<ApiResponse<"schedule.list">> {
    await this.#definitions.reached(await this.#ports.schedules.lastSequence());
    const page = this.#definitions.page(after ?? "", limit + 1);
    const shown = page.slice(0, limit);
    return {
      schedules: shown.map((schedule) => this.#view(schedule)),
      next: page.length > limit ? (shown.at(-1) as Schedule).id : null,
    };
  }

  async delete({ id }: ApiParsed<"schedule.delete">): Promise<{ id: string }> {
    await this.#change(id, (existing) => ({ ...existing, deleted: true }));
    return { id };
  }

  pause({ id, note }: ApiParsed<"schedule.pause">): Promise<ScheduleView> {
    return this.#change(id, (existing) => ({ ...existing, paused: true, note: note ?? existing.note }));
  }

  resume({ id }: ApiParsed<"schedule.resume">): Promise<ScheduleView> {
    return this.#change(id, (existing) => ({ ...existing, paused: false, note: undefined }));
  }

  /** Runs it now, whatever its times and whether or not it is paused; its overlap policy holds. */
  async trigger({ id }: ApiParsed<"schedule.trigger">): Promise<Enqueued> {
    const schedule = await this.#existing(id);
    const runId = `${id}:manual-${this.#ports.newNonce()}`;
    const message = new FireMessages(this.#ports.names, schedule).message(this.#ports.clock.now(), 1, runId);
    return { runId, accepted: await enqueue(this.#ports.work, message) };
  }

  async preview(request: ApiParsed<"schedule.preview">): Promise<{ fireTimes: string[] }> {
    const { id, schedule: input, from, count } = request;
    if ((id === undefined) === (input === undefined))
      throw invalid("", "preview: expected one of id, schedule");
    const now = this.#ports.clock.now();
    const draft = { now, queueMaxAttempts: Number.POSITIVE_INFINITY, firstRevision: 0 };
    const { spec } = input === undefined ? await this.#existing(id as string) : definitionOf(input, draft);
    const times = fireTimesBetween(timesOf(spec, id ?? ""), from ?? now, END_OF_TIME, count);
    return { fireTimes: times.map(iso) };
  }

  /** Refuses what could never fire or never be published. */
  #check(definition: ScheduleDefinition, id: string): void {
    const times = timesOf(definition.spec, id);
    if (times.next(definition.effectiveFrom) === null) {
      const { kind } = definition.spec;
      throw invalid(kind, `expected a time to come, got none after now, ${iso(definition.effectiveFrom)}`);
    }
    bodyWithin(this.#ports.maxPayload, definition.job.payload);
  }

  async #existing(id: string): Promise<Schedule> {
    const schedule = await this.#ports.schedules.get(id);
    if (schedule === null || schedule.deleted)
      throw new PunctualError("not_found", `schedule ${id} does not exist`);
    return schedule;
  }

  #change(id: string, change: (existing: ScheduleDefinition) => ScheduleDefinition): Promise<ScheduleView> {
    return this.#write(id, (existing) => {
      if (existing === null || existing.deleted)
        throw new PunctualError("not_found", `schedule ${id} does not exist`);
      const { id: _id, shard: _shard, revision: _revision, ...definition } = existing;
      return {
        ...change(definition),
        effectiveFrom: effectiveFromOf(existing, this.#ports.clock.now()),
        firstRevision: firstRevisionOf(existing),
      };
    });
  }

  /** Reads, changes and writes until nobody else came between; a doubtful write is read and tried again. */
  async #write(id: string, change: (existing: Schedule | null) => ScheduleDefinition): Promise<ScheduleView> {
    const { schedules } = this.#ports;
    for (let tries = 0; tries < TRIES; tries++) {
      const existing = await schedules.get(id);
      const definition = change(existing);
      if (existing !== null && saysTheSame(existing, definition)) return this.#view(existing);
      const outcome = await schedules.write(id, definition, existing?.revision ?? 0);
      if (outcome.kind !== "stored") continue;
      const shard = shardOf(id, this.#ports.shards);
      return this.#view({ ...definition, id, shard, revision: outcome.revision });
    }
    throw new PunctualError("conflict", `schedule ${id} is being changed by others; try again`);
  }

  #view(schedule: Schedule): ScheduleView {
    const { id, revision, shard } = schedule;
    const next = schedule.paused || schedule.deleted ? null : this.#nextTime(schedule);
    return {
      id,
      revision,
      shard,
      schedule: inputOf(schedule) as Record<string, unknown>,
      nextFireTime: next === null ? null : iso(next),
    };
  }

  #nextTime(schedule: Schedule): Instant | null {
    const known = this.#definitions.get(schedule);
    const times =
      known?.schedule.revision === schedule.revision ? known.times : compileSpec(schedule.spec, schedule.id);
    return times.next(this.#ports.clock.now());
  }
}

/** Slots of a definition that nobody has decided yet go on under its next revision. */
function effectiveFromOf(existing: Schedule | null, now: Instant): Instant {
  return existing === null || existing.deleted || existing.paused ? now : existing.effectiveFrom;
}

function saysTheSame(a: ScheduleDefinition, b: ScheduleDefinition): boolean {
  return a.deleted === b.deleted && JSON.stringify(inputOf(a)) === JSON.stringify(inputOf(b));
}

/** What people write, by the name it has in a spec. */
const FIELDS: Readonly<Record<string, string>> = { expression: "cron", everyMs: "every", phaseMs: "phase" };

/** Compiles a spec; what it refuses is named as people wrote it. */
function timesOf(spec: ScheduleSpec, id: string): FireTimes {
  try {
    return compileSpec(spec, id);
  } catch (error) {
    const [issue] = error instanceof PunctualError ? error.issues : [];
    throw issue === undefined ? error : invalid(FIELDS[issue.path] ?? issue.path, issue.message);
  }
}

const iso = (instant: Instant): string => new Date(instant).toISOString();
