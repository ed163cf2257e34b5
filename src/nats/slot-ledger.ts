/** RUNS, read for what became of slots: of all schedules at once. */
import type { JetStreamClient, JetStreamManager } from "@nats-io/jetstream";
import type { Report } from "../core/lease.js";
import type { FiredSlot } from "../core/ports.js";
import type { Instant } from "../core/schedule.js";
import type { SlotLedger, ToldSlots } from "../core/slot-audit.js";
import type { Names } from "../protocol/names.js";
import { decodeSlots } from "../protocol/slot-record.js";
import { scanSince } from "./scan.js";

/**
 * Reads the records shard by shard. A subject with a wildcard would be one read, but nats-server 2.9 goes through all
 * subjects of all jobs for it, and takes nothing meanwhile: after 300,000 jobs for 0.2 to 0.4 s.
 */
export class NatsSlotLedger implements SlotLedger {
  readonly #js: JetStreamClient;
  readonly #jsm: JetStreamManager;
  readonly #names: Names;
  readonly #shards: number;

  constructor(js: JetStreamClient, jsm: JetStreamManager, names: Names, shards: number) {
    this.#js = js;
    this.#jsm = jsm;
    this.#names = names;
    this.#shards = shards;
  }

  async told(since: Instant): Promise<ToldSlots> {
    const { state } = await this.#jsm.streams.info(this.#names.runs);
    const keptFrom = state.first_seq <= 1 ? null : Date.parse(state.first_ts);
    const [fired, reports]: [FiredSlot[], Report[]] = [[], []];
    for (let shard = 0; shard < this.#shards; shard++) {
      const subject = this.#names.slots(shard);
      if (!(await this.#isAnyOn(subject, since))) continue;
      await scanSince({ js: this.#js, stream: this.#names.runs, subject }, since, (text) => {
        const told = decodeSlots(text);
        fired.push(...told.fired);
        reports.push(...told.reports);
        return false;
      });
    }
    return { fired, reports, keptFrom };
  }

  async #isAnyOn(subject: string, since: Instant): Promise<boolean> {
    const last = await this.#jsm.streams.getMessage(this.#names.runs, { last_by_subj: subject });
    return last !== null && last.time.getTime() >= since;
  }
}
