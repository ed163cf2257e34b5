/**
 * Asks the store itself which records a shard has.
 *
 * A watch may never tell of a record that is there: with nats-server 2.9, when somebody purges a key of the bucket, as an
 * operator can. And a record whose end was cut off leaves a trace that nobody else removes.
 */
import type { ChainStore } from "../core/chain-store.js";
import type { OpenChains } from "./open-chains.js";

export class RollCall {
  readonly #chains: ChainStore;
  readonly #open: OpenChains;
  /** Traces that were there the last time: whoever left them may still be at it. */
  #traces = new Set<string>();

  constructor(chains: ChainStore, open: OpenChains) {
    this.#chains = chains;
    this.#open = open;
  }

  async of(shard: number): Promise<void> {
    const keys = await this.#chains.keys(shard);
    for (const key of keys) if (!this.#open.hasKey(key)) await this.#meet(key);
  }

  async #meet(key: string): Promise<void> {
    const stored = await this.#chains.get(key);
    // The watch may have told of it meanwhile.
    if (stored !== null && !this.#open.hasKey(key)) this.#open.note({ key, ...stored });
    if (stored !== null) this.#traces.delete(key);
    else if (this.#traces.delete(key)) await this.#chains.clear(key);
    else this.#traces.add(key);
  }
}
