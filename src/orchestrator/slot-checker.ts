/**
 * The always-on check: looks at the slots of the last minutes again and again, and at whether the store still has what it
 * had. Done by whoever holds the first shard; what is amiss is raised once by each that finds it.
 */
import type { Alert, AlertBus } from "../core/alert.js";
import { messageOf } from "../core/errors.js";
import type { RunLog, ScheduleStore, Subscription } from "../core/ports.js";
import type { Instant } from "../core/schedule.js";
import { type AnomalyKind, isAnomaly } from "../core/slot-audit.js";
import type { OrchestratorTelemetry } from "../core/telemetry.js";
import type { Logger } from "../runtime/log.js";
import type { Definitions } from "./definitions.js";
import type { Memory } from "./memory.js";
import { SlotAuditor, type SlotAuditorPorts } from "./slot-auditor.js";

export interface SlotCheckerPorts extends SlotAuditorPorts {
  schedules: ScheduleStore;
  runs: RunLog;
  alerts: AlertBus;
  telemetry: OrchestratorTelemetry;
  log: Logger;
}

const EVERY_MS = 10_000;
/** So far back each look goes; what is lost later than that is for `verify` to find. */
const LOOKBACK_MS = 120_000;

const SENTENCES: Record<AnomalyKind, string> = {
  missing: "was decided, and nothing tells what became of it",
  doubled: "was fired twice",
  contradicted: "was fired, and told not to be",
  overdue: "is due, and nobody has decided it",
};

interface Raised {
  kind: AnomalyKind;
  scheduleId: string;
  slot: Instant;
}

export class SlotChecker implements Subscription {
  readonly #ports: SlotCheckerPorts;
  readonly #auditor: SlotAuditor;
  readonly #memory: Memory;
  readonly #isMine: () => boolean;
  /** What was raised and lies within the next look. */
  readonly #raised = new Map<string, Raised>();
  #cancel: () => void = () => {};
  #stopped = false;

  constructor(ports: SlotCheckerPorts, definitions: Definitions, memory: Memory, isMine: () => boolean) {
    this.#ports = ports;
    this.#auditor = new SlotAuditor(ports, definitions);
    this.#memory = memory;
    this.#isMine = isMine;
  }

  start(): this {
    this.#cancel = this.#ports.clock.after(EVERY_MS, async () => {
      await this.runOnce();
      if (!this.#stopped) this.start();
    });
    return this;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel();
  }

  async runOnce(): Promise<void> {
    if (!this.#isMine()) return this.#raised.clear();
    try {
      await this.#checkStore("runs", () => this.#ports.runs.lastSequence());
      await this.#checkStore("schedules", () => this.#ports.schedules.lastSequence());
      await this.#checkSlots();
    } catch (error) {
      this.#ports.log.warn({ error: messageOf(error) }, "the slots were not checked: tried again");
    }
  }

  async #checkSlots(): Promise<void> {
    const now = this.#ports.clock.now();
    const [from, to] = [now - LOOKBACK_MS, now];
    const found = new Map<string, Raised>();
    await this.#auditor.audit({ from, to }, (scheduleId, slot, fate) => {
      if (isAnomaly(fate)) found.set(`${fate}/${scheduleId}/${slot}`, { kind: fate, scheduleId, slot });
    });
    if (this.#stopped) return;
    for (const [key, one] of found) if (!this.#raised.has(key)) this.#raise(one, "raised");
    for (const [key, one] of this.#raised)
      if (!found.has(key)) {
        this.#raised.delete(key);
        if (one.slot >= from) this.#raise(one, "over");
      }
    for (const [key, one] of found) this.#raised.set(key, one);
  }

  #raise({ kind, scheduleId, slot }: Raised, state: Alert["state"]): void {
    const at = new Date(slot).toISOString();
    if (state === "raised") this.#ports.telemetry.anomalyFound(kind);
    const text = `the slot of schedule ${scheduleId} at ${at} ${SENTENCES[kind]}`;
    this.#tell({ rule: `slot.${kind}`, state, scheduleId, text, data: { slot: at } });
  }

  /** An acknowledged write raises the sequence for good: one that went back was lost, and others with it. */
  async #checkStore(store: string, ask: () => Promise<number>): Promise<void> {
    const sequence = await ask();
    const highest = this.#memory.highest.get(store) ?? 0;
    this.#memory.highest.set(store, sequence);
    if (sequence >= highest) return;
    this.#ports.telemetry.anomalyFound("lost");
    const text = `the stream of ${store} has lost what it had acknowledged: its sequence went from ${highest} back to ${sequence}`;
    const data = { store, highest, sequence };
    this.#tell({ rule: "store.lost", state: "raised", scheduleId: null, text, data });
  }

  #tell(alert: Omit<Alert, "at">): void {
    const { log, alerts, clock } = this.#ports;
    const { rule, state, scheduleId, data, text } = alert;
    const told = { alert: rule, state, ...(scheduleId !== null && { scheduleId }), ...data };
    if (state === "raised") log.error(told, text);
    else log.info(told, `over: ${text}`);
    alerts.raise({ ...alert, at: clock.now() });
  }
}
