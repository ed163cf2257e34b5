/** Opens the gates of the queues whose shards are held here, and shuts them when they are not any more. */
import { messageOf } from "../core/errors.js";
import { isGoverned } from "../core/gate.js";
import { shardOf } from "../core/hash.js";
import type { Subscription } from "../core/ports.js";
import { isQueuePausedAt, type QueueSettings, type QueueStore, settingsOf } from "../core/queue.js";
import { Gatekeeper } from "./gatekeeper.js";
import type { PassagePorts } from "./passage.js";

export interface GatekeepersPorts extends PassagePorts {
  queues: QueueStore;
  shards: number;
}

const EVERY_MS = 100;
/** Jobs that wait at a gate that nobody keeps are looked for this often, so many a time. */
const STRAYS_EVERY_MS = 5_000;
const STRAYS_AT_ONCE = 256;

/** What is known of a queue. */
interface Kept {
  settings: QueueSettings;
  /** It has limits, or had some, and jobs may still wait: without limits they pass at once. */
  hasGate: boolean;
  /** With the term of the shard for which it was made. */
  keeper?: { gatekeeper: Gatekeeper; term: number } | undefined;
  wasPaused: boolean;
}

export class Gatekeepers implements Subscription {
  readonly #ports: GatekeepersPorts;
  readonly #termOf: (shard: number) => number | null;
  readonly #kept = new Map<string, Kept>();
  #watch: Subscription | undefined;
  #cancelTimer: () => void = () => {};
  #strayLookedAt = Number.NEGATIVE_INFINITY;
  /** All that waits before it was looked at. */
  #strayFrom = 1;
  #stopped = false;

  /** @param termOf the term in which a shard is held here and may be acted for; null: it is not, now */
  constructor(ports: GatekeepersPorts, termOf: (shard: number) => number | null) {
    this.#ports = ports;
    this.#termOf = termOf;
  }

  async start(): Promise<this> {
    this.#watch = await this.#ports.queues.watch(({ queue, record }) => {
      const settings = record?.settings ?? settingsOf({});
      this.#put(queue, settings, isGoverned(settings));
    });
    this.#keepGoing();
    return this;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelTimer();
    await this.#watch?.stop();
    await Promise.all([...this.#kept.values()].map(({ keeper }) => keeper?.gatekeeper.stop()));
  }

  #put(queue: string, settings: QueueSettings, hasGate: boolean): void {
    const kept = this.#kept.get(queue);
    if (kept === undefined) {
      this.#kept.set(queue, { settings, hasGate, wasPaused: false });
      return;
    }
    kept.settings = settings;
    kept.hasGate ||= hasGate;
    this.#limit(kept);
  }

  #keepGoing(): void {
    if (this.#stopped) return;
    for (const [queue, kept] of this.#kept) if (kept.hasGate) this.#attend(queue, kept);
    const { clock } = this.#ports;
    if (clock.monotonic() - this.#strayLookedAt >= STRAYS_EVERY_MS) {
      this.#strayLookedAt = clock.monotonic();
      void this.#lookForStrays();
    }
    this.#cancelTimer = clock.after(EVERY_MS, () => this.#keepGoing());
  }

  /** A keeper knows what has passed in its term, and nothing of what others did in between. */
  #attend(queue: string, kept: Kept): void {
    const shard = shardOf(queue, this.#ports.shards);
    const term = this.#termOf(shard);
    if (kept.keeper !== undefined && kept.keeper.term !== term) {
      void kept.keeper.gatekeeper.stop();
      kept.keeper = undefined;
    }
    if (term === null) return;
    if (kept.keeper === undefined) {
      const isOurs = () => this.#termOf(shard) === term;
      const isTold = () => kept.settings.history === "full";
      const options = { queue, limits: this.#limitsOf(kept), isOurs, isTold };
      kept.keeper = { gatekeeper: new Gatekeeper(this.#ports, options).start(), term };
    } else if (this.#isPaused(kept) !== kept.wasPaused) this.#limit(kept);
  }

  #limit(kept: Kept): void {
    kept.keeper?.gatekeeper.limit(this.#limitsOf(kept));
  }

  #limitsOf(kept: Kept) {
    const { rate, perKey } = kept.settings;
    kept.wasPaused = this.#isPaused(kept);
    return { paused: kept.wasPaused, rate, perKey };
  }

  #isPaused({ settings }: Kept): boolean {
    return isQueuePausedAt(settings, this.#ports.clock.now());
  }

  /** A queue whose limits were removed, or whose jobs were sent by somebody who did not know that they were. */
  async #lookForStrays(): Promise<void> {
    const { gates, log } = this.#ports;
    try {
      const last = await gates.lastSequence();
      for (let looked = 0; looked < STRAYS_AT_ONCE; looked++) {
        const next = await gates.nextQueue(this.#strayFrom);
        this.#strayFrom = (next?.seq ?? Math.max(last, this.#strayFrom - 1)) + 1;
        if (next === null) return;
        const kept = this.#kept.get(next.queue);
        if (kept?.hasGate !== true) this.#put(next.queue, kept?.settings ?? settingsOf({}), true);
      }
    } catch (error) {
      log.debug({ error: messageOf(error) }, "gates could not be looked at");
    }
  }
}
