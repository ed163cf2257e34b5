/**
 * Holds the alert rules against the world, pass by pass; done by whoever holds the first shard. What a pass reads it reads
 * once for all rules, and what there is no rule for it does not read. Where a rule needs what cannot be read, nothing is
 * found and nothing is over; the others do not wait for it.
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

export interface Sight {
  /** Everything that is wrong now. */
  found: readonly Breach[];
  /** Whether an open breach is among what could be looked at. */
  covers(breach: OpenBreach): boolean;
}

/** Looks at one kind of thing. */
export interface Judge {
  /** What was seen before is not ours to go on from. */
  reset(): void;
  look(): Promise<Sight>;
}

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
    await this.#attempt(async () => {
      const term = await this.#begin();
      if (term === null) return;
      for (const judge of this.#judges) await this.#attempt(() => this.#hear(judge, term));
    });
  }

  async #hear(judge: Judge, term: number): Promise<void> {
    const sight = await judge.look();
    if (!this.#stopped) await this.#keeper.settle({ ...sight, term });
  }

  async #attempt(act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      this.#ports.log.warn({ error: messageOf(error) }, "the alert rules were not looked at: tried again");
    }
  }

  /** The term in which it is for us to look. */
  async #begin(): Promise<number | null> {
    const term = await this.#keeper.ready();
    if (term === this.#term) return term;
    this.#term = null;
    for (const judge of this.#judges) judge.reset();
    if (term !== null) await this.#book.load();
    this.#term = term;
    return term;
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
