/** What people do with backfills. */
import type { Backfill, BackfillStore } from "../core/backfill.js";
import { nextSlots } from "../core/backfill.js";
import { invalid, PunctualError } from "../core/errors.js";
import type { Clock, ScheduleStore, Versioned } from "../core/ports.js";
import type { QueueStore } from "../core/queue.js";
import type { Instant } from "../core/schedule.js";
import type { ApiParsed, ApiResponse } from "../protocol/api.js";
import { type BackfillView, viewOfBackfill } from "../protocol/backfill.js";
import { limits } from "../protocol/limits.js";
import { type ChoicePorts, isWanted, outcomesFor } from "./backfill-choice.js";
import type { Definition, Definitions } from "./definitions.js";
import { ScheduleEditor } from "./schedule-editor.js";

export interface BackfillServicePorts extends ChoicePorts {
  clock: Clock;
  schedules: ScheduleStore;
  queues: QueueStore;
  backfills: BackfillStore;
  shards: number;
  newNonce(): string;
}

type Create = ApiParsed<"backfill.create">;

const TRIES = 10;
/** Of a dry run: slots that are looked at, and shown. */
const LOOKS = 1_000;
const SHOWN = 10;

export class BackfillService {
  readonly #ports: BackfillServicePorts;
  readonly #definitions: Definitions;
  readonly #editor: ScheduleEditor;

  constructor(ports: BackfillServicePorts, definitions: Definitions) {
    this.#ports = ports;
    this.#definitions = definitions;
    this.#editor = new ScheduleEditor(ports);
  }

  async create(request: Create): Promise<ApiResponse<"backfill.create">> {
    const now = this.#ports.clock.now();
    checkRange(request, now);
    const definition = this.#definitions.compile(await this.#editor.existing(request.scheduleId));
    const draft = this.#draft(request, definition, now);
    if (draft.slots === 0) throw invalid("from", `expected fire times between from and to, found none`);
    if (request.dryRun) return { plan: await this.#plan(draft, definition), backfill: null };
    await this.#ports.queues.ensure(definition.schedule.job.queue);
    return { plan: null, backfill: await this.#store(draft) };
  }

  async list({ scheduleId }: ApiParsed<"backfill.list">): Promise<ApiResponse<"backfill.list">> {
    const all = await this.#ports.backfills.list();
    const meant = all.filter(
      ({ backfill }) => scheduleId === undefined || backfill.scheduleId === scheduleId,
    );
    meant.sort((a, b) => b.backfill.createdAt - a.backfill.createdAt || (a.id < b.id ? -1 : 1));
    return { backfills: meant.map(({ id, backfill }) => viewOfBackfill(id, backfill)) };
  }

  async get({ id }: ApiParsed<"backfill.get">): Promise<BackfillView> {
    return viewOfBackfill(id, (await this.#existing(id)).value);
  }

  /** What is queued stays queued. Of one that is over nothing changes. */
  async cancel({ id }: ApiParsed<"backfill.cancel">): Promise<BackfillView> {
    for (let tries = 0; tries < TRIES; tries++) {
      const { value, revision } = await this.#existing(id);
      if (value.state !== "running") return viewOfBackfill(id, value);
      const cancelled: Backfill = { ...value, state: "cancelled", changedAt: this.#ports.clock.now() };
      const outcome = await this.#ports.backfills.write(id, cancelled, revision);
      if (outcome.kind === "stored") return viewOfBackfill(id, cancelled);
    }
    throw new PunctualError("conflict", `backfill ${id} is being changed by others; try again`);
  }

  async #existing(id: string): Promise<Versioned<Backfill>> {
    const record = await this.#ports.backfills.get(id);
    if (record === null) throw new PunctualError("not_found", `backfill ${id} does not exist`);
    return record;
  }

  #draft(request: Create, { schedule, times }: Definition, now: Instant): Backfill {
    const { from, to, reprocess, backwards, rate, author } = request;
    const range = { from, to, backwards: false, cursor: null };
    const { length } = nextSlots(range, times, limits.backfillCount + 1);
    return {
      ...{ scheduleId: schedule.id, revision: schedule.revision, from, to, reprocess, backwards, rate },
      ...{ state: "running", cursor: null, batch: [], notBefore: now },
      slots: length > limits.backfillCount ? null : length,
      ...{ queued: 0, passedBy: 0, missed: 0, createdAt: now, createdBy: author, changedAt: now },
    };
  }

  /** What it would do, as far as it is looked at. */
  async #plan(draft: Backfill, definition: Definition): Promise<ApiResponse<"backfill.create">["plan"]> {
    const { schedule, times } = definition;
    const outcomes = await outcomesFor(this.#ports, draft, schedule);
    const slots = nextSlots(draft, times, LOOKS);
    const running: Instant[] = [];
    for (const slot of slots)
      if (await isWanted(this.#ports, draft, schedule, slot, outcomes)) running.push(slot);
    return {
      slots: draft.slots,
      looked: slots.length,
      runs: running.length,
      first: running.slice(0, SHOWN).map((slot) => new Date(slot).toISOString()),
    };
  }

  async #store(draft: Backfill): Promise<BackfillView> {
    for (let tries = 0; tries < TRIES; tries++) {
      const id = `b${this.#ports.newNonce().slice(0, 9)}`;
      const outcome = await this.#ports.backfills.write(id, draft, 0);
      if (outcome.kind === "stored") return viewOfBackfill(id, draft);
      // In doubt, another id would make a second one.
      if (outcome.kind === "unknown")
        throw new PunctualError("timeout", `backfill ${id} may or may not have been made; see the list`);
    }
    throw new PunctualError("conflict", "no id is free; try again");
  }
}

function checkRange({ from, to }: Create, now: Instant): void {
  if (from > to) throw invalid("to", "expected a time that is not before from");
  if (to > now)
    throw invalid("to", `expected a time that has passed, got one after ${new Date(now).toISOString()}`);
}
