import type { Clock } from "../core/ports.js";

/** Longer than that nothing else of the process should have to wait: jobs fall due. */
const SLICE_MS = 5;

/** Long work, in slices: between them everything else has its turn. */
export class Slices {
  readonly #clock: Clock;
  #begunAt: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#begunAt = clock.monotonic();
  }

  /** Resolves at once, or after everybody else when the slice is used up. */
  async pause(): Promise<void> {
    if (this.#clock.monotonic() - this.#begunAt < SLICE_MS) return;
    await new Promise<void>((resolve) => this.#clock.after(0, resolve));
    this.#begunAt = this.#clock.monotonic();
  }
}
