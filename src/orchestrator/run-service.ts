/** What people ask of runs. */
import { PunctualError } from "../core/errors.js";
import { shardOf } from "../core/hash.js";
import { matches } from "../core/labels.js";
import { foldRun, isOver, type Run } from "../core/run.js";
import type { RunFact } from "../core/run-fact.js";
import type { RunsReader } from "../core/runs-reader.js";
import type { Schedule } from "../core/schedule.js";
import type { ApiParsed, ApiResponse } from "../protocol/api.js";
import type { Names } from "../protocol/names.js";
import {
  cursorOf,
  placeOfCursor,
  type RunFilter,
  type RunView,
  summaryOf,
  viewOf,
} from "../protocol/run-api.js";
import type { Definitions } from "./definitions.js";
import { RunIndex } from "./run-index.js";
import { RunSightings, type SightingPorts } from "./run-sightings.js";

export interface RunServicePorts extends SightingPorts {
  names: Names;
  reader: RunsReader;
  shards: number;
}

/** Who watches sees a change after this long at most. */
const LOOK_MS = 250;
/** Runs that are told of in one answer to who watches; of more, the newest. */
const MOST_CHANGES = 1_000;

export class RunService {
  readonly #ports: RunServicePorts;
  readonly #definitions: Definitions;
  readonly #index: RunIndex;
  readonly #sightings: RunSightings;

  constructor(ports: RunServicePorts, definitions: Definitions) {
    this.#ports = ports;
    this.#definitions = definitions;
    this.#index = new RunIndex(ports);
    this.#sightings = new RunSightings(ports);
  }

  async list({ limit, after, ...filter }: ApiParsed<"run.list">): Promise<ApiResponse<"run.list">> {
    const accepts = (run: Run) => isMeant(filter, this.#completed(run));
    const before = after === undefined ? null : placeOfCursor(after);
    const { runs, next } = await this.#index.page(accepts, limit, before);
    const seen = await this.#sightings.left(runs.map((run) => this.#completed(run)));
    const meant = seen.filter((run) => isMeant(filter, run));
    return { runs: meant.map(summaryOf), next: next === null ? null : cursorOf(next) };
  }

  async get({ id }: ApiParsed<"run.get">): Promise<RunView> {
    const { run, storedAt } = await this.known(id);
    return viewOf(run, { storedAt });
  }

  async logs({ id, skip, limit }: ApiParsed<"run.logs">): Promise<ApiResponse<"run.logs">> {
    const { run } = await this.known(id);
    const lines = run.logs.slice(skip, skip + limit);
    return { lines, total: run.logs.length, isOver: isOver(run.state) };
  }

  /** Looks again and again, until there is something. */
  async watch({ id, after, waitMs, ...filter }: ApiParsed<"run.watch">): Promise<ApiResponse<"run.watch">> {
    const { clock } = this.#ports;
    const startedAt = clock.monotonic();
    const since = after === undefined ? null : placeOfCursor(after);
    for (;;) {
      const { ids, last } = await this.#index.changes(since);
      const runs =
        id !== undefined && since === null ? [(await this.known(id)).run] : await this.#all(ids, id);
      const meant = runs.filter((run) => isMeant(filter, run));
      const isLate = clock.monotonic() - startedAt + LOOK_MS > waitMs;
      if (meant.length > 0 || since === null || isLate)
        return { runs: meant.map(summaryOf), next: cursorOf(last) };
      await new Promise<void>((resolve) => clock.after(LOOK_MS, resolve));
    }
  }

  async #all(ids: readonly string[], only: string | undefined): Promise<Run[]> {
    const runs: Run[] = [];
    for (const id of ids.slice(-MOST_CHANGES)) {
      const facts = only === undefined || only === id ? await this.#index.brief(id) : null;
      const run = facts === null ? null : foldRun(id, facts);
      if (run !== null) runs.push(this.#completed(run));
    }
    return runs;
  }

  /** @throws not_found */
  async known(id: string): Promise<{ run: Run; storedAt: number | null }> {
    const run = await this.#told(id);
    const { fact, storedAt } = await this.#sightings.of(run);
    // That it is done may be on its way.
    const settled = fact?.kind === "gone" ? await this.#told(id) : run;
    if (fact === null || isOver(settled.state)) return { run: this.#completed(settled), storedAt };
    return { run: this.#completed(await this.#told(id, fact)), storedAt };
  }

  async #told(id: string, seen?: RunFact): Promise<Run> {
    const facts = await this.#index.get(id);
    const run = facts === null ? null : foldRun(id, seen === undefined ? facts : [...facts, seen]);
    if (run === null) throw new PunctualError("not_found", `run ${id}: nothing is known of it`);
    return run;
  }

  /** RUNS tells neither the queue nor the labels of what a schedule fired. */
  #completed(run: Run): Run {
    const schedule = this.#scheduleOf(run);
    if (schedule === undefined) return run;
    return {
      ...run,
      queue: run.queue ?? schedule.job.queue,
      labels: { ...schedule.labels, ...run.labels },
    };
  }

  #scheduleOf({ scheduleId }: Run): Schedule | undefined {
    if (scheduleId === null) return undefined;
    const shard = shardOf(scheduleId, this.#ports.shards);
    return this.#definitions.get({ id: scheduleId, shard })?.schedule;
  }
}

function isMeant(filter: RunFilter, run: Run): boolean {
  const { scheduleId, queue, states, selector, worker, from, to } = filter;
  const at = run.queuedAt ?? run.fireTime ?? run.startedAt ?? run.endedAt;
  return (
    (scheduleId === undefined || run.scheduleId === scheduleId) &&
    (queue === undefined || run.queue === queue) &&
    (states === undefined || states.includes(run.state)) &&
    (worker === undefined || run.attempts.some((attempt) => attempt.worker === worker)) &&
    (selector === undefined || matches(selector, run.labels)) &&
    (from === undefined || (at !== null && at >= from)) &&
    (to === undefined || (at !== null && at <= to))
  );
}
