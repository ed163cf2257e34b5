/**
 * Telling RUNS of timers that were fired, many in one record, where the server tells it nothing of their jobs: for whoever
 * takes over when the server has forgotten their message ids, and before they were removed.
 */
import { messageOf } from "../core/errors.js";
import type { FiredRecords } from "../core/fired-record.js";
import type { Clock } from "../core/ports.js";
import type { Logger } from "../runtime/log.js";

/** Long enough for many to share a record, far shorter than they are kept after they were fired. */
const GATHER_MS = 50;
const RETRY_MS = 250;

/** Timers that RUNS is not told of yet: their queues by their sequences. */
export type UntoldTimers = Map<number, string>;

export interface FiredTimersPorts {
  runs: FiredRecords;
  clock: Clock;
  log: Logger;
}

export class FiredTimers {
  readonly #ports: FiredTimersPorts;
  readonly #untold: UntoldTimers;
  #cancelTimer: (() => void) | undefined;
  #stopped = false;

  /** @param untold outlives a connection: what was fired then is known here, and told by way of the next one */
  constructor(ports: FiredTimersPorts, untold: UntoldTimers) {
    this.#ports = ports;
    this.#untold = untold;
    if (untold.size > 0) this.#tellIn(GATHER_MS);
  }

  add(queue: string, seq: number): void {
    this.#untold.set(seq, queue);
    this.#tellIn(GATHER_MS);
  }

  /** Whether a timer was fired by this orchestrator, and RUNS may not know. */
  has(seq: number): boolean {
    return this.#untold.has(seq);
  }

  /** Tries once more to tell what is left. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelTimer?.();
    await this.#tell();
  }

  #tellIn(waitMs: number): void {
    if (!this.#stopped) this.#cancelTimer ??= this.#ports.clock.after(waitMs, () => this.#tell());
  }

  async #tell(): Promise<void> {
    const byQueue = new Map<string, number[]>();
    for (const [seq, queue] of this.#untold) {
      const timers = byQueue.get(queue);
      if (timers === undefined) byQueue.set(queue, [seq]);
      else timers.push(seq);
    }
    await Promise.all([...byQueue].map(([queue, timers]) => this.#tellOf(queue, timers)));
    this.#cancelTimer = undefined;
    if (this.#untold.size > 0) this.#tellIn(RETRY_MS);
  }

  async #tellOf(queue: string, timers: readonly number[]): Promise<void> {
    const { runs, log } = this.#ports;
    try {
      await runs.appendFired({ queue, timers });
      for (const seq of timers) this.#untold.delete(seq);
    } catch (error) {
      if (!this.#stopped)
        log.warn({ queue, error: messageOf(error) }, "fired timers could not be told: tried again");
    }
  }
}
