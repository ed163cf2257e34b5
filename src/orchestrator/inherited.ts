/** The runs that an earlier term left open. */
import type { Firing, LeaseRecord } from "../core/lease.js";
import type { ScheduleStore } from "../core/ports.js";
import type { Definition, Definitions } from "./definitions.js";
import { type SettlePorts, wasFired } from "./settle.js";

/** A committed run with the definition it is fired from. */
export interface InFlight {
  firing: Firing;
  definition: Definition;
}

export interface Settled {
  /** Not fired by any older term, and never will be: to be published by this one. */
  open: InFlight[];
  lost: { firing: Firing; reason: string }[];
}

/** So many are settled at once. */
const TOGETHER = 256;

export class Inherited {
  readonly #items: readonly { firing: Firing; definition: Definition | null }[];

  private constructor(items: readonly { firing: Firing; definition: Definition | null }[]) {
    this.#items = items;
  }

  /** Finds, for each open run, the revision it was committed from. */
  static async of(
    record: LeaseRecord,
    definitions: Definitions,
    schedules: ScheduleStore,
    shard: number,
  ): Promise<Inherited> {
    const find = async (firing: Firing) => {
      const current = definitions.get({ id: firing.scheduleId, shard });
      if (current?.schedule.revision === firing.revision) return { firing, definition: current };
      const kept = await schedules.getRevision(firing.scheduleId, firing.revision);
      return { firing, definition: kept === null ? null : definitions.compile(kept) };
    };
    return new Inherited(await Promise.all(record.firing.map(find)));
  }

  /** @param renew called between batches, for the lease to be kept */
  async settle(ports: SettlePorts, record: LeaseRecord, renew: () => Promise<void>): Promise<Settled> {
    const settled: Settled = { open: [], lost: [] };
    for (let from = 0; from < this.#items.length; from += TOGETHER) {
      const batch = this.#items.slice(from, from + TOGETHER);
      const fired = await Promise.all(batch.map((item) => isFired(ports, item, record)));
      batch.forEach((item, index) => {
        if (!fired[index]) sort(item, settled);
      });
      await renew();
    }
    settled.open.sort((a, b) => a.firing.slot - b.firing.slot);
    return settled;
  }
}

function isFired(
  ports: SettlePorts,
  { firing, definition }: { firing: Firing; definition: Definition | null },
  record: LeaseRecord,
): Promise<boolean> {
  const subject = definition?.messages.subject(firing.slot) ?? "";
  return wasFired(ports, firing, record.term, { subject, runsFrom: record.runsFrom });
}

function sort(
  { firing, definition }: { firing: Firing; definition: Definition | null },
  settled: Settled,
): void {
  if (definition === null) {
    settled.lost.push({ firing, reason: "its definition is no longer kept" });
  } else if (definition.schedule.delivery === "at-most-once") {
    settled.lost.push({ firing, reason: "ambiguous" });
  } else {
    settled.open.push({ firing, definition });
  }
}
