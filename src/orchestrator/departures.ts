/** Runs that have left WORK without a word: the server may drop what it tells of an acknowledgement. */
import type { Clock } from "../core/ports.js";
import type { Run } from "../core/run.js";
import { RunSightings, type SightingPorts } from "./run-sightings.js";

/** What is being told arrives within this time. */
const WORD_WITHIN_MS = 30_000;

export class Departures {
  readonly #clock: Clock;
  readonly #sightings: RunSightings;
  /** By who waits: the message that is gone, and since when that is known. */
  readonly #seen = new Map<string, { seq: number; at: number }>();

  constructor(ports: SightingPorts) {
    this.#clock = ports.clock;
    this.#sightings = new RunSightings(ports);
  }

  /** @param run as it is told at this moment @returns null: it is there; else whether it was seen to be gone before, long ago */
  async of(key: string, run: Run): Promise<{ isCertain: boolean } | null> {
    const { seq } = run;
    const { fact } = await this.#sightings.of(run);
    if (seq === null || fact?.kind !== "gone") {
      this.forget(key);
      return null;
    }
    const before = this.#seen.get(key);
    if (before?.seq === seq) return { isCertain: this.#clock.monotonic() - before.at >= WORD_WITHIN_MS };
    this.#seen.set(key, { seq, at: this.#clock.monotonic() });
    return { isCertain: false };
  }

  forget(key: string): void {
    this.#seen.delete(key);
  }
}
