/** What people do with schedules. */
import { invalid, messageOf, PunctualError } from "../core/errors.js";
import { matches } from "../core/labels.js";
import { mergePatch } from "../core/merge-patch.js";
import { pauseEndsAfter } from "../core/policies.js";
import type { RunLog, WorkStream } from "../core/ports.js";
import type { QueueStore } from "../core/queue.js";
import type { Instant, Schedule, ScheduleDefinition } from "../core/schedule.js";
import { previousFireTime } from "../core/time/previous.js";
import type { ApiParsed, ApiResponse, ScheduleView } from "../protocol/api.js";
import type { Enqueued } from "../protocol/enqueue-input.js";
import { admitted } from "../protocol/gate-message.js";
import { historyOf } from "../protocol/history.js";
import { bodyWithin } from "../protocol/job-message.js";
import { manualMessage } from "../protocol/manual-message.js";
import type { Names } from "../protocol/names.js";
import { parseWith } from "../protocol/parse.js";
import { definitionOf, inputOf, scheduleInput } from "../protocol/schedule-input.js";
import { compileWritten, specInputOf } from "../protocol/spec-translation.js";
import { isFireSubject } from "../protocol/subjects.js";
import type { Admission } from "../runtime/admission.js";
import { enqueue } from "../runtime/enqueue.js";
import type { Logger } from "../runtime/log.js";
import { checkCounted } from "./counted.js";
import type { Definitions } from "./definitions.js";
import { previewed } from "./preview.js";
import { type EditorPorts, ScheduleEditor } from "./schedule-editor.js";
import { SpecTimes } from "./spec-times.js";

export interface ScheduleServicePorts extends EditorPorts {
  names: Names;
  queues: QueueStore;
  work: WorkStream;
  admission: Admission;
  runs: RunLog;
  log: Logger;
  maxPayload: number;
  newNonce(): string;
}

/** Schedules of a bulk change that are written at once. */
const TOGETHER = 32;

export class ScheduleService {
  readonly #ports: ScheduleServicePorts;
  readonly #definitions: Definitions;
  readonly #editor: ScheduleEditor;
  readonly #times: SpecTimes;

  constructor(ports: ScheduleServicePorts, definitions: Definitions) {
    this.#ports = ports;
    this.#definitions = definitions;
    this.#editor = new ScheduleEditor(ports);
    this.#times = new SpecTimes(ports.schedules, definitions);
  }

  async put({ id, schedule: input, ...edit }: ApiParsed<"schedule.put">): Promise<ScheduleView> {
    const definition = await this.#defined(input);
    this.#times.check(id, definition, await this.#times.calendarsFor(definition.spec));
    checkCounted(this.#definitions, id, definition, this.#ports.shards);
    const { schedule } = await this.#editor.write(id, { ...edit, replaces: true }, () => definition);
    return this.#view(schedule);
  }

  /** The rest stays as it is; what comes out must be a schedule as a whole. */
  async patch({ id, patch, ...edit }: ApiParsed<"schedule.patch">): Promise<ScheduleView> {
    const basis = await this.#editor.existing(id);
    const patched = (existing: ScheduleDefinition) =>
      parseWith(scheduleInput, mergePatch(inputOf(existing), patch), "patch");
    const draft = patched(basis);
    const { maxAttempts } = await this.#ports.queues.ensure(draft.queue);
    const calendars = await this.#times.calendarsFor(this.#definition(draft, maxAttempts).spec);
    const { schedule } = await this.#editor.change(id, edit, (existing) => {
      const definition = this.#definition(patched(existing), maxAttempts);
      checkCounted(this.#definitions, id, definition, this.#ports.shards);
      // A schedule that is over may still be given a note or a label.
      if (!sameTimes(definition, existing)) this.#times.check(id, definition, calendars);
      return definition;
    });
    return this.#view(schedule);
  }

  async get({ id }: ApiParsed<"schedule.get">): Promise<ScheduleView> {
    return this.#view(await this.#editor.existing(id));
  }

