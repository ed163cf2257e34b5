/** Gathers what is known of a range's slots, and audits it schedule by schedule. */
import { CLOCKS_DIFFER_MS } from "../core/instant.js";
import type { Clock, LeaseStore, ScheduleStore } from "../core/ports.js";
import type { Instant, Schedule } from "../core/schedule.js";
import { auditSlots, type SlotFate, type SlotLedger, type ToldSlots } from "../core/slot-audit.js";
import type { Definition, Definitions } from "./definitions.js";
import { leaseRecords } from "./lease-records.js";

export interface SlotAuditorPorts {
  clock: Clock;
  schedules: ScheduleStore;
  leases: LeaseStore;
  ledger: SlotLedger;
  shards: number;
}

export interface AuditRange {
  from: Instant;
  to: Instant;
  /** Default: every schedule. */
  scheduleId?: string | undefined;
}

export interface AuditEnd {
  schedules: number;
  /** Schedules with more slots than are looked at, and the first slot that was not. */
  cut: { scheduleId: string; from: Instant }[];
  /** See `ToldSlots`. */
  keptFrom: Instant | null;
}

export class SlotAuditor {
  readonly #ports: SlotAuditorPorts;
  readonly #definitions: Definitions;

  constructor(ports: SlotAuditorPorts, definitions: Definitions) {
    this.#ports = ports;
    this.#definitions = definitions;
  }

  async audit(
    range: AuditRange,
    onFate: (scheduleId: string, slot: Instant, fate: SlotFate) => void,
  ): Promise<AuditEnd> {
    const leases = await leaseRecords(this.#ports.leases, this.#ports.shards);
    const told = await this.#ports.ledger.told(range.from - CLOCKS_DIFFER_MS);
    const byId = toldById(told);
    const cut: AuditEnd["cut"] = [];
    let schedules = 0;
    for (const definition of this.#definitions.all()) {
      const { id, shard } = definition.schedule;
      if (range.scheduleId !== undefined && range.scheduleId !== id) continue;
      schedules++;
      const revisions = await this.#rulingIn(range, definition);
      const account = {
        ...{ from: range.from, to: range.to, now: this.#ports.clock.now(), revisions },
        compile: (schedule: Schedule) => this.#definitions.compile(schedule).times,
        lease: leases[shard] ?? null,
        onCut: (slot: Instant) => void cut.push({ scheduleId: id, from: slot }),
        told: byId.get(id) ?? { fired: [], reports: [], keptFrom: told.keptFrom },
      };
      for (const { slot, fate } of auditSlots(account)) onFate(id, slot, fate);
    }
    return { schedules, cut, keptFrom: told.keptFrom };
  }

  /** Most have not changed for long. */
  async #rulingIn({ from }: AuditRange, { schedule }: Definition): Promise<readonly Schedule[]> {
    if (schedule.changedAt !== undefined && schedule.changedAt < from - CLOCKS_DIFFER_MS) return [schedule];
    const revisions = await this.#ports.schedules.history(schedule.id);
    const before = revisions.findLastIndex(({ changedAt }) => changedAt !== undefined && changedAt <= from);
    return revisions.slice(Math.max(0, before));
  }
}

function toldById({ fired, reports, keptFrom }: ToldSlots): Map<string, ToldSlots> {
  const byId = new Map<
    string,
    { fired: ToldSlots["fired"][number][]; reports: ToldSlots["reports"][number][] }
  >();
  const of = (id: string) => {
    const known = byId.get(id) ?? { fired: [], reports: [] };
    byId.set(id, known);
    return known;
  };
  for (const slot of fired) of(slot.scheduleId).fired.push(slot);
  for (const report of reports) of(report.scheduleId).reports.push(report);
  return new Map([...byId].map(([id, told]) => [id, { ...told, keptFrom }]));
}
