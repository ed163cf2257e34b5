/**
 * Tells the ends of runs in crowds: those that come in one turn, as the ends of a rush do (see `Turns`), are one record.
 * Whoever tells an end waits until it is stored, alone or with the others.
 */
import type { RunEnd } from "../core/end-record.js";

/** In one record; with their results far from what a message may hold. */
const MOST = 128;
/** Characters of JSON; who has a longer result tells its end alone. */
const MOST_RESULT = 512;

interface Crowd {
  ends: RunEnd[];
  /** Stores the first end, if it stays the only one. */
  alone: () => Promise<void>;
  stored: Promise<void>;
  close(): void;
}

export class EndsTogether {
  readonly #store: (ends: readonly RunEnd[]) => Promise<void>;
  #open: Crowd | undefined;

  /** @param store stores a crowd in one record, or rejects when that cannot be */
  constructor(store: (ends: readonly RunEnd[]) => Promise<void>) {
    this.#store = store;
  }

  /**
   * Resolves when the end is stored.
   *
   * @param alone stores it as an event of its own
   */
  tell(end: RunEnd, alone: () => Promise<void>): Promise<void> {
    if (!isShort(end.result)) return alone();
    this.#open ??= this.#begin(alone);
    const crowd = this.#open;
    crowd.ends.push(end);
    if (crowd.ends.length >= MOST) crowd.close();
    return crowd.stored;
  }

  #begin(alone: () => Promise<void>): Crowd {
    let close = () => {};
    const closed = new Promise<void>((resolve) => {
      close = resolve;
    });
    const crowd: Crowd = {
      ends: [],
      alone,
      stored: closed.then(() => (crowd.ends.length === 1 ? crowd.alone() : this.#store(crowd.ends))),
      close: () => {
        if (this.#open === crowd) this.#open = undefined;
        close();
      },
    };
    // After all that end in this turn: they have been called before.
    queueMicrotask(crowd.close);
    return crowd;
  }
}

const isShort = (result: unknown): boolean =>
  result === undefined || (JSON.stringify(result)?.length ?? 0) <= MOST_RESULT;
