/** The definitions that a term decides from: what changes is adopted between two commits, never during one. */
import type { Agenda } from "../core/agenda.js";
import type { LeaseRecord } from "../core/lease.js";
import type { Change, Definition } from "./definitions.js";

export class Adopted {
  readonly #agenda: Agenda<Definition>;
  readonly #changes: Change[] = [];

  constructor(agenda: Agenda<Definition>) {
    this.#agenda = agenda;
  }

  get hasChanges(): boolean {
    return this.#changes.length > 0;
  }

  note(change: Change): void {
    this.#changes.push(change);
  }

  adoptChanges(record: LeaseRecord): void {
    for (const change of this.#changes.splice(0)) {
      if ("removed" in change) this.#agenda.remove(change.removed);
      else this.#agenda.put(change, record);
    }
  }
}
