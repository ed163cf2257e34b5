/** Publishing the runs that a record of a backfill decides, see `backfiller.ts` for why none is lost or doubled. */
import type { Settled } from "../core/backfill.js";
import type { RunHistory } from "../core/lookback.js";
import type { Clock, PublishOutcome, RunLog, WorkStream } from "../core/ports.js";
import type { Instant } from "../core/schedule.js";
import { previousFireTime } from "../core/time/previous.js";
import { BackfillMessages } from "../protocol/backfill.js";
import type { Names } from "../protocol/names.js";
import type { Definition } from "./definitions.js";

export interface BackfillPublisherPorts {
  clock: Clock;
  names: Names;
  history: RunHistory;
  runs: RunLog;
  work: WorkStream;
}

/** What a record has decided, and since when. */
export interface Batch {
  slots: readonly Instant[];
  /** Found in a record, it may have been published by whoever wrote that. */
  isInherited: boolean;
  /** Monotonic time at which the write that decided it was begun, or at which the record was found. */
  startedAt: number;
}

/** After this long nothing more is published that a write has decided. */
const PUBLISH_WITHIN_MS = 10_000;
const FULL_PAUSE_MS = 250;

export class BackfillPublisher {
  readonly #ports: BackfillPublisherPorts;
  readonly #id: string;
  readonly #definition: Definition;
  readonly #messages: BackfillMessages;
  readonly #isStopped: () => boolean;

  constructor(ports: BackfillPublisherPorts, id: string, definition: Definition, isStopped: () => boolean) {
    this.#ports = ports;
    this.#id = id;
    this.#definition = definition;
    this.#messages = new BackfillMessages(ports.names, id, definition.schedule);
    this.#isStopped = isStopped;
  }

  async publish(batch: Batch): Promise<Settled> {
    const became = await Promise.all(batch.slots.map((slot) => this.#settle(slot, batch)));
    const count = (kind: keyof Settled) => became.filter((one) => one === kind).length;
    const open = batch.slots.filter((_, index) => became[index] === "open");
    return { queued: count("queued"), missed: count("missed"), open };
  }

  async #settle(slot: Instant, batch: Batch): Promise<keyof Settled> {
    if (!batch.isInherited) return this.#publishOne(slot, batch);
    if (await this.#isTraced(slot)) return "queued";
    const mayRepeat = this.#definition.schedule.delivery === "at-least-once";
    return mayRepeat ? this.#publishOne(slot, batch) : this.#miss(slot, "ambiguous");
  }

  async #publishOne(slot: Instant, { startedAt }: Batch): Promise<keyof Settled> {
    const { work, clock } = this.#ports;
    const message = this.#messages.message(slot, previousFireTime(this.#definition.times, slot));
    for (;;) {
      await work.ready();
      if (this.#isStopped() || clock.monotonic() - startedAt > PUBLISH_WITHIN_MS) return "open";
      const outcome = await work.publish(message);
      if (outcome.kind === "refused") return this.#miss(slot, outcome.reason);
      if (outcome.kind !== "full") return isInWork(outcome) ? "queued" : "open";
      await new Promise<void>((resolve) => clock.after(FULL_PAUSE_MS, resolve));
    }
  }

  async #isTraced(slot: Instant): Promise<boolean> {
    const { history, runs } = this.#ports;
    if ((await history.lastQueued(this.#messages.subject(slot))) !== null) return true;
    return runs.hasAny(this.#messages.runId(slot));
  }

  /** Told before it is counted; a repeat is told once. */
  async #miss(slot: Instant, reason: string): Promise<"missed"> {
    const runId = this.#messages.runId(slot);
    const scheduleId = this.#definition.schedule.id;
    const data = { scheduleId, backfill: this.#id, slot: new Date(slot).toISOString(), reason };
    await this.#ports.runs.append({ runId, type: "missed", msgId: `${runId}/missed`, data });
    return "missed";
  }
}

/** No other run has its message id or its subject. */
function isInWork({ kind }: PublishOutcome): boolean {
  return kind === "stored" || kind === "duplicate" || kind === "taken";
}
