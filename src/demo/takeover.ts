/** How long the shards of a dead orchestrator are without a holder. */
import type { Punctual } from "../connect.js";
import type { LeaseHint } from "../core/ports.js";

export class ShardWatch {
  readonly #holders = new Map<number, string | null>();
  #abandoned: { holder: string; since: number; resolve(ms: number): void } | undefined;

  static async over(punctual: Punctual): Promise<ShardWatch> {
    const watch = new ShardWatch();
    await punctual.watchShards((state) => watch.#onChange(state));
    return watch;
  }

  /** Shards by holder. */
  counts(): Map<string, number> {
    const counts = new Map<string, number>();
    for (const holder of this.#holders.values()) {
      if (holder !== null) counts.set(holder, (counts.get(holder) ?? 0) + 1);
    }
    return counts;
  }

  /** Resolves, in milliseconds from now, when others hold every shard that `holder` holds now. */
  takeoverFrom(holder: string): Promise<number> {
    return new Promise((resolve) => {
      this.#abandoned = { holder, since: performance.now(), resolve };
      this.#check();
    });
  }

  #onChange({ shard, holder }: LeaseHint): void {
    this.#holders.set(shard, holder);
    this.#check();
  }

  #check(): void {
    const abandoned = this.#abandoned;
    if (abandoned === undefined) return;
    const open = [...this.#holders.values()].some((holder) => holder === null || holder === abandoned.holder);
    if (open) return;
    this.#abandoned = undefined;
    abandoned.resolve(performance.now() - abandoned.since);
  }
}
