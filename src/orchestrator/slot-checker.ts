/**
 * The always-on check: looks at the slots of the last minutes again and again, and at whether the store still has what it
 * had. Done by whoever holds the first shard.
 */
import { type Breach, OF_NOTHING, type OpenBreach } from "../core/alert.js";
import { messageOf } from "../core/errors.js";
import type { RunLog, ScheduleStore, Subscription } from "../core/ports.js";
import type { Instant } from "../core/schedule.js";
import { type AnomalyKind, isAnomaly } from "../core/slot-audit.js";
import type { OrchestratorTelemetry } from "../core/telemetry.js";
import { instantToken } from "../protocol/names.js";
import type { Logger } from "../runtime/log.js";
import type { AlertKeeper } from "./alert-keeper.js";
import type { Definitions } from "./definitions.js";
import type { Memory } from "./memory.js";
import { SlotAuditor, type SlotAuditorPorts } from "./slot-auditor.js";

export interface SlotCheckerPorts extends SlotAuditorPorts {
  schedules: ScheduleStore;
  runs: RunLog;
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

const STORE_LOST = "store.lost";

export class SlotChecker implements Subscription {
  readonly #ports: SlotCheckerPorts;
  readonly #auditor: SlotAuditor;
  readonly #memory: Memory;
  readonly #keeper: AlertKeeper;
  #cancel: () => void = () => {};
  #stopped = false;

  constructor(ports: SlotCheckerPorts, definitions: Definitions, memory: Memory, keeper: AlertKeeper) {
    this.#ports = ports;
    this.#auditor = new SlotAuditor(ports, definitions);
    this.#memory = memory;
    this.#keeper = keeper;
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
    const { runs, schedules } = this.#ports;
    await this.#attempt(async () => {
      const term = await this.#keeper.ready();
      if (term === null) return;
      await this.#attempt(() => this.#checkStore(term, "runs", () => runs.lastSequence()));
      await this.#attempt(() => this.#checkStore(term, "schedules", () => schedules.lastSequence()));
      await this.#attempt(() => this.#checkSlots(term));
    });
  }

  async #attempt(act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      this.#ports.log.warn({ error: messageOf(error) }, "the slots were not checked: tried again");
    }
  }

  /** What is older than the look is not found any more, and yet not over. */
  async #checkSlots(term: number): Promise<void> {
    const now = this.#ports.clock.now();
    const [from, to] = [now - LOOKBACK_MS, now];
    const found: Breach[] = [];
    await this.#auditor.audit({ from, to }, (scheduleId, slot, fate) => {
      if (isAnomaly(fate)) found.push(breachOf(fate, scheduleId, slot));
    });
    if (this.#stopped) return;
    const covers = ({ rule }: OpenBreach) => rule.startsWith("slot.");
    const isOver = ({ data }: OpenBreach) => Date.parse(String(data.slot)) >= from;
    const begun = await this.#keeper.settle({ term, found, covers, isOver });
    for (const { kind } of begun)
      this.#ports.telemetry.anomalyFound(kind.slice("slot.".length) as AnomalyKind);
  }

  /** An acknowledged write raises the sequence for good: one that went back was lost, and others with it. */
  async #checkStore(term: number, store: string, ask: () => Promise<number>): Promise<void> {
    const sequence = await ask();
    const highest = this.#memory.highest.get(store) ?? 0;
    this.#memory.highest.set(store, sequence);
    const open = this.#keeper.open.filter(({ rule, data }) => rule === STORE_LOST && data.store === store);
    // It may have been found by an orchestrator that held the shard before.
    const isKnown = open.some(
      ({ data }) => Number(data.highest) >= highest && Number(data.sequence) <= sequence,
    );
    const found = sequence < highest && !isKnown ? [lossOf(store, highest, sequence)] : [];
    // What was lost does not come back: it is forgotten when it can no longer be found again.
    const covers = (breach: OpenBreach) => open.includes(breach) && sequence > Number(breach.data.highest);
    const begun = await this.#keeper.settle({ term, found, covers, isOver: () => false });
    if (begun.length > 0) this.#ports.telemetry.anomalyFound("lost");
  }
}

function breachOf(kind: AnomalyKind, scheduleId: string, slot: Instant): Breach {
  const at = new Date(slot).toISOString();
  const rule = `slot.${kind}`;
  const target = `${scheduleId}.${instantToken(slot)}`;
  const text = `the slot of schedule ${scheduleId} at ${at} ${SENTENCES[kind]}`;
  return { ...OF_NOTHING, rule, kind: rule, target, scheduleId, text, data: { slot: at } };
}

function lossOf(store: string, highest: number, sequence: number): Breach {
  const text = `the stream of ${store} has lost what it had acknowledged: its sequence went from ${highest} back to ${sequence}`;
  const data = { store, highest, sequence };
  return { ...OF_NOTHING, rule: STORE_LOST, kind: STORE_LOST, target: `${store}.${highest}`, text, data };
}
