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
const MOST_PER_RECORD = 10_000;
/** Of those that were fired last; what was fired before has been removed. */
const REMEMBERED = 100_000;

/** What outlives a connection: what was fired then is known here, and told by way of the next one. */
export class FiredMemory {
  /** Sequences, told or not. */
  readonly lately = new Set<number>();
  /** Queues by sequences. */
  readonly untold = new Map<number, string>();

  add(queue: string, seq: number): void {
    this.lately.add(seq);
    this.untold.set(seq, queue);
    for (const kept of [this.lately, this.untold])
      if (kept.size > REMEMBERED) kept.delete(kept.keys().next().value as number);
  }
}

export interface FiredTimersPorts {
  runs: FiredRecords;
  clock: Clock;
  log: Logger;
}

export class FiredTimers {
  readonly #ports: FiredTimersPorts;
  readonly #memory: FiredMemory;
  #cancelTimer: (() => void) | undefined;
  #telling = false;
  #stopped = false;

  constructor(ports: FiredTimersPorts, memory: FiredMemory) {
    this.#ports = ports;
    this.#memory = memory;
    this.#goOn();
  }

  add(queue: string, seq: number): void {
    this.#memory.add(queue, seq);
    this.#goOn();
  }

  /** Whether a timer was fired by this orchestrator lately, of which RUNS may not know. */
  has(seq: number): boolean {
    return this.#memory.lately.has(seq);
  }

  /** Tries once more to tell what is left. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelTimer?.();
    await this.#tell();
  }

  #goOn(waitMs = GATHER_MS): void {
    if (this.#stopped || this.#telling || this.#memory.untold.size === 0) return;
    this.#cancelTimer ??= this.#ports.clock.after(waitMs, async () => {
      this.#cancelTimer = undefined;
      this.#telling = true;
      const areAllTold = await this.#tell();
      this.#telling = false;
      this.#goOn(areAllTold ? GATHER_MS : RETRY_MS);
    });
  }

  async #tell(): Promise<boolean> {
    const byQueue = new Map<string, number[]>();
    for (const [seq, queue] of this.#memory.untold) {
      const timers = byQueue.get(queue);
      if (timers === undefined) byQueue.set(queue, [seq]);
      else timers.push(seq);
    }
    const told = await Promise.all([...byQueue].map(([queue, timers]) => this.#tellOf(queue, timers)));
    return told.every((isTold) => isTold);
  }

  async #tellOf(queue: string, timers: number[]): Promise<boolean> {
    const { runs, log } = this.#ports;
    try {
      while (timers.length > 0) {
        const some = timers.splice(0, MOST_PER_RECORD);
        await runs.appendFired({ queue, timers: some });
        for (const seq of some) this.#memory.untold.delete(seq);
      }
      return true;
    } catch (error) {
      if (!this.#stopped)
        log.warn({ queue, error: messageOf(error) }, "fired timers could not be told: tried again");
      return false;
    }
  }
}
