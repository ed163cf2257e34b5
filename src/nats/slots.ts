/** How many deliveries a program can take at once, whichever lane they come from. */
export class Slots {
  readonly #total: number;
  readonly #onFree = new Set<() => void>();
  #taken = 0;

  constructor(total: number) {
    this.#total = total;
  }

  get free(): number {
    return this.#total - this.#taken;
  }

  take(count: number): void {
    this.#taken += count;
  }

  release(count: number): void {
    this.#taken -= count;
    for (const listener of this.#onFree) listener();
  }

  onFree(listener: () => void): void {
    this.#onFree.add(listener);
  }
}
