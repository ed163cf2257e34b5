import type { Clock, RunLog } from "../core/ports.js";

const REFRESH_MS = 10_000;

/** A sequence of RUNS: whatever happens from now on is told after it. An older value is safe, and slower to search. */
export class RunsMark {
  readonly #ports: { runs: RunLog; clock: Clock };
  #value: number;
  #readAt = Number.NEGATIVE_INFINITY;

  constructor(ports: { runs: RunLog; clock: Clock }, value: number) {
    this.#ports = ports;
    this.#value = value;
  }

  get value(): number {
    return this.#value;
  }

  /** Reads it anew if that was not done for a while. Never rejects. */
  async refresh(): Promise<void> {
    const now = this.#ports.clock.monotonic();
    if (now - this.#readAt < REFRESH_MS) return;
    this.#readAt = now;
    this.#value = await this.#ports.runs.lastSequence().catch(() => this.#value);
  }
}
