/**
 * Requests that are many and may wait: a few at a time. The server answers those of one connection one after the other,
 * and a lease must not be lost because its renewal waits behind ten thousand of them.
 */
export class Few {
  readonly #most: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  /** @param most at once */
  constructor(most: number) {
    this.#most = most;
  }

  /** Does it when it is its turn, in the order of the calls. */
  async run<T>(act: () => Promise<T>): Promise<T> {
    if (this.#running < this.#most) this.#running++;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await act();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }
}
