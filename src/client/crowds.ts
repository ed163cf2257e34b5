import { atEndOfTurn } from "../runtime/clock.js";

/** How a source came to its end. */
export type Ended = { kind: "end" } | { kind: "failure"; error: unknown };

/** `end`: nothing comes after it. */
export interface Crowd<T> {
  items: T[];
  end: Ended | undefined;
}

/**
 * Items of a stream, as many together as come within one turn of the event loop: started one by one, each would be a
 * write of its own on the connection.
 */
export class Crowds<T> {
  readonly #most: number;
  #crowd: Crowd<T> = { items: [], end: undefined };
  #give: ((crowd: Crowd<T>) => void) | undefined;
  #isDue = false;
  #isStopped = false;
  #readOn = () => {};

  /** Nothing is read before it is asked for, but for one item. */
  constructor(source: AsyncIterable<T>, most: number) {
    this.#most = most;
    void this.#read(source);
  }

  /** Never empty, but for an end. One call after the other. */
  next(): Promise<Crowd<T>> {
    return new Promise((resolve) => {
      this.#give = resolve;
      const { items, end } = this.#crowd;
      if (items.length > 0 || end !== undefined) this.#giveSoon();
      this.#readOn();
    });
  }

  /** Not awaited: the source is ended when it gives its next item, and a slow one may never do. */
  stop(): void {
    this.#isStopped = true;
    this.#readOn();
  }

  async #read(source: AsyncIterable<T>): Promise<void> {
    try {
      for await (const item of source) {
        this.#crowd.items.push(item);
        this.#giveSoon();
        if (!this.#mayRead()) await this.#untilAsked();
        if (this.#isStopped) return;
      }
      this.#crowd.end = { kind: "end" };
    } catch (error) {
      this.#crowd.end = { kind: "failure", error };
    }
    this.#giveSoon();
  }

  #mayRead(): boolean {
    return this.#isStopped || (this.#give !== undefined && this.#crowd.items.length < this.#most);
  }

  #untilAsked(): Promise<void> {
    return new Promise((resolve) => {
      this.#readOn = resolve;
    });
  }

  #giveSoon(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    atEndOfTurn(() => {
      this.#isDue = false;
      const give = this.#give;
      if (give === undefined) return;
      this.#give = undefined;
      give(this.#crowd);
      this.#crowd = { items: [], end: undefined };
    });
  }
}
