/**
 * Holds the alert rules against the world, pass by pass; done by whoever holds the first shard. What a pass reads it reads
 * once for all rules, and what there is no rule for it does not read. A pass that cannot read all it needs finds nothing and
 * ends nothing.
 */
import type { Breach, OpenBreach } from "../core/alert.js";
import { messageOf } from "../core/errors.js";
import type { Clock, Subscription } from "../core/ports.js";
import type { Logger } from "../runtime/log.js";
import type { AlertBook } from "./alert-book.js";
import type { AlertKeeper } from "./alert-keeper.js";

export interface AlerterPorts {
  clock: Clock;
  log: Logger;
}

/** Looks at one kind of thing. */
export interface Judge {
  /** What was seen before is not ours to go on from. */
  reset(): void;
  /** Everything that is wrong now. */
  look(): Promise<Breach[]>;
}

export const HEARTBEAT_MISSING = "heartbeat.missing";

/** A pass may take this part of the time. */
const SHARE = 20;
const LONGEST_PAUSE_MS = 60_000;

export class Alerter implements Subscription {
  readonly #ports: AlerterPorts;
  readonly #book: AlertBook;
  readonly #keeper: AlertKeeper;
  readonly #judges: readonly Judge[];
  readonly #everyMs: number;
  #term: number | null = null;
  #cancel: () => void = () => {};
  #stopped = false;

  constructor(
    ports: AlerterPorts,
    parts: { book: AlertBook; keeper: AlertKeeper; judges: readonly Judge[]; everyMs: number },
  ) {
    this.#ports = ports;
    this.#book = parts.book;
    this.#keeper = parts.keeper;
    this.#judges = parts.judges;
    this.#everyMs = parts.everyMs;
  }

  start(): this {
    this.#runAfter(this.#everyMs);
    return this;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel();
    this.#keeper.release();
  }

  async runOnce(): Promise<void> {
    try {
      if (!(await this.#isOurs())) return;
      const found: Breach[] = [];
      for (const judge of this.#judges) found.push(...(await judge.look()));
      if (!this.#stopped) await this.#keeper.settle({ found, covers: isOurs });
    } catch (error) {
      this.#ports.log.warn({ error: messageOf(error) }, "the alert rules were not looked at: tried again");
    }
  }

  async #isOurs(): Promise<boolean> {
    const term = await this.#keeper.ready();
    if (term === this.#term) return term !== null;
    this.#term = null;
    for (const judge of this.#judges) judge.reset();
    if (term !== null) await this.#book.load();
    this.#term = term;
    return term !== null;
  }

  #runAfter(ms: number): void {
    const { clock } = this.#ports;
    this.#cancel = clock.after(ms, async () => {
      const startedAt = clock.monotonic();
      await this.runOnce();
      const pauseMs = Math.min(LONGEST_PAUSE_MS, SHARE * (clock.monotonic() - startedAt));
      if (!this.#stopped) this.#runAfter(Math.max(this.#everyMs, pauseMs));
    });
  }
}

/** Names of rules have no dot; what else has one is found elsewhere. */
const isOurs = ({ rule }: OpenBreach): boolean => !rule.includes(".") || rule === HEARTBEAT_MISSING;
