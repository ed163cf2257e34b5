/**
 * Runs by their place in RUNS: what a stretch of RUNS tells, folded run by run.
 *
 * A run has one place, so that pages neither repeat nor lose it: where RUNS tells that it came to be (a slot record, a
 * job, a report), the last time if its id was used again. Where that was never told, or was told more than `LOOK_BACK` before the run's first own event, its
 * place is that event. Who reads only a stretch of RUNS, and `LOOK_BACK` before it, finds the same place as everybody.
 */
import { foldRun, type Run } from "./run.js";
import type { FactKind, RunFact } from "./run-fact.js";

/** Messages of RUNS. */
export const LOOK_BACK = 5_000;

/** Runs of one message of RUNS have places next to each other. */
const PER_MESSAGE = 4_096;
/** Of the facts of a run that are kept, at most this many; attempts are limited to a hundred. */
const MOST_FACTS = 400;
/** Of an error, in a book. */
const ERROR_LENGTH = 200;
/** What the server told of messages of which nobody knows yet which run they are. */
const MOST_UNKNOWN = 20_000;

/** A place as a number, the newer the larger: `seq` of the message, `order` within it. */
export const placeOf = (seq: number, order = 0): number =>
  seq * PER_MESSAGE + Math.min(order, PER_MESSAGE - 1);
export const seqOfPlace = (place: number): number => Math.floor(place / PER_MESSAGE);

const OPENING: readonly FactKind[] = ["fired", "stored", "triggered", "waiting", "reported"];

export interface Entry {
  readonly runId: string;
  facts: RunFact[];
  /** Where it came to be; 0: not known. */
  opened: number;
  /** Its first event of its own; 0: none yet. */
  firstEvent: number;
  /** The newest message that tells of it. */
  changed: number;
  /** Folded, until there is something new. */
  run: Run | null;
}

/** Where the pages have it; 0: nowhere, as nothing tells its id but what is known in WORK. */
export function placeOfEntry({ opened, firstEvent }: Entry): number {
  if (opened === 0) return firstEvent;
  const isLate = firstEvent !== 0 && seqOfPlace(firstEvent) - seqOfPlace(opened) > LOOK_BACK;
  return isLate ? firstEvent : opened;
}

export class RunBook {
  readonly #entries = new Map<string, Entry>();
  readonly #bySeq = new Map<number, Entry>();
  readonly #unknown = new Map<number, RunFact[]>();
  readonly #texts = new Map<string, string>();
  #order: Entry[] = [];
  #isSorted = true;

  get size(): number {
    return this.#entries.size;
  }

  get(runId: string): Entry | undefined {
    return this.#entries.get(runId);
  }

  /**
   * @param seq of the message in RUNS @param order of this fact within it
   * @returns the run that it is of; undefined: that is not known yet
   */
  add(
    seq: number,
    order: number,
    { runId, fact }: { runId: string | null; fact: RunFact },
  ): Entry | undefined {
    const slim = this.#slim(fact);
    const known = fact.seq === undefined ? undefined : this.#bySeq.get(fact.seq);
    const entry = runId === null ? known : this.#entryOf(runId);
    if (entry !== undefined) this.#tell(entry, placeOf(seq, order), slim, runId !== null);
    else if (fact.seq !== undefined) this.#keepUnknown(fact.seq, slim);
    return entry;
  }

  /** The newest first, from below a place. */
  *before(place: number): Generator<Entry> {
    this.#sort();
    let [low, high] = [0, this.#order.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (placeOfEntry(this.#order[middle] as Entry) < place) low = middle + 1;
      else high = middle;
    }
    for (let index = low - 1; index >= 0; index--) yield this.#order[index] as Entry;
  }

