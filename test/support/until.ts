/** Waiting for what comes by itself, without sleeping for a time that might be enough. */

/** Asks again until the answer is yes; the asking is what takes time. The test's own timeout ends it. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setImmediate(resolve));
}

/** Things as they come, and a way to wait for the next. */
export class Arrivals<T> {
  readonly all: T[] = [];
  #taken = 0;
  #wake: () => void = () => {};

  add(item: T): void {
    this.all.push(item);
    this.#wake();
  }

  /** The next one that nobody has waited for yet. */
  async next(): Promise<T> {
    while (this.all.length <= this.#taken) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.all[this.#taken++] as T;
  }

  /** Resolves when the newest satisfies `isSo`. */
  async until(isSo: (newest: T) => boolean): Promise<void> {
    while (this.all.length === 0 || !isSo(this.all.at(-1) as T)) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