  async list(request: ApiParsed<"schedule.list">): Promise<ApiResponse<"schedule.list">> {
    const { schedules, next } = await this.#page(request);
    return { schedules: await Promise.all(schedules.map((schedule) => this.#view(schedule))), next };
  }

  async delete({ id, ...edit }: ApiParsed<"schedule.delete">): Promise<{ id: string }> {
    await this.#editor.delete(id, edit);
    return { id };
  }

  async pause({ id, note, until, ...edit }: ApiParsed<"schedule.pause">): Promise<ScheduleView> {
    return this.#view((await this.#editor.change(id, edit, paused(note, this.#toCome(until)))).schedule);
  }

  async resume({ id, ...edit }: ApiParsed<"schedule.resume">): Promise<ScheduleView> {
    return this.#view((await this.#editor.change(id, edit, resumed)).schedule);
  }

  /** A pause that is over before it begins pauses nothing. */
  #toCome(until: Instant | undefined): Instant | undefined {
    const now = this.#ports.clock.now();
    if (until === undefined || until > now) return until;
    throw invalid("until", `expected a time to come, after ${iso(now)}, got ${iso(until)}`);
  }

  /** Pauses or resumes what the selector picks, one page of it. Repeating it does no harm. */
  async bulk(request: ApiParsed<"schedule.bulk">): Promise<ApiResponse<"schedule.bulk">> {
    const { action, selector, note, until, author } = request;
    const { schedules, next } = await this.#page(request);
    const change = action === "pause" ? paused(note, this.#toCome(until)) : resumedIfPaused;
    const result: ApiResponse<"schedule.bulk"> = { matched: schedules.length, changed: 0, failed: [], next };
    const changeOne = async ({ id }: Schedule) => {
      try {
        // It may have been changed since the page was made.
        const edited = await this.#editor.change(id, { author }, (existing) =>
          matches(selector, existing.labels) ? change(existing) : existing,
        );
        if (edited.changed) result.changed++;
      } catch (error) {
        if (error instanceof PunctualError && error.code === "not_found") return;
        result.failed.push({ id, message: messageOf(error) });
      }
    };
    for (let from = 0; from < schedules.length; from += TOGETHER)
      await Promise.all(schedules.slice(from, from + TOGETHER).map(changeOne));
    return result;
  }

  /** Runs it now, whatever its times and whether or not it is paused; its overlap policy holds. */
  async trigger({ id, author, ...overrides }: ApiParsed<"schedule.trigger">): Promise<Enqueued> {
    const { names, clock, work, admission, maxPayload } = this.#ports;
    const schedule = await this.#editor.existing(id);
    const runId = `${id}:manual-${this.#ports.newNonce()}`;
    const now = clock.now();
    const previous = previousFireTime(await this.#times.of(schedule), now);
    const manual = manualMessage(names, schedule, { ...overrides, runId, now, previous }, maxPayload);
    // The gate learns from the history who has passed it.
    const message = isFireSubject(manual.subject)
      ? manual
      : admitted(manual, await admission.settings(schedule.job.queue), names);
    const accepted = await enqueue(work, message);
    const state = message === manual ? "queued" : "waiting";
    if (accepted) await this.#tellOfTrigger(runId, { scheduleId: id, queue: schedule.job.queue, author });
    return { runId, accepted, ...(accepted && { state }) };
  }

  /** Who changed it when, and what, as far as the store keeps it; of a deleted one too. */
  async history({ id }: ApiParsed<"schedule.history">): Promise<ApiResponse<"schedule.history">> {
    const kept = await this.#ports.schedules.history(id);
    if (kept.length === 0) throw new PunctualError("not_found", `schedule ${id} never existed`);
    return historyOf(id, kept);
  }

  async preview(request: ApiParsed<"schedule.preview">): Promise<ApiResponse<"schedule.preview">> {
    const { id, schedule: input } = request;
    if ((id === undefined) === (input === undefined))
      throw invalid("", "preview: expected one of id, schedule");
    const now = this.#ports.clock.now();
    const draft = { now, queueMaxAttempts: Number.POSITIVE_INFINITY, firstRevision: 0 };
    if (input === undefined) {
      const stored = await this.#editor.existing(id as string);
      return previewed({ ...stored, times: await this.#times.of(stored) }, request, now);
    }
    const { spec } = definitionOf(input, draft);
    const times = compileWritten(spec, "", await this.#times.calendarsFor(spec));
    return previewed({ spec, id: "", times }, request, now);
  }

  /** For people: the job is queued with or without it. */
  async #tellOfTrigger(runId: string, data: Readonly<Record<string, unknown>>): Promise<void> {
    const { runs, log } = this.#ports;
    try {
      await runs.append({ runId, type: "triggered", msgId: `${runId}/triggered`, data });
    } catch (error) {
      log.warn({ runId, error: messageOf(error) }, "that a schedule was triggered could not be stored");
    }
  }

  async #defined(input: ApiParsed<"schedule.put">["schedule"]): Promise<ScheduleDefinition> {
    const { maxAttempts } = await this.#ports.queues.ensure(input.queue);
    return this.#definition(input, maxAttempts);
  }

  /** @throws invalid when it could never be published */
  #definition(input: ApiParsed<"schedule.put">["schedule"], queueMaxAttempts: number): ScheduleDefinition {
    const now = this.#ports.clock.now();
    const definition = definitionOf(input, { now, queueMaxAttempts, firstRevision: 0 });
    bodyWithin(this.#ports.maxPayload, definition.job.payload);
    return definition;
  }

  /** What was just written is there. */
  async #page({
    after,
    limit,
    selector,
  }: Pick<ApiParsed<"schedule.list">, "after" | "limit" | "selector">): Promise<{
    schedules: Schedule[];
    next: string | null;
  }> {
    await this.#definitions.reached(await this.#ports.schedules.lastSequence());
    const isMeant = (schedule: Schedule) => selector === undefined || matches(selector, schedule.labels);
    const page = this.#definitions.page(after ?? "", limit + 1, isMeant);
    const schedules = page.slice(0, limit);
    return { schedules, next: page.length > limit ? (schedules.at(-1) as Schedule).id : null };
  }

  async #view(schedule: Schedule): Promise<ScheduleView> {
    const { id, revision, shard, changedAt, changedBy } = schedule;
    const next = schedule.deleted ? null : await this.#nextTime(schedule);
    return {
      id,
      revision,
      shard,
      schedule: inputOf(schedule) as Record<string, unknown>,
      nextFireTime: next === null ? null : iso(next),
      ...(changedAt !== undefined && { changedAt: iso(changedAt) }),
      ...(changedBy !== undefined && { changedBy }),
    };
  }

  async #nextTime(schedule: Schedule): Promise<Instant | null> {
    const times = await this.#times.of(schedule);
    const resumesAfter = pauseEndsAfter(schedule);
    return resumesAfter === null ? null : times.next(Math.max(this.#ports.clock.now(), resumesAfter));
  }
}

const paused =
  (note: string | undefined, until?: Instant) =>
  (existing: ScheduleDefinition): ScheduleDefinition => ({
    ...existing,
    paused: true,
    pausedUntil: until,
    pausedBy: undefined,
    note: note ?? existing.note,
  });

/** Of many, those that run already keep their notes. */
const resumedIfPaused = (existing: ScheduleDefinition): ScheduleDefinition =>
  existing.paused ? resumed(existing) : existing;

const resumed = (existing: ScheduleDefinition): ScheduleDefinition => ({
  ...existing,
  paused: false,
  pausedUntil: undefined,
  pausedBy: undefined,
  note: undefined,
});

function sameTimes(a: ScheduleDefinition, b: ScheduleDefinition): boolean {
  return JSON.stringify(specInputOf(a.spec)) === JSON.stringify(specInputOf(b.spec));
}

const iso = (instant: Instant): string => new Date(instant).toISOString();
