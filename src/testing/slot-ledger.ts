/** RUNS in memory, read for what became of slots. Nothing is ever dropped. */
import type { Instant } from "../core/schedule.js";
import type { SlotLedger, ToldSlots } from "../core/slot-audit.js";
import { decodeSlots } from "../protocol/slot-record.js";
import { textOf } from "./cas.js";
import type { MemoryLink } from "./link.js";
import type { MemoryServer } from "./server.js";

export class MemorySlotLedger implements SlotLedger {
  readonly #server: MemoryServer;
  readonly #link: MemoryLink;

  constructor(server: MemoryServer, link: MemoryLink) {
    this.#server = server;
    this.#link = link;
  }

  told(since: Instant): Promise<ToldSlots> {
    const { runs, names } = this.#server;
    const slots = names.allSlots.replace(/[*>]$/, "");
    return this.#link.ask("what is told of slots", () => {
      const told = [...runs.messages()]
        .filter(({ storedAt, subject }) => storedAt >= since && subject.startsWith(slots))
        .map((message) => decodeSlots(textOf(message)));
      return {
        fired: told.flatMap(({ fired }) => fired),
        reports: told.flatMap(({ reports }) => reports),
        keptFrom: null,
      };
    });
  }
}
