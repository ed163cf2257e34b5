/** Where not everything can have its turn, everybody has one, before any has a second. */
export class Turns {
  #last = "";

  /** At most so many, of each owner the first ones; whoever had none begins the next time. */
  take<T>(items: Iterable<T>, ownerOf: (item: T) => string, most: number): T[] {
    const byOwner = new Map<string, T[]>();
    for (const item of items) {
      const owner = ownerOf(item);
      const own = byOwner.get(owner);
      if (own === undefined) byOwner.set(owner, [item]);
      else if (own.length < most) own.push(item);
    }
    const owners = this.#inTurn([...byOwner.keys()]);
    this.#last = owners.at(Math.min(most, owners.length) - 1) ?? "";
    const taken: T[] = [];
    for (let round = 0; taken.length < most; round++) {
      const before = taken.length;
      for (const owner of owners) {
        const own = byOwner.get(owner) as T[];
        if (round < own.length && taken.length < most) taken.push(own[round] as T);
      }
      if (taken.length === before) break;
    }
    return taken;
  }

  /** From the one after who was last. */
  #inTurn(owners: string[]): string[] {
    owners.sort();
    const next = owners.findIndex((owner) => owner > this.#last);
    return next < 0 ? owners : [...owners.slice(next), ...owners.slice(0, next)];
  }
}
