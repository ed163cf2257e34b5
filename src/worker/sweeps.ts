import type { Clock } from "../core/ports.js";

/** What a worker does again and again: one sweep over all its jobs, as a timer for each would cost more than the jobs. */
export class Sweeps {
  readonly #clock: Clock;
  readonly #cancels = new Map<string, () => void>();
  #stopped = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  every(name: string, ms: number, action: () => unknown): void {
    this.once(name, ms, () => {
      this.every(name, ms, action);
      action();
    });
  }

  /** Instead of what has that name, if anything has. */
  once(name: string, ms: number, action: () => unknown): void {
    if (this.#stopped) return;
    this.#cancels.get(name)?.();
    this.#cancels.set(name, this.#clock.after(ms, action));
  }

  stop(): void {
    this.#stopped = true;
    for (const cancel of this.#cancels.values()) cancel();
  }
}
