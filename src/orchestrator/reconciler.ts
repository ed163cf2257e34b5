/**
 * Finds what is stuck in WORK: at its delivery limit, should the server's word of it have got lost, or done with, should
 * the server have lost that. Done by whoever holds the first shard.
 *
 * A message that is being acknowledged just now looks like a stuck one, for a moment. So what RUNS does not know to be
 * over is moved to the dead letters only if it is found again and again for a while, or delivered again where RUNS would
 * not know (see `redelivery.ts`).
 */
import type { StuckMessage, StuckMessages } from "../core/dead-letter-store.js";
import { messageOf } from "../core/errors.js";
import { Finished } from "../core/finished.js";
import type { Clock, Subscription } from "../core/ports.js";
import type { Logger } from "../runtime/log.js";
import { type LostRemovalPorts, LostRemovals } from "./lost-removals.js";
import { type RedeliveryPorts, redeliver } from "./redelivery.js";

export interface ReconcilerPorts extends LostRemovalPorts, RedeliveryPorts {
  clock: Clock;
  stuck: StuckMessages;
  log: Logger;
}

const EVERY_MS = 10_000;
export const STUCK_AFTER_MS = 30_000;

export class Reconciler implements Subscription {
  readonly #ports: ReconcilerPorts;
  readonly #lostRemovals: LostRemovals;
  readonly #move: (seq: number, attempts: number) => Promise<void>;
  readonly #term: () => number | null;
  #lookedTerm: number | null = null;
  /** Since when, by sequence. */
  #suspected = new Map<number, number>();
  /** They wait for that to be over, and may not be found while it is under way. */
  readonly #storedAgain = new Finished();
  #cancel: () => void = () => {};
  #stopped = false;

  /**
   * @param move to the dead letters; repeating it does no harm
   * @param term in which the first shard is held here; null: it is not, now
   */
  constructor(
    ports: ReconcilerPorts,
    move: (seq: number, attempts: number) => Promise<void>,
    term: () => number | null,
  ) {
    this.#ports = ports;
    this.#lostRemovals = new LostRemovals(ports);
    this.#move = move;
    this.#term = term;
  }

  start(): this {
    this.#cancel = this.#ports.clock.after(EVERY_MS, async () => {
      await this.runOnce();
      if (!this.#stopped) this.start();
    });
    return this;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel();
  }

  async runOnce(): Promise<void> {
    const { stuck, work, clock, log } = this.#ports;
    const term = this.#term();
    if (term === null) return this.#suspected.clear();
    try {
      const found = await stuck.find(term !== this.#lookedTerm);
      const over = await this.#lostRemovals.among(found);
      for (const seq of over) await work.remove(seq);
      // There may be more of them than are found at once.
      this.#lookedTerm = over.size > 0 ? null : term;
      if (over.size > 0)
        log.info(
          { removed: over.size },
          "jobs that were over lay in WORK still, as after a crash of the server",
        );
      const now = clock.monotonic();
      const rest = found.filter(({ seq, mayBeInHand }) => !mayBeInHand && !over.has(seq));
      this.#suspected = new Map(rest.map(({ seq }) => [seq, this.#suspected.get(seq) ?? now]));
      const isLost = (message: StuckMessage) =>
        this.#storedAgain.has(message) || now - (this.#suspected.get(message.seq) ?? now) >= STUCK_AFTER_MS;
      await this.#free(rest.filter(isLost));
    } catch (error) {
      log.warn({ error: messageOf(error) }, "stuck jobs could not be looked for: tried again");
    }
  }

  async #free(lost: readonly StuckMessage[]): Promise<void> {
    let [moved, redelivered] = [0, 0];
    for (const message of lost) {
      const outcome = message.areAcksTold
        ? "impossible"
        : await redeliver(this.#ports, message, this.#storedAgain.has(message));
      if (outcome === "stored") {
        this.#storedAgain.add(message);
        redelivered++;
      }
      if (outcome !== "impossible") continue;
      await this.#move(message.seq, message.attempts);
      moved++;
    }
    if (moved + redelivered > 0) this.#ports.log.info({ moved, redelivered }, "jobs were stuck in WORK");
  }
}
