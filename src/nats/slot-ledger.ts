/** RUNS, read for what became of slots: of all schedules at once. */
import type { JetStreamClient, JetStreamManager } from "@nats-io/jetstream";
import type { Report } from "../core/lease.js";
import type { FiredSlot } from "../core/ports.js";
import type { Instant } from "../core/schedule.js";
import type { SlotLedger, ToldSlots } from "../core/slot-audit.js";
import type { Names } from "../protocol/names.js";
import { readReport, reportEvents } from "../protocol/past-events.js";
import { decodeSlots } from "../protocol/slot-record.js";
import { scanSince } from "./scan.js";

export class NatsSlotLedger implements SlotLedger {
  readonly #js: JetStreamClient;
  readonly #jsm: JetStreamManager;
  readonly #names: Names;

  constructor(js: JetStreamClient, jsm: JetStreamManager, names: Names) {
    this.#js = js;
    this.#jsm = jsm;
    this.#names = names;
  }

  async told(since: Instant): Promise<ToldSlots> {
    const { state } = await this.#jsm.streams.info(this.#names.runs);
    const keptFrom = state.first_seq <= 1 ? null : Date.parse(state.first_ts);
    const [fired, reports]: [FiredSlot[], Report[]] = [[], []];
    await this.#scan(this.#names.allSlots, since, (text) => void fired.push(...decodeSlots(text)));
    for (const outcome of reportEvents)
      await this.#scan(this.#names.runEvent("*", outcome), since, (text) => {
        const report = readReport(outcome, text);
        if (report !== null) reports.push(report);
      });
    return { fired, reports, keptFrom };
  }

  #scan(subject: string, since: Instant, onText: (text: string) => void): Promise<void> {
    const place = { js: this.#js, stream: this.#names.runs, subject };
    return scanSince(place, since, (text) => {
      onText(text);
      return false;
    });
  }
}
