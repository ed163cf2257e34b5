/**
 * Finding runs in RUNS, the newest first.
 *
 * Nothing is read until somebody asks, and then only what the answer needs: what is new since the last question, and,
 * backwards, as much as fills a page. What was read is kept as a book of at most `mostRuns` runs; what is older than
 * the book is read again, stretch by stretch, whenever somebody looks there. A page gives up after a while and says
 * where to go on, so that a question that matches little never holds up the orchestrator.
 */
import type { Clock } from "../core/ports.js";
import type { Run } from "../core/run.js";
import {
  type Entry,
  LOOK_BACK,
  placeOf,
  placeOfEntry,
  RunBook,
  runOf,
  seqOfPlace,
} from "../core/run-book.js";
import type { RunFact } from "../core/run-fact.js";
import type { ReadOptions, RunsReader, ToldMessage } from "../core/runs-reader.js";
import type { Names } from "../protocol/names.js";
import { RunTeller, type Told } from "../protocol/told.js";
import { Slices } from "./slices.js";

export interface RunIndexPorts {
  reader: RunsReader;
  names: Names;
  clock: Clock;
}

/** About 60 MB. */
const MOST_RUNS = 100_000;
/** Messages that are read at once. */
const STRETCH = 15_000;
/** More news than that, and the book is begun anew. */
const MOST_NEWS = 200_000;
/** A page that is not full by then goes on in the next. */
const PAGE_MS = 100;
/** A run that is not found by then is told by its own events alone. */
const SEEK_MS = 3_000;

export interface Page {
  runs: Run[];
  /** Where the next one goes on; null: there is nothing older. */
  next: number | null;
}

/** What a message of RUNS tells, and where. */
export interface Found {
  seq: number;
  order: number;
  told: Told;
}

/** A book, and what it was read from: all that RUNS tells from `from` to `to`. */
interface Volume {
  book: RunBook;
  from: number;
  to: number;
  /** Places below may not be final, or not known. */
  floor: number;
}

export class RunIndex {
  readonly #ports: RunIndexPorts;
  readonly #mostRuns: number;
  readonly #isKept: (runId: string) => boolean;
  readonly #teller: RunTeller;
  #newest: Volume | undefined;
  /** The last stretch of what is older. */
  #older: Volume | undefined;
  #isFull = false;
  #first = 1;
  /** One question reads at a time. */
  #turn: Promise<unknown> = Promise.resolve();

  /** @param isKept a run that stays in the book, beside the others */
  constructor(ports: RunIndexPorts, mostRuns = MOST_RUNS, isKept: (runId: string) => boolean = () => false) {
    this.#ports = ports;
    this.#mostRuns = mostRuns;
    this.#isKept = isKept;
    this.#teller = new RunTeller(ports.names);
  }

