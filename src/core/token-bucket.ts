/**
 * A token bucket: in any stretch of time t, at most `burst + limit × t / periodMs` things happen.
 *
 * A thing does not happen when it is let go but a little later, when the server stores it, and only the answer says
 * that it has. Whoever counts by the server's times must not find more than the bound allows. So a token that was
 * taken and is not settled yet takes its place in the bucket: it fills up to `burst` less the unsettled ones. Then the
 * level is never above that of a bucket which is emptied at the very moments of storing.
 *
 * Some things happen without asking. They are spent, whether there is a token or not: the level may go below zero, and
 * nobody gets a token until that is made up for. However far it goes: of whoever is called too often, the quota counts
 * every call, and what is let in before they are made up for would add to the crowd.
 */
import type { RateLimit } from "./queue.js";

/** Sums of fractions are not exact. */
const ALMOST = 1e-9;

export class TokenBucket {
  #rate: RateLimit;
  #level = 0;
  /** When the level was that. */
  #at: number;
  #unsettled = 0;

  /** Empty. All times are milliseconds of one clock that never goes back. */
  constructor(rate: RateLimit, now: number) {
    this.#rate = rate;
    this.#at = now;
  }

  /** Takes a token if there is one. */
  take(now: number): boolean {
    this.#fill(now);
    if (this.#level < 1 - ALMOST) return false;
    this.#level = Math.max(0, this.#level - 1);
    this.#unsettled++;
    return true;
  }

  /** What a token was taken for has happened. */
  settle(now: number): void {
    this.#fill(now);
    this.#unsettled--;
  }

  /** What a token was taken for did not happen, and will not. */
  giveBack(now: number): void {
    this.#fill(now);
    this.#unsettled--;
    this.#level = Math.min(this.#most, this.#level + 1);
  }

  /** Something has happened that did not ask. */
  spend(now: number): void {
    this.#fill(now);
    this.#level--;
  }

  /** Milliseconds until there is a token, if none is given back before. */
  untilNext(now: number): number {
    this.#fill(now);
    if (this.#level >= 1 - ALMOST) return 0;
    if (this.#most < 1) return Number.POSITIVE_INFINITY; // the next settlement makes room
    return ((1 - this.#level) * this.#rate.periodMs) / this.#rate.limit;
  }

  /** Whether a bucket that nobody has touched for ever would be the same. */
  isFull(now: number): boolean {
    this.#fill(now);
    return this.#unsettled === 0 && this.#level >= this.#rate.burst - ALMOST;
  }

  /** What was saved up stays, as far as there is room for it; and so does all that is to be made up for. */
  change(rate: RateLimit, now: number): void {
    this.#fill(now);
    this.#rate = rate;
    this.#level = Math.min(this.#level, Math.max(0, this.#most));
  }

  get #most(): number {
    return this.#rate.burst - this.#unsettled;
  }

  #fill(now: number): void {
    const { limit, periodMs } = this.#rate;
    const filled = this.#level + ((now - this.#at) * limit) / periodMs;
    this.#level = Math.max(this.#level, Math.min(filled, this.#most));
    this.#at = Math.max(this.#at, now);
  }
}
