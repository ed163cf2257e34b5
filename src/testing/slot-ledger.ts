/** RUNS in memory, read for what became of slots. Nothing is ever dropped. */
import type { Report } from "../core/lease.js";
import type { Instant } from "../core/schedule.js";
import type { SlotLedger, ToldSlots } from "../core/slot-audit.js";
import { readReport, reportEvents } from "../protocol/past-events.js";
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
    const events = names.allRunEvents.replace(/>$/, "");
    return this.#link.ask("what is told of slots", () => {
      const told = [...runs.messages()].filter(({ storedAt }) => storedAt >= since);
      const records = told.filter(({ subject }) => subject.startsWith(slots));
      const reports: Report[] = [];
      for (const message of told.filter(({ subject }) => subject.startsWith(events))) {
        const outcome = reportEvents.find((event) => message.subject.endsWith(`.${event}`));
        const report = outcome === undefined ? null : readReport(outcome, textOf(message));
        if (report !== null) reports.push(report);
      }
      return { fired: records.flatMap((message) => decodeSlots(textOf(message))), reports, keptFrom: null };
    });
  }
}