  /** @param before only runs of older places */
  page(accepts: (run: Run) => boolean, limit: number, before: number | null): Promise<Page> {
    return this.#inTurn(async () => {
      const newest = await this.#catchUp();
      return this.#fill(newest, accepts, limit, before ?? placeOf(newest.to + 1));
    });
  }

  /** All that is known of a run; null: nothing. */
  get(runId: string): Promise<RunFact[] | null> {
    return this.#inTurn(async () => {
      const newest = await this.#catchUp();
      const entry = newest.book.get(runId) ?? (await this.#seek(newest, runId));
      const from = entry === undefined || entry.opened === 0 ? 1 : beginningOf(entry);
      const own = await this.#eventsOf({ runId, from, to: newest.to });
      const others = entry?.facts.filter((fact) => isSeen(fact)) ?? [];
      const records = (entry?.facts ?? []).flatMap(({ record }) => (record === undefined ? [] : [record]));
      for (const record of records) others.push(...(await this.#recordedOf(runId, record)));
      return own.length + others.length === 0 ? null : [...own, ...others];
    });
  }

  /** What is known of a run without its logs, stacks and results. */
  brief(runId: string): Promise<readonly RunFact[] | null> {
    return this.#inTurn(async () => {
      const entry = this.#newest?.book.get(runId);
      // What came before the book is told by its own events.
      if (entry?.opened === 0)
        return [
          ...entry.facts,
          ...(await this.#eventsOf({ runId, from: 1, to: seqOfPlace(entry.firstEvent) })),
        ];
      return entry?.facts ?? null;
    });
  }

  /** Runs of which something is told after a message of RUNS, the newest news last; null: just where RUNS is. */
  changes(after: number | null): Promise<{ ids: string[]; last: number }> {
    return this.#inTurn(async () => {
      const { book, to } = await this.#catchUp();
      return { ids: after === null ? [] : book.changedSince(after).map(({ runId }) => runId), last: to };
    });
  }

  /** Adds to the book what somebody has read elsewhere in RUNS. */
  learn(found: readonly Found[]): Promise<void> {
    return this.#inTurn(async () => {
      const { book } = await this.#catchUp();
      for (const { seq, order, told } of found) book.add(seq, order, told);
    });
  }

  #inTurn<T>(act: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(act);
    this.#turn = done.catch(() => {});
    return done;
  }

  /** Reads what is new. */
  async #catchUp(): Promise<Volume> {
    const { first, last } = await this.#ports.reader.bounds();
    this.#first = first;
    const known = this.#newest;
    if (known === undefined || last < known.to || last - known.to > MOST_NEWS) return this.#begin(last);
    await this.#read(known.book, known.to + 1, last);
    known.to = last;
    this.#trim(known);
    return known;
  }

  async #begin(last: number): Promise<Volume> {
    const begun = { book: new RunBook(), from: last + 1, to: last, floor: placeOf(last + 1) };
    this.#newest = begun;
    this.#older = undefined;
    this.#isFull = false;
    await this.#extend(begun);
    return begun;
  }

  /** Reads a stretch that is older than what is known. */
  async #extend(volume: Volume): Promise<void> {
    const from = Math.max(this.#first, volume.from - STRETCH);
    await this.#read(volume.book, from, volume.from - 1);
    volume.from = from;
    volume.floor = from <= this.#first ? 0 : placeOf(from + LOOK_BACK);
    this.#trim(volume);
  }

  #trim(volume: Volume): void {
    const missing = volume.book.trim(this.#mostRuns, this.#isKept);
    if (missing === 0) return;
    volume.floor = Math.max(volume.floor, missing);
    this.#isFull = true;
  }

  async #read(book: RunBook, from: number, to: number): Promise<void> {
    await this.#ports.reader.read({ from, to }, (message) => this.#note(book, message));
  }

  #note(book: RunBook, message: ToldMessage): void {
    for (const [order, told] of this.#teller.read(message).entries()) book.add(message.seq, order, told);
  }

  async #fill(newest: Volume, accepts: (run: Run) => boolean, limit: number, before: number): Promise<Page> {
    const { clock } = this.#ports;
    const startedAt = clock.monotonic();
    const runs: Run[] = [];
    const slices = new Slices(clock);
    for (let below = before; ; ) {
      if (below <= newest.floor && newest.floor > 0 && !this.#isFull) await this.#extend(newest);
      const volume = below > newest.floor ? newest : await this.#olderThan(below, newest);
      for (const entry of volume.book.before(below)) {
        const place = placeOfEntry(entry);
        if (place < volume.floor) break;
        below = place;
        const run = await this.#knownOf(entry, volume, newest);
        if (run !== null && accepts(run)) runs.push(run);
        if (runs.length === limit) return { runs, next: below };
        await slices.pause();
        if (clock.monotonic() - startedAt > PAGE_MS) return { runs, next: below };
      }
      if (volume.floor <= placeOf(this.#first)) return { runs, next: null };
      below = Math.min(below, volume.floor);
      if (clock.monotonic() - startedAt > PAGE_MS) return { runs, next: below };
    }
  }

  /** A stretch below a place, with as much around it as tells the places of its runs. */
  async #olderThan(below: number, newest: Volume): Promise<Volume> {
    const known = this.#older;
    const end = seqOfPlace(below - 1);
    if (known !== undefined && known.floor < below && end + LOOK_BACK <= known.to) return known;
    const start = Math.max(this.#first, end - STRETCH + 1);
    const from = Math.max(this.#first, start - LOOK_BACK);
    const to = Math.min(newest.to, end + LOOK_BACK);
    const volume = { book: new RunBook(), from, to, floor: start <= this.#first ? 0 : placeOf(start) };
    await this.#read(volume.book, from, to);
    this.#older = volume;
    return volume;
  }

  /** The run if its place is here; null: it is elsewhere. */
  async #knownOf(entry: Entry, volume: Volume, newest: Volume): Promise<Run | null> {
    const place = placeOfEntry(entry);
    if (entry.opened === 0) {
      if (await this.#ports.reader.isAnyBefore(entry.runId, seqOfPlace(place))) return null;
    }
    const run = runOf(entry);
    const known = volume === newest ? undefined : newest.book.get(entry.runId);
    // It is told there, with what came later.
    if (known !== undefined && (known.opened !== 0 || entry.firstEvent === 0)) return null;
    if (volume === newest || run === null || run.endedAt !== null) return run;
    const later = { from: volume.to + 1, to: newest.to, runId: entry.runId };
    await this.#ports.reader.read(later, (message) => this.#note(volume.book, message));
    return placeOfEntry(entry) === place ? runOf(entry) : null;
  }

  /** Looks for a run backwards, for a while. */
  async #seek(newest: Volume, runId: string): Promise<Entry | undefined> {
    const { clock } = this.#ports;
    const startedAt = clock.monotonic();
    while (newest.floor > 0 && !this.#isFull && clock.monotonic() - startedAt < SEEK_MS) {
      await this.#extend(newest);
      const found = newest.book.get(runId);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** From a record that tells it together with others. */
  async #recordedOf(runId: string, record: number): Promise<RunFact[]> {
    const found: RunFact[] = [];
    await this.#ports.reader.read({ from: record, to: record }, (message) => {
      for (const told of this.#teller.read(message)) if (told.runId === runId) found.push(told.fact);
    });
    return found;
  }

  async #eventsOf(range: ReadOptions): Promise<RunFact[]> {
    const facts: RunFact[] = [];
    await this.#ports.reader.read(range, (message) => {
      for (const { fact } of this.#teller.read(message)) facts.push(fact);
    });
    return facts;
  }
}

/** Not told by an event of the run itself, so not read again with them. */
const isSeen = ({ kind }: RunFact): boolean =>
  ["fired", "stored", "acked", "naked", "terminated", "exhausted"].includes(kind);

const beginningOf = ({ opened, firstEvent }: Entry): number =>
  seqOfPlace(firstEvent === 0 ? opened : Math.min(opened, firstEvent));
