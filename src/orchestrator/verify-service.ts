/** Proves, for a range, that every slot ended once; or shows which did not. */
import { invalid, PunctualError } from "../core/errors.js";
import type { Instant } from "../core/schedule.js";
import { type Anomaly, isAnomaly } from "../core/slot-audit.js";
import type { ApiParsed, ApiResponse } from "../protocol/api.js";
import type { Definitions } from "./definitions.js";
import { SlotAuditor, type SlotAuditorPorts } from "./slot-auditor.js";

/** Anomalies that are told one by one; all are counted. */
const MOST_TOLD = 1_000;

export class VerifyService {
  readonly #ports: SlotAuditorPorts;
  readonly #auditor: SlotAuditor;

  constructor(ports: SlotAuditorPorts, definitions: Definitions) {
    this.#ports = ports;
    this.#auditor = new SlotAuditor(ports, definitions);
  }

  async range({ from, to, scheduleId }: ApiParsed<"verify.range">): Promise<ApiResponse<"verify.range">> {
    if (to < from) throw invalid("to", `expected an instant not before from, got ${iso(to)}`);
    const until = Math.min(to, this.#ports.clock.now());
    const counts = { fired: 0, skipped: 0, missed: 0, expired: 0, open: 0, unknown: 0, anomalies: 0 };
    const anomalies: Anomaly[] = [];
    const { schedules, cut, keptFrom } = await this.#auditor.audit(
      { from, to: until, scheduleId },
      (id, slot, fate) => {
        counts[isAnomaly(fate) ? "anomalies" : fate]++;
        if (isAnomaly(fate) && anomalies.length < MOST_TOLD)
          anomalies.push({ kind: fate, scheduleId: id, slot });
      },
    );
    if (scheduleId !== undefined && schedules === 0)
      throw new PunctualError("not_found", `schedule ${scheduleId} does not exist`);
    return {
      ...{ from: iso(from), to: iso(until), schedules, counts },
      keptFrom: keptFrom === null ? null : iso(keptFrom),
      verdict: counts.anomalies > 0 ? "amiss" : counts.unknown > 0 || cut.length > 0 ? "unknown" : "fine",
      cut: cut.map(({ scheduleId: id, from: slot }) => ({ scheduleId: id, from: iso(slot) })),
      anomalies: anomalies.map((anomaly) => ({ ...anomaly, slot: iso(anomaly.slot) })),
    };
  }
}

const iso = (instant: Instant): string => new Date(instant).toISOString();
