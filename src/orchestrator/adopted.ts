/** The definitions that a term decides from: what changes is adopted between two commits, never during one. */
import type { Agenda } from "../core/agenda.js";
import type { Firing, LeaseRecord } from "../core/lease.js";
import type { Change, Definition } from "./definitions.js";
import type { InFlight } from "./inherited.js";

export class Adopted {
  readonly #agenda: Agenda;
  readonly #definitions = new Map<string, Definition>();
  readonly #changes: Change[] = [];

  constructor(agenda: Agenda) {
    this.#agenda = agenda;
  }

  get hasChanges(): boolean {
    return this.#changes.length > 0;
  }

  note(change: Change): void {
    this.#changes.push(change);
  }

  adopt(definition: Definition, record: LeaseRecord): void {
    this.#definitions.set(definition.schedule.id, definition);
    this.#agenda.put(definition, record);
  }

  adoptChanges(record: LeaseRecord): void {
    for (const change of this.#changes.splice(0)) {
      if ("removed" in change) {
        this.#agenda.remove(change.removed);
        this.#definitions.delete(change.removed);
      } else this.adopt(change, record);
    }
  }

  /** What was just planned, with the definitions it was planned from. */
  flightsOf(firings: readonly Firing[]): InFlight[] {
    return firings.map((firing) => ({
      firing,
      definition: this.#definitions.get(firing.scheduleId) as Definition,
    }));
  }
}
