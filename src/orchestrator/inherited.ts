/** The runs that an earlier term left open. */
import type { Backlog, Firing, LeaseRecord } from "../core/lease.js";
import type { ScheduleStore } from "../core/ports.js";
import type { Definition, Definitions } from "./definitions.js";
import { firedBefore, type SettlePorts } from "./settle.js";
import type { Traces } from "./traces.js";

/** A committed run with the definition it is fired from. */
export interface InFlight {
  firing: Firing;
  definition: Definition;
}

interface Item {
  firing: Firing;
  /** Null: its revision is no longer kept. */
  definition: Definition | null;
}

interface Range {
  range: Backlog;
  definition: Definition | null;
}

export interface Settled {
  /** Fired by an older term, and not told yet. */
  fired: { firing: Firing; seq: number | null }[];
  /** Not fired by any older term, and never will be: to be published by this one. */
  open: InFlight[];
  lost: { firing: Firing; reason: string }[];
}

/** So many are settled at once. */
const TOGETHER = 256;

export class Inherited {
  readonly #items: readonly Item[];
  /** Misfires that are still to be fired, with the definitions they were decided from. */
  readonly backlog: { range: Backlog; compiled: Definition }[] = [];
  /** Those whose definitions are no longer kept. */
  readonly lostBacklog: Backlog[] = [];

  private constructor(items: readonly Item[], ranges: readonly Range[]) {
    this.#items = items;
    for (const { range, definition } of ranges) {
      if (definition === null) this.lostBacklog.push(range);
      else this.backlog.push({ range, compiled: definition });
    }
  }

  /** Finds, for each open run, the revision it was committed from. */
  static async of(
    record: LeaseRecord,
    definitions: Definitions,
    schedules: ScheduleStore,
    shard: number,
  ): Promise<Inherited> {
    const find = async ({ scheduleId, revision }: Pick<Firing, "scheduleId" | "revision">) => {
      const current = definitions.get({ id: scheduleId, shard });
      if (current?.schedule.revision === revision) return current;
      const kept = await schedules.getRevision(scheduleId, revision);
      return kept === null ? null : definitions.compile(kept);
    };
    return new Inherited(
      await Promise.all(record.firing.map(async (firing) => ({ firing, definition: await find(firing) }))),
      await Promise.all(record.backlog.map(async (range) => ({ range, definition: await find(range) }))),
    );
  }

  /**
   * First every older term is kept from firing, then traces are looked for, and what left none is open.
   *
   * @param renew called again and again, for the lease to be kept
   */
  async settle(
    ports: SettlePorts,
    traces: Traces,
    term: number,
    renew: () => Promise<void>,
  ): Promise<Settled> {
    const settled: Settled = { fired: [], open: [], lost: [] };
    for (let from = 0; from < this.#items.length; from += TOGETHER) {
      const batch = this.#items.slice(from, from + TOGETHER);
      const seqs = await Promise.all(batch.map(({ firing }) => firedBefore(ports, firing, term)));
      await traces.refresh(renew);
      const found = await Promise.all(batch.map(({ firing }) => traces.of(firing)));
      batch.forEach((item, index) => {
        const trace = found[index] ?? null;
        const seq = seqs[index] ?? trace?.seq ?? null;
        if (trace?.told === true) return;
        if (trace !== null || seq !== null) settled.fired.push({ firing: item.firing, seq });
        else sort(item, term, settled);
      });
      await renew();
    }
    settled.open.sort((a, b) => a.firing.slot - b.firing.slot);
    return settled;
  }
}

/** What nobody can have sent yet is not in doubt. */
function sort({ firing, definition }: Item, term: number, settled: Settled): void {
  if (definition === null) {
    settled.lost.push({ firing, reason: "its definition is no longer kept" });
  } else if (definition.schedule.delivery === "at-most-once" && firing.firstTerm < term) {
    settled.lost.push({ firing, reason: "ambiguous" });
  } else {
    settled.open.push({ firing, definition });
  }
}
