/** Gathers what is known of a slot and has it explained. */
import { PunctualError } from "../core/errors.js";
import { type Evidence, explain } from "../core/explain.js";
import { CLOCKS_DIFFER_MS } from "../core/instant.js";
import type { Outcomes, PastEvent, RunHistory } from "../core/lookback.js";
import type { Clock, LeaseStore, ScheduleStore, WorkStream } from "../core/ports.js";
import type { Instant, Schedule } from "../core/schedule.js";
import type { ApiParsed, ApiResponse } from "../protocol/api.js";
import { headers as h } from "../protocol/headers.js";
import { runIdOf } from "../protocol/names.js";
import type { Definitions } from "./definitions.js";

export interface ExplainServicePorts {
  clock: Clock;
  schedules: ScheduleStore;
  leases: LeaseStore;
  history: RunHistory;
  work: WorkStream;
}

/** Events that are told of one run. */
const EVENTS = 100;

export class ExplainService {
  readonly #ports: ExplainServicePorts;
  readonly #definitions: Definitions;

  constructor(ports: ExplainServicePorts, definitions: Definitions) {
    this.#ports = ports;
    this.#definitions = definitions;
  }

  async explain({ id, at }: ApiParsed<"schedule.explain">): Promise<ApiResponse<"schedule.explain">> {
    const { schedules, history, clock, leases } = this.#ports;
    const revisions = await schedules.history(id);
    const newest = revisions.at(-1);
    if (newest === undefined) throw new PunctualError("not_found", `schedule ${id} never existed`);
    // Before what is told of the slot: what has left the record by then is told.
    const lease = await leases.read(newest.shard);
    const runId = runIdOf(id, at);
    const events = await history.events(runId);
    const outcomes = await this.#outcomesOf(newest, at, events);
    const evidence: Evidence = {
      at,
      now: clock.now(),
      revisions,
      compile: (spec) => this.#definitions.compile({ ...newest, deleted: false, spec }).times,
      lease: lease?.value ?? null,
      events,
      outcomes,
      isInWork: await this.#isInWork(outcomes.fired.get(at), runId),
    };
    const { nearest, ...explanation } = explain(evidence);
    return {
      ...{ id, at: iso(at), runId, ...explanation },
      ...(nearest !== undefined && {
        nearest: { before: isoOrNull(nearest.before), after: isoOrNull(nearest.after) },
      }),
      events: events.slice(-EVENTS).map((event) => ({ ...event, at: iso(event.at) })),
    };
  }

  /** Slots are decided a little ahead, and told after that: what lies further in the future has no outcome. */
  async #outcomesOf(schedule: Schedule, at: Instant, events: readonly PastEvent[]): Promise<Outcomes> {
    const isToCome = at > this.#ports.clock.now() + CLOCKS_DIFFER_MS;
    if (events.length > 0 || isToCome) return { fired: new Map(), reports: [] };
    return this.#ports.history.outcomes(schedule, at - CLOCKS_DIFFER_MS, at);
  }

  async #isInWork(seq: number | null | undefined, runId: string): Promise<boolean> {
    if (seq === null || seq === undefined) return false;
    return (await this.#ports.work.at(seq))?.headers[h.runId] === runId;
  }
}

const iso = (instant: Instant): string => new Date(instant).toISOString();
const isoOrNull = (instant: Instant | null): string | null => (instant === null ? null : iso(instant));
