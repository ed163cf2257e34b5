import { Finished } from "../core/finished.js";
import { FiredMemory } from "./fired-timers.js";
import type { InWork } from "./slot-records.js";

/** What an orchestrator remembers over the end of a connection. */
export class Memory {
  /** Who we were on connections that have ended: what they held is free. */
  readonly formerIds = new Set<string>();
  /** The highest sequence that was seen of a stream, by its name here. */
  readonly highest = new Map<string, number>();
  /** Messages of INTAKE that were taken in or refused. */
  readonly takenIn = new Finished();
  readonly firedTimers = new FiredMemory();
  readonly #inWork = new Map<number, InWork>();

  inWork(shard: number): InWork {
    const known = this.#inWork.get(shard);
    if (known !== undefined) return known;
    const made: InWork = new Map();
    this.#inWork.set(shard, made);
    return made;
  }
}
