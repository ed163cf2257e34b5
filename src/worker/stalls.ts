/**
 * Notices when the event loop stood still. Heartbeats stand still with it: after the ack wait the server takes the
 * worker for lost and gives its jobs to another, while they still run here.
 */
import type { Clock } from "../core/ports.js";

export class Stalls {
  readonly #clock: Clock;
  readonly #everyMs: number;
  readonly #limitMs: number;
  readonly #onStall: (blockedMs: number) => void;
  #lookedAt: number;

  /**
   * @param everyMs how often `look` is called, if nothing stands still
   * @param limitMs what is too long
   */
  constructor(clock: Clock, everyMs: number, limitMs: number, onStall: (blockedMs: number) => void) {
    this.#clock = clock;
    this.#everyMs = everyMs;
    this.#limitMs = limitMs;
    this.#onStall = onStall;
    this.#lookedAt = clock.monotonic();
  }

  look(): void {
    const now = this.#clock.monotonic();
    const blockedMs = now - this.#lookedAt - this.#everyMs;
    this.#lookedAt = now;
    if (blockedMs > this.#limitMs) this.#onStall(Math.round(blockedMs));
  }
}
