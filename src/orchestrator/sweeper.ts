/** Removes tombstones that nothing can need any more. Done by whoever holds the first shard. */
import type { Clock, Subscription, WorkStream } from "../core/ports.js";
import { limits } from "../protocol/limits.js";
import type { Logger } from "../runtime/log.js";

const EVERY_MS = 60_000;

export interface SweeperPorts {
  clock: Clock;
  work: WorkStream;
  log: Logger;
}

export class Sweeper implements Subscription {
  readonly #ports: SweeperPorts;
  readonly #isMine: () => boolean;
  #cancel: () => void = () => {};

  constructor(ports: SweeperPorts, isMine: () => boolean) {
    this.#ports = ports;
    this.#isMine = isMine;
  }

  start(): this {
    this.#cancel = this.#ports.clock.after(EVERY_MS, () => {
      if (this.#isMine()) void this.runOnce();
      this.start();
    });
    return this;
  }

  async stop(): Promise<void> {
    this.#cancel();
  }

  async runOnce(): Promise<void> {
    const { clock, work, log } = this.#ports;
    try {
      const removed = await work.removeTombstones(clock.now() - limits.tombstoneAgeMs);
      if (removed > 0) log.debug({ removed }, "removed old tombstones");
    } catch (error) {
      log.warn({ error: (error as Error).message }, "tombstones could not be removed: tried again");
    }
  }
}
