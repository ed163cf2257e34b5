/** The runs that a term's record carries: committed, and RUNS is not told of them yet. */
import type { Firing } from "../core/lease.js";
import type { Definition } from "./definitions.js";
import type { InFlight } from "./inherited.js";

export class Flights {
  /** With a sequence of RUNS that is older than all that is known of the run. */
  readonly #carried = new Map<Firing, number>();
  /** Of these, what is not known to be in WORK. */
  readonly #open = new Map<Firing, Definition>();

  get size(): number {
    return this.#carried.size;
  }

  get firings(): Firing[] {
    return [...this.#carried.keys()];
  }

  /** Whether a run is still to be published. */
  isOpen(firing: Firing): boolean {
    return this.#open.has(firing);
  }

  /** Whether runs of a schedule are still to be published. */
  hasOpen(scheduleId: string): boolean {
    for (const firing of this.#open.keys()) if (firing.scheduleId === scheduleId) return true;
    return false;
  }

  /** The definition that a run is published from. */
  definitionOf(firing: Firing): Definition {
    return this.#open.get(firing) as Definition;
  }

  add(flights: readonly InFlight[], runsFrom: number): void {
    for (const { firing, definition } of flights) {
      this.#carried.set(firing, runsFrom);
      this.#open.set(firing, definition);
    }
  }

  /** Its message is in WORK; the record carries it until it is told. */
  land(firing: Firing, runsFrom: number): void {
    this.#open.delete(firing);
    if (!this.#carried.has(firing)) this.#carried.set(firing, runsFrom);
  }

  drop(firing: Firing): void {
    this.#open.delete(firing);
    this.#carried.delete(firing);
  }

  /** A sequence of RUNS that is older than all that is known of any of them, and at most `newest`. */
  runsFrom(newest: number): number {
    return Math.min(newest, ...new Set(this.#carried.values()));
  }
}
