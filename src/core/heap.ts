/** A binary min-heap. */
export class Heap<T> {
  readonly #items: T[] = [];
  readonly #before: (a: T, b: T) => boolean;

  constructor(before: (a: T, b: T) => boolean) {
    this.#before = before;
  }

  get size(): number {
    return this.#items.length;
  }

  peek(): T | undefined {
    return this.#items[0];
  }

  /**
   * How many items there are of a kind of which every item before one of it is as well, counted as far as `most`.
   * Looks at these alone, and at their neighbours.
   */
  countFirst(isOfKind: (item: T) => boolean, most: number): number {
    const items = this.#items;
    const toVisit = [0];
    let count = 0;
    for (let at = toVisit.pop(); at !== undefined && count < most; at = toVisit.pop()) {
      if (at >= items.length || !isOfKind(items[at] as T)) continue;
      count++;
      toVisit.push(2 * at + 1, 2 * at + 2);
    }
    return count;
  }

  push(item: T): void {
    const items = this.#items;
    let at = items.length;
    items.push(item);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = items[parent] as T;
      if (!this.#before(item, above)) break;
      items[at] = above;
      at = parent;
    }
    items[at] = item;
  }

  pop(): T | undefined {
    const items = this.#items;
    const top = items[0];
    const last = items.pop();
    if (items.length > 0) this.#sink(last as T);
    return top;
  }

  /** Replaces the smallest item: cheaper than `pop` and `push`. */
  replace(item: T): void {
    this.#sink(item);
  }

  #sink(item: T): void {
    const items = this.#items;
    const end = items.length;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= end) break;
      if (child + 1 < end && this.#before(items[child + 1] as T, items[child] as T)) child++;
      if (!this.#before(items[child] as T, item)) break;
      items[at] = items[child] as T;
      at = child;
    }
    items[at] = item;
  }
}
