/** What people ask of runs. */
import { PunctualError } from "../core/errors.js";
import { shardOf } from "../core/hash.js";
import { matches } from "../core/labels.js";
import type { Clock, WorkStream } from "../core/ports.js";
import { foldRun, isOver, type Run } from "../core/run.js";
import type { RunFact } from "../core/run-fact.js";
import type { RunsReader } from "../core/runs-reader.js";
import type { Schedule } from "../core/schedule.js";
import type { ApiParsed, ApiResponse } from "../protocol/api.js";
import { readJob } from "../protocol/job-message.js";
import type { Names } from "../protocol/names.js";
import {
  cursorOf,
  placeOfCursor,
  type RunFilter,
  type RunView,
  summaryOf,
  viewOf,
} from "../protocol/run-api.js";
import { fallbackRunId } from "../protocol/run-id.js";
import type { Definitions } from "./definitions.js";
import { RunIndex } from "./run-index.js";

export interface RunServicePorts {
  clock: Clock;
  names: Names;
  work: WorkStream;
  reader: RunsReader;
  shards: number;
}

/** What was told a moment ago may be followed by what is being told. */
const SETTLED_MS = 2_000;
/** Messages of WORK that are looked at at once. */
const TOGETHER = 16;

export class RunService {
  readonly #ports: RunServicePorts;
  readonly #definitions: Definitions;
  readonly #index: RunIndex;

  constructor(ports: RunServicePorts, definitions: Definitions) {
    this.#ports = ports;
    this.#definitions = definitions;
    this.#index = new RunIndex(ports);
  }

  async list({ limit, after, ...filter }: ApiParsed<"run.list">): Promise<ApiResponse<"run.list">> {
    const accepts = (run: Run) => isMeant(filter, this.#completed(run));
    const before = after === undefined ? null : placeOfCursor(after);
    const { runs, next } = await this.#index.page(accepts, limit, before);
    const seen = await this.#seen(runs.map((run) => this.#completed(run)));
    const meant = seen.filter((run) => isMeant(filter, run));
    return { runs: meant.map(summaryOf), next: next === null ? null : cursorOf(next) };
  }

  async get({ id }: ApiParsed<"run.get">): Promise<RunView> {
    const { run, storedAt } = await this.#known(id);
    return viewOf(run, { storedAt });
  }

  async #known(id: string): Promise<{ run: Run; storedAt: number | null }> {
    const facts = await this.#index.get(id);
    const run = facts === null ? null : foldRun(id, facts);
    if (facts === null || run === null)
      throw new PunctualError("not_found", `run ${id}: nothing is known of it`);
    if (run.seq === null || isOver(run.state)) return { run: this.#completed(run), storedAt: null };
    const { fact, storedAt } = await this.#lookAt(run, run.seq);
    const told = fact === null ? run : (foldRun(id, [...facts, fact]) as Run);
    return { run: this.#completed(told), storedAt };
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

  /** Of runs that nobody told the end of, whether they are still in WORK. */
  async #seen(runs: readonly Run[]): Promise<Run[]> {
    const seen: Run[] = [];
    for (let from = 0; from < runs.length; from += TOGETHER)
      seen.push(...(await Promise.all(runs.slice(from, from + TOGETHER).map((run) => this.#seenOne(run)))));
    return seen;
  }

  async #seenOne(run: Run): Promise<Run> {
    const { seq, queuedAt, state } = run;
    const isNew = queuedAt === null || this.#ports.clock.now() - queuedAt < SETTLED_MS;
    if (seq === null || isNew || isOver(state)) return run;
    return (await this.#lookAt(run, seq)).fact === null ? run : { ...run, state: "unknown" };
  }

  async #lookAt({ id }: Run, seq: number): Promise<{ fact: RunFact | null; storedAt: number | null }> {
    const message = await this.#ports.work.at(seq);
    const isIts =
      message !== null && readJob(message.headers, () => fallbackRunId(message.subject, seq)).runId === id;
    if (isIts) return { fact: null, storedAt: message.storedAt };
    return { fact: { kind: "gone", at: this.#ports.clock.now(), seq }, storedAt: null };
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