  /** Those of which something newer than a message of RUNS is told, the oldest news first. */
  changedSince(seq: number): Entry[] {
    const found = [...this.#entries.values()].filter(({ changed }) => changed > seq);
    return found.sort((a, b) => a.changed - b.changed);
  }

  /**
   * Forgets the oldest, so that `most` are left beside those to be kept; returns the place below which some are
   * missing, or 0.
   */
  trim(most: number, isKept: (runId: string) => boolean = () => false): number {
    if (this.size <= most) return 0;
    this.#sort();
    const others = this.#order.filter(({ runId }) => !isKept(runId));
    if (others.length <= most) return 0;
    const gone = new Set(others.slice(0, others.length - most));
    for (const entry of gone) this.#forget(entry);
    this.#order = this.#order.filter((entry) => !gone.has(entry));
    return placeOfEntry(others[gone.size - 1] as Entry) + 1;
  }

  #entryOf(runId: string): Entry {
    const known = this.#entries.get(runId);
    if (known !== undefined) return known;
    const made = { runId, facts: [], opened: 0, firstEvent: 0, changed: 0, run: null };
    this.#entries.set(runId, made);
    this.#order.push(made);
    this.#isSorted = false;
    return made;
  }

  #tell(entry: Entry, place: number, fact: RunFact, isNamed: boolean): void {
    const before = placeOfEntry(entry);
    if (OPENING.includes(fact.kind)) entry.opened = Math.max(entry.opened, place);
    else if (isNamed) entry.firstEvent = entry.firstEvent === 0 ? place : Math.min(entry.firstEvent, place);
    if (placeOfEntry(entry) !== before) this.#isSorted = false;
    entry.changed = Math.max(entry.changed, seqOfPlace(place));
    addFact(entry, fact);
    if (isNamed && fact.seq !== undefined) this.#claim(fact.seq, entry);
  }

  /** What the server told of the message may have come first. */
  #claim(seq: number, entry: Entry): void {
    this.#bySeq.set(seq, entry);
    const unknown = this.#unknown.get(seq);
    if (unknown === undefined) return;
    this.#unknown.delete(seq);
    for (const fact of unknown) addFact(entry, fact);
  }

  #keepUnknown(seq: number, fact: RunFact): void {
    const known = this.#unknown.get(seq) ?? [];
    this.#unknown.set(seq, [...known, fact]);
    if (this.#unknown.size <= MOST_UNKNOWN) return;
    const [oldest] = this.#unknown.keys();
    this.#unknown.delete(oldest as number);
  }

  #forget(entry: Entry): void {
    this.#entries.delete(entry.runId);
    for (const { seq } of entry.facts) if (seq !== undefined) this.#bySeq.delete(seq);
  }

  #sort(): void {
    if (this.#isSorted) return;
    this.#order.sort((a, b) => placeOfEntry(a) - placeOfEntry(b));
    this.#isSorted = true;
  }

  /** Without what is only told of a single run. Names that come again and again are kept once. */
  #slim({ result: _, lines: __, stack: ___, ...fact }: RunFact): RunFact {
    const { queue, worker, scheduleId, error } = fact;
    if (queue !== undefined) fact.queue = this.#once(queue);
    if (worker !== undefined) fact.worker = this.#once(worker);
    if (scheduleId !== undefined) fact.scheduleId = this.#once(scheduleId);
    if (error !== undefined) fact.error = error.slice(0, ERROR_LENGTH);
    return fact;
  }

  #once(text: string): string {
    const known = this.#texts.get(text);
    if (known !== undefined) return known;
    if (this.#texts.size > MOST_UNKNOWN) this.#texts.clear();
    this.#texts.set(text, text);
    return text;
  }
}

/** Of progress the newest is enough; a log is for whoever asks for the run. */
function addFact(entry: Entry, fact: RunFact): void {
  if (fact.kind === "log") return;
  entry.run = null;
  if (fact.kind === "progress") addProgress(entry, fact);
  else {
    if (entry.facts.length >= MOST_FACTS) entry.facts = ofNewestMessage(entry.facts);
    if (entry.facts.length < MOST_FACTS) entry.facts.push(fact);
  }
}

function addProgress(entry: Entry, fact: RunFact): void {
  const index = entry.facts.findIndex(({ kind }) => kind === "progress");
  const known = entry.facts[index];
  if (known === undefined) entry.facts.push(fact);
  else if (known.at <= fact.at) entry.facts[index] = fact;
}

/** An id that is used again and again stands for its newest job. */
function ofNewestMessage(facts: readonly RunFact[]): RunFact[] {
  const newest = facts.reduce((most, { seq = 0 }) => Math.max(most, seq), 0);
  return facts.filter(({ seq }) => seq === newest);
}

/** Folded at most once for what is known. */
export function runOf(entry: Entry): Run | null {
  entry.run ??= foldRun(entry.runId, entry.facts);
  return entry.run;
}
