import { type Crowd, Crowds, type Ended } from "./crowds.js";

/**
 * Starts work on every item of a source, at most `window` at a time, and gives the results in the order of the
 * items. A slow source does not hold back results that are ready; while nobody takes results, nothing more is
 * started. When the source fails, what was started still gives its results before the failure is thrown. Work
 * must not reject.
 */
export function pipeline<T, R>(
  source: Iterable<T> | AsyncIterable<T>,
  window: number,
  start: (item: T) => Promise<R>,
): AsyncIterableIterator<R, void, undefined> {
  return Symbol.iterator in source ? new OfList(source, window, start) : ofStream(source, window, start);
}

/**
 * Items that are there: no promise for each of them. They are started in crowds, whenever half of the window is free,
 * so that what they send goes out together.
 */
class OfList<T, R> implements AsyncIterableIterator<R, void, undefined> {
  readonly #items: Iterator<T>;
  readonly #window: number;
  readonly #start: (item: T) => Promise<R>;
  #started: Promise<R>[] = [];
  /** Of those that were started, how many were taken. */
  #taken = 0;
  #end: Ended | undefined;

  constructor(source: Iterable<T>, window: number, start: (item: T) => Promise<R>) {
    this.#items = source[Symbol.iterator]();
    this.#window = window;
    this.#start = start;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<R, undefined>> {
    if (this.#started.length - this.#taken <= this.#window / 2) this.#fill();
    const oldest = this.#started[this.#taken++];
    return oldest === undefined ? this.#last() : oldest.then(asResult);
  }

  async #last(): Promise<IteratorResult<R, undefined>> {
    const end = this.#end;
    this.#end = { kind: "end" };
    if (end?.kind === "failure") throw end.error;
    return { done: true, value: undefined };
  }

  async return(): Promise<IteratorResult<R, undefined>> {
    this.#started = [];
    if (this.#end === undefined) this.#items.return?.();
    this.#end = { kind: "end" };
    return { done: true, value: undefined };
  }

  #fill(): void {
    this.#started = this.#started.slice(this.#taken);
    this.#taken = 0;
    while (this.#end === undefined && this.#started.length < this.#window) {
      const item = nextOf(this.#items);
      if (item.kind === "item") this.#started.push(this.#start(item.value));
      else this.#end = item;
    }
  }
}

const asResult = <R>(value: R): IteratorYieldResult<R> => ({ done: false, value });

async function* ofStream<T, R>(
  source: AsyncIterable<T>,
  window: number,
  start: (item: T) => Promise<R>,
): AsyncGenerator<R, void, undefined> {
  const crowds = new Crowds(source, Math.ceil(window / 2));
  const started: Promise<R>[] = [];
  let coming: Promise<Crowd<T>> | undefined;
  let end: Ended | undefined;
  try {
    while (end === undefined || started.length > 0) {
      const oldest = started[0];
      const hasRoom = end === undefined && started.length <= window / 2;
      if (hasRoom) coming ??= crowds.next();
      if (coming !== undefined && (await isFirst(coming, oldest))) {
        const crowd: Crowd<T> = await coming;
        coming = undefined;
        end = crowd.end;
        for (const item of crowd.items) started.push(start(item));
      } else {
        started.shift();
        yield (await oldest) as R;
      }
    }
    if (end.kind === "failure") throw end.error;
  } finally {
    crowds.stop();
  }
}

type Item<T> = { kind: "item"; value: T } | Ended;

function nextOf<T>(items: Iterator<T>): Item<T> {
  try {
    const result = items.next();
    return result.done === true ? { kind: "end" } : { kind: "item", value: result.value };
  } catch (error) {
    return { kind: "failure", error };
  }
}

/** Whether `a` is there before `b`; `a` when both are, or when there is no `b`. */
async function isFirst(a: Promise<unknown>, b: Promise<unknown> | undefined): Promise<boolean> {
  if (b === undefined) return true;
  return Promise.race([a.then(() => true), b.then(() => false)]);
}
