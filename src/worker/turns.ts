/**
 * When the ends of jobs are told to the server.
 *
 * While jobs come in thick and fast, telling the end of one takes the time in which another could start, and a
 * message of its own for each end costs both sides a system call. So ends wait for each other: until nothing has come
 * for a moment, until they take too many slots, or for `withinMs` at most. A quiet worker tells an end at once.
 */
import type { Clock } from "../core/ports.js";

/** Nothing delivered for so long: the rush is over. */
const QUIET_MS = 2;
/** The same when many wait: a rush has pauses, and one that ends too early in it makes the rest of it late. */
const QUIET_MANY_MS = 10;
const MANY = 32;
const LOOK_MS = 1;
/** When so many of all slots are taken by ends that wait, they are told: else new jobs would wait until all are free. */
const FULL = 1 / 4;

export class Turns {
  readonly #clock: Clock;
  readonly #withinMs: number;
  readonly #slots: number;
  #waiting: (() => void)[] = [];
  #deliveredAt = Number.NEGATIVE_INFINITY;
  #since = 0;
  #cancel: () => void = () => {};

  /** @param slots so many jobs fill the worker */
  constructor(clock: Clock, withinMs: number, slots: number) {
    this.#clock = clock;
    this.#withinMs = withinMs;
    this.#slots = slots;
  }

  onDelivery(): void {
    this.#deliveredAt = this.#clock.monotonic();
  }

  /** Resolves when it is time to tell an end. */
  take(): Promise<void> {
    if (this.#withinMs === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      if (this.#waiting.length >= this.#slots * FULL) this.flush();
      else if (this.#waiting.length === 1) this.#begin();
    });
  }

  /** Tells all that wait. */
  flush(): void {
    this.#cancel();
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #begin(): void {
    this.#since = this.#clock.monotonic();
    this.#look();
  }

  #look(): void {
    this.#cancel = this.#clock.after(LOOK_MS, () => {
      const now = this.#clock.monotonic();
      const quiet = this.#waiting.length < MANY ? QUIET_MS : QUIET_MANY_MS;
      if (now - this.#deliveredAt >= quiet || now - this.#since >= this.#withinMs) this.flush();
      else this.#look();
    });
  }
}
