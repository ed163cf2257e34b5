import type { Clock } from "../core/ports.js";
import { Alarm } from "../runtime/alarm.js";

/** After this long a store that does not answer is given up. */
const PATIENCE_MS = 60_000;
const FIRST_PAUSE_MS = 100;
const LAST_PAUSE_MS = 5_000;

/** Tries again what a store refused or did not answer, for a minute. What it tries must bear repeating. */
export class Persistence {
  readonly #clock: Clock;
  readonly #onFailure: (what: string, error: unknown) => void;
  readonly #retry: Alarm;
  #isHurried = false;

  constructor(clock: Clock, onFailure: (what: string, error: unknown) => void) {
    this.#clock = clock;
    this.#retry = new Alarm(clock);
    this.#onFailure = onFailure;
  }

  /** Rejects with the last error. */
  async of<T>(what: string, action: () => Promise<T>): Promise<T> {
    const startedAt = this.#clock.monotonic();
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LAST_PAUSE_MS)) {
      try {
        return await action();
      } catch (error) {
        if (this.#isHurried || this.#clock.monotonic() - startedAt + pauseMs > PATIENCE_MS) throw error;
        this.#onFailure(what, error);
        await this.#retry.wait(pauseMs);
      }
    }
  }

  /** Ends a pause; from now on the next failure is the last. */
  hurry(): void {
    this.#isHurried = true;
    this.#retry.ring();
  }
}
