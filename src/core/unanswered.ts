/**
 * What was sent and is not answered yet, in the order of sending, each found by the number that its answer bears.
 *
 * Numbers run on, and answers come nearly in their order: so a list will do that begins at the oldest. A map takes three
 * times as long, which tells at a hundred thousand a second.
 */
export class Unanswered<T extends object> {
  /** The first has the number `#first`; undefined: it was answered. */
  #list: (T | undefined)[] = [];
  #first = 1;
  /** How many at the beginning of the list are answered. */
  #done = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** @returns its number */
  add(item: T): number {
    this.#size++;
    return this.#first + this.#list.push(item) - 1;
  }

  /** Undefined for a number that is answered, or was never given. */
  take(number: number): T | undefined {
    const index = number - this.#first;
    const item = this.#list[index];
    if (item === undefined) return undefined;
    this.#list[index] = undefined;
    this.#size--;
    if (index === this.#done) this.#forget();
    return item;
  }

  /** The oldest first. They may be taken meanwhile. */
  *entries(): Generator<[number: number, item: T]> {
    for (let number = this.#first + this.#done; number < this.#first + this.#list.length; number++) {
      const item = this.#list[number - this.#first];
      if (item !== undefined) yield [number, item];
    }
  }

  #forget(): void {
    while (this.#done < this.#list.length && this.#list[this.#done] === undefined) this.#done++;
    if (this.#done < this.#list.length / 2) return;
    this.#list = this.#list.slice(this.#done);
    this.#first += this.#done;
    this.#done = 0;
  }
}
