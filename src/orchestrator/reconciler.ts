/**
 * Finds what is stuck in WORK, should the server's word of it have got lost. Done by whoever holds the first shard.
 *
 * A message that is being acknowledged just now looks like a stuck one, for a moment. So only what is found twice, a
 * whole period apart, is moved to the dead letters.
 */
import type { StuckMessages } from "../core/dead-letter-store.js";
import { messageOf } from "../core/errors.js";
import type { Clock, Subscription } from "../core/ports.js";
import type { Logger } from "../runtime/log.js";

export interface ReconcilerPorts {
  clock: Clock;
  stuck: StuckMessages;
  log: Logger;
}

export const RECONCILE_EVERY_MS = 30_000;

export class Reconciler implements Subscription {
  readonly #ports: ReconcilerPorts;
  readonly #move: (seq: number, attempts: number) => Promise<void>;
  readonly #isMine: () => boolean;
  #suspected = new Set<number>();
  #cancel: () => void = () => {};

  /** @param move to the dead letters; repeating it does no harm */
  constructor(
    ports: ReconcilerPorts,
    move: (seq: number, attempts: number) => Promise<void>,
    isMine: () => boolean,
  ) {
    this.#ports = ports;
    this.#move = move;
    this.#isMine = isMine;
  }

  start(): this {
    this.#cancel = this.#ports.clock.after(RECONCILE_EVERY_MS, () => {
      if (this.#isMine()) void this.runOnce();
      else this.#suspected.clear();
      this.start();
    });
    return this;
  }

  async stop(): Promise<void> {
    this.#cancel();
  }

  async runOnce(): Promise<void> {
    const { stuck, log } = this.#ports;
    try {
      const found = await stuck.find();
      const again = found.filter(({ seq }) => this.#suspected.has(seq));
      this.#suspected = new Set(found.map(({ seq }) => seq));
      for (const { seq, attempts } of again) await this.#move(seq, attempts);
      if (again.length > 0) log.info({ moved: again.length }, "jobs were stuck at their delivery limit");
    } catch (error) {
      log.warn({ error: messageOf(error) }, "stuck jobs could not be looked for: tried again");
    }
  }
}
