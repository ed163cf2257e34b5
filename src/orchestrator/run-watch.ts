/**
 * Follows RUNS for the rules that look at runs: what it tells of the schedules and queues that they mean is folded and
 * digested, pass by pass.
 *
 * A pass reads what is new. The first one begins `LOOK_BACK` messages ago; what is older is known only as far as somebody
 * kept it (see `seen-runs.ts`). More news than that between two passes, and it begins anew.
 */
import { type OpenRun, ownerOf } from "../core/open-runs.js";
import type { Clock, WorkStream } from "../core/ports.js";
import type { QueueConsumers } from "../core/queue.js";
import { isOver, type Run } from "../core/run.js";
import { type Entry, RunBook, runOf } from "../core/run-book.js";
import { RunDigest } from "../core/run-digest.js";
import type { RunsReader } from "../core/runs-reader.js";
import { Turns } from "../core/turns.js";
import { type Names, parseRunId } from "../protocol/names.js";
import { RunTeller, type Told } from "../protocol/told.js";
import type { Definitions } from "./definitions.js";
import { RunSightings } from "./run-sightings.js";

export interface RunWatchPorts {
  reader: RunsReader;
  names: Names;
  clock: Clock;
  work: WorkStream;
  queueConsumers: QueueConsumers;
  shards: number;
}

/** What rules look at; `null` where a run is of no schedule, or of no known queue. */
export interface Watched {
  schedule(id: string): boolean;
  queue(name: string): boolean;
}

export const scheduleKey = (id: string): string => `schedule.${id}`;
export const queueKey = (queue: string): string => `queue.${queue}`;

const LOOK_BACK = 200_000;
/** Messages that are folded at once. */
const STRETCH = 5_000;
/** About 20 MB. An end that only the server tells of is understood of these alone. */
const MOST_RUNS = 20_000;
/** Open runs that WORK is asked of in one pass, of those that have begun and of those that have not: the oldest of each owner. */
const MOST_SIGHTED = 50;
/** What was told a moment ago may be followed by what is being told. */
const SETTLED_MS = 5_000;

export class RunWatch {
  readonly #ports: RunWatchPorts;
  readonly #definitions: Definitions;
  readonly #teller: RunTeller;
  readonly #sightings: RunSightings;
  readonly #turns = { ofWaiting: new Turns(), ofBegun: new Turns() };
  readonly digest = new RunDigest();
  #book = new RunBook();
  /** The message in WORK of the run whose end was counted; 0: of a run that has none. */
  #counted = new WeakMap<Entry, number>();
  /** All up to here is read; undefined: nothing is. */
  #to: number | undefined;

  constructor(ports: RunWatchPorts, definitions: Definitions) {
    this.#ports = ports;
    this.#definitions = definitions;
    this.#teller = new RunTeller(ports.names);
    this.#sightings = new RunSightings(ports);
  }

  /** Reads anew what there is: more is looked at than before. */
  rewind(): void {
    this.#book = new RunBook();
    this.#counted = new WeakMap();
    this.#to = undefined;
    this.digest.rewind();
  }

  async catchUp(watched: Watched): Promise<void> {
    const { first, last } = await this.#ports.reader.bounds();
    if (this.#to !== undefined && (last < this.#to || last - this.#to > LOOK_BACK)) this.rewind();
    this.#to ??= Math.max(first, last - LOOK_BACK + 1) - 1;
    while (this.#to < last) {
      const to = Math.min(last, this.#to + STRETCH);
      await this.#read(this.#to + 1, to, watched);
      this.#to = to;
      this.#book.trim(MOST_RUNS);
    }
    await this.#sight();
  }

  async #read(from: number, to: number, watched: Watched): Promise<void> {
    const touched = new Set<Entry>();
    await this.#ports.reader.read({ from, to }, (message) => {
      for (const [order, told] of this.#teller.read(message).entries()) {
        const entry = this.#isWatched(told, watched) ? this.#book.add(message.seq, order, told) : undefined;
        if (entry !== undefined) touched.add(entry);
      }
    });
    const runs = [...touched].map((entry) => ({ entry, run: runOf(entry) }));
    // A row of failures is a matter of order.
    runs.sort((a, b) => (a.run?.endedAt ?? 0) - (b.run?.endedAt ?? 0));
    for (const { entry, run } of runs) if (run !== null) this.#note(entry, this.#completed(run), watched);
  }

  /** What is told of runs that nobody looks at is not kept. */
  #isWatched({ runId, fact }: Told, watched: Watched): boolean {
    if (runId === null || this.#book.get(runId) !== undefined) return true;
    const scheduleId = fact.scheduleId ?? parseRunId(runId)?.scheduleId;
    const queue = fact.queue ?? (scheduleId === undefined ? undefined : this.#queueOf(scheduleId));
    return (
      (scheduleId !== undefined && watched.schedule(scheduleId)) ||
      (queue !== undefined && watched.queue(queue))
    );
  }

  #note(entry: Entry, run: Run, watched: Watched): void {
    const keys: string[] = [];
    if (run.scheduleId !== null && watched.schedule(run.scheduleId)) keys.push(scheduleKey(run.scheduleId));
    if (run.queue !== null && watched.queue(run.queue)) keys.push(queueKey(run.queue));
    if (keys.length === 0) return;
    // An id that is used again stands for its newest job.
    const seq = run.seq ?? 0;
    this.digest.note(run, keys, this.#counted.get(entry) === seq);
    if (isOver(run.state)) this.#counted.set(entry, seq);
  }

  /** RUNS tells neither the schedule nor the queue of all that it tells of a run. */
  #completed(run: Run): Run {
    const scheduleId = run.scheduleId ?? parseRunId(run.id)?.scheduleId ?? null;
    const queue = run.queue ?? (scheduleId === null ? null : (this.#queueOf(scheduleId) ?? null));
    return { ...run, scheduleId, queue };
  }

  #queueOf(scheduleId: string): string | undefined {
    return this.#definitions.find(scheduleId)?.schedule.job.queue;
  }

  /** A worker without the SDK does not say when it begins, and what was purged has no end that is told. */
  async #sight(): Promise<void> {
    const now = this.#ports.clock.now();
    const old = [...this.digest.open].filter(
      ({ queuedAt }) => queuedAt !== null && queuedAt + SETTLED_MS < now,
    );
    const waiting = old.filter(({ startedAt }) => startedAt === null);
    const begun = old.filter(({ startedAt }) => startedAt !== null);
    for (const run of this.#turns.ofWaiting.take(waiting, ownerOf, MOST_SIGHTED))
      await this.#sightOne(run, now);
    for (const run of this.#turns.ofBegun.take(begun, ownerOf, MOST_SIGHTED)) await this.#sightOne(run, now);
  }

  async #sightOne(run: OpenRun, now: number): Promise<void> {
    const { fact } = await this.#sightings.of({ ...run, id: run.runId });
    if (fact?.kind === "gone") this.digest.gone(run.runId);
    else if (fact?.kind === "delivered" && run.state === "queued") this.digest.begun(run, now);
  }
}
