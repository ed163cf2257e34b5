/** The runs that a term's record carries: committed, and RUNS is not told of them yet. */
import type { Firing } from "../core/lease.js";
import type { Definition } from "./definitions.js";
import type { InFlight } from "./inherited.js";

interface Carried {
  /** A sequence of RUNS that is older than all that is known of the run. */
  runsFrom: number;
  /** What it is published from; null when it is known to be in WORK. */
  definition: Definition | null;
}

export class Flights {
  readonly #carried = new Map<Firing, Carried>();

  get size(): number {
    return this.#carried.size;
  }

  get firings(): Firing[] {
    return [...this.#carried.keys()];
  }

  /** What a run that is still to be published is published from; else null. */
  openWith(firing: Firing): Definition | null {
    return this.#carried.get(firing)?.definition ?? null;
  }

  /** Whether runs of a schedule are still to be published. */
  hasOpen(scheduleId: string): boolean {
    for (const [firing, { definition }] of this.#carried)
      if (firing.scheduleId === scheduleId && definition !== null) return true;
    return false;
  }

  /** The definition of a run that is still to be published. */
  definitionOf(firing: Firing): Definition {
    return this.openWith(firing) as Definition;
  }

  add(flights: readonly InFlight[], runsFrom: number): void {
    for (const { firing, definition } of flights) this.#carried.set(firing, { runsFrom, definition });
  }

  /** Its message is in WORK; the record carries it until it is told. */
  land(firing: Firing, runsFrom: number): void {
    const carried = this.#carried.get(firing);
    if (carried === undefined) this.#carried.set(firing, { runsFrom, definition: null });
    else carried.definition = null;
  }

  drop(firing: Firing): void {
    this.#carried.delete(firing);
  }

  /** A sequence of RUNS that is older than all that is known of any of them, and at most `newest`. */
  runsFrom(newest: number): number {
    let oldest = newest;
    for (const { runsFrom } of this.#carried.values()) oldest = Math.min(oldest, runsFrom);
    return oldest;
  }
}
