/**
 * The lane above: what is more urgent. A busy worker looks there before it takes anything else, though not for every
 * job when there was nothing a moment ago. A worker that has nothing to do keeps one slot waiting there, so that the
 * first urgent job finds it at once; with a single slot it has to look there now and then.
 *
 * After every so many jobs from here, one slot is left for the lanes below.
 */
import { TURN_EVERY } from "../core/lane.js";
import type { Subscription } from "../core/ports.js";
import { BriefPull, type LaneParts } from "./brief-pull.js";

const EMPTY_PAUSE_MS = 50;
const RESERVE_MS = 2_000;

export class UpperLane implements Subscription {
  readonly #pull: BriefPull;
  readonly #parts: LaneParts;
  /** Since a job from below was handed out, or had its turn. */
  #served = 0;
  /** The open request is that of a waiting slot. */
  #isReserved = false;

  /** @param onServed a job from here was handed out */
  constructor(parts: LaneParts, onServed: () => void) {
    this.#parts = parts;
    this.#pull = new BriefPull(parts, () => {
      this.#served++;
      onServed();
    });
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

  /** A job from below was handed out. */
  onOtherServed(): void {
    this.#served = 0;
  }

  /**
   * Takes what is free, if there may be anything.
   *
   * @returns whether the lanes below may have what is free now; not while the answer is on its way
   */
  takeFirst(): boolean {
    const { free } = this.#parts.slots;
    if (this.#pull.isOpen) return this.#isReserved;
    if (free < 1 || (!this.#pull.hadAll && this.#pull.sinceEmptyMs < EMPTY_PAUSE_MS)) return true;
    const isTurnBelow = this.#served >= TURN_EVERY;
    if (isTurnBelow) this.#served = 0;
    this.#isReserved = false;
    this.#pull.ask(isTurnBelow ? free - 1 : free);
    return isTurnBelow;
  }

  /** Lets one slot wait here, unless there may be more than one job. */
  reserve(): void {
    if (this.#pull.isOpen || this.#pull.hadAll) return;
    this.#isReserved = true;
    this.#pull.ask(1, RESERVE_MS);
  }
}
