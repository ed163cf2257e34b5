/**
 * The lane below: what is less urgent. It is asked only for slots that the lanes above leave, and its server answers
 * at once, with what there is or with nothing, so that no slot waits there.
 *
 * What is above goes first, and yet nothing below waits for ever: after every so many jobs from above, one slot is
 * offered below.
 */
import { TURN_EVERY } from "../core/lane.js";
import type { Subscription } from "../core/ports.js";
import { BriefPull, type LaneParts } from "./brief-pull.js";

const EMPTY_PAUSE_MS = 500;

export class LowerLane implements Subscription {
  readonly #pull: BriefPull;
  readonly #parts: LaneParts;
  #served = 0;

  constructor(parts: LaneParts) {
    this.#parts = parts;
    this.#pull = new BriefPull(parts);
  }

  start(): this {
    this.#pull.start();
    return this;
  }

  stop(): Promise<void> {
    return this.#pull.stop();
  }

  /** Whether there was as much as was asked for, so that there may be more. */
  get isWaiting(): boolean {
    return this.#pull.hadAll;
  }

  /** A job from above was handed out. */
  onServed(): void {
    this.#served++;
  }

  /** Takes a slot if it is our turn. */
  takeTurn(): void {
    if (this.#served < TURN_EVERY) return;
    // Where there was nothing a moment ago, a busy worker does not ask after every few jobs.
    if (this.#pull.hadAll || this.#pull.sinceEmptyMs >= EMPTY_PAUSE_MS) this.#ask(1);
  }

  /** There is nothing more above: takes what is free. */
  takeRest(): void {
    this.#ask(this.#parts.slots.free);
  }

  #ask(most: number): void {
    if (this.#pull.isOpen || this.#parts.slots.free < 1) return;
    this.#served = 0;
    this.#pull.ask(most);
  }
}
