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

export interface FiredTimersPorts {
  runs: FiredRecords;
  clock: Clock;
  log: Logger;
}

export class FiredTimers {
  readonly #ports: FiredTimersPorts;
  /** By queue, sequences in TIMERS. */
  #gathered = new Map<string, number[]>();
  #cancelTimer: (() => void) | undefined;
  #stopped = false;

  constructor(ports: FiredTimersPorts) {
    this.#ports = ports;
  }

  add(queue: string, seq: number): void {
    const timers = this.#gathered.get(queue);
    if (timers === undefined) this.#gathered.set(queue, [seq]);
    else timers.push(seq);
    if (!this.#stopped) this.#cancelTimer ??= this.#ports.clock.after(GATHER_MS, () => void this.#tell());
  }

  /** Tells what is left, once: a timer that is not told of is one that the server still knows for a while. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#tell();
  }

  async #tell(): Promise<void> {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    const gathered = this.#gathered;
    this.#gathered = new Map();
    await Promise.all([...gathered].map(([queue, timers]) => this.#tellOf(queue, timers)));
  }

  async #tellOf(queue: string, timers: readonly number[]): Promise<void> {
    const { runs, clock, log } = this.#ports;
    try {
      await runs.appendFired({ queue, timers });
    } catch (error) {
      if (this.#stopped) return;
      log.warn({ queue, error: messageOf(error) }, "fired timers could not be told: tried again");
      clock.after(RETRY_MS, () => void this.#tellOf(queue, timers));
    }
  }
}
