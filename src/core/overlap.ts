/**
 * What happens when a slot falls due while earlier runs of its schedule are queued or running.
 *
 * The server keeps count: a schedule has as many subjects as runs may be under way at once, and each takes one message
 * (see `FireMessages.subject`). What is decided here is only what becomes of a run that finds all of them taken. One that
 * waits stays in the lease record among the runs that are to be published; so whoever holds the shard next finds it.
 */
import type { Firing } from "./lease.js";
import type { OverlapRule } from "./overlap-policy.js";

export interface Dropped {
  firing: Firing;
  reason: string;
}

const FULL = "overlap: the buffer is full";
const REPLACED = "overlap: a later run takes its place";

/** The runs of one schedule that are still to be published, earliest slot first; the first of them is the next to go. */
export class WaitingLine {
  readonly #firings: Firing[] = [];
  /** The first is being published, and nobody knows yet how that ends. */
  #isSending = false;
  /** The first was refused: every subject was taken. */
  #isBlocked = false;

  get size(): number {
    return this.#firings.length;
  }

  /** Whether it is kept here, and not being published. */
  holds(firing: Firing): boolean {
    return this.#firings.indexOf(firing) >= (this.#isSending ? 1 : 0);
  }

  get isBlocked(): boolean {
    return this.#isBlocked;
  }

  /** The one to publish now; null when there is none, or it is under way. */
  get next(): Firing | null {
    return this.#isSending ? null : (this.#firings[0] ?? null);
  }

  /** A run comes to be published: true when it is its turn. */
  offer(firing: Firing): boolean {
    if (!this.#firings.includes(firing)) this.#insert(firing);
    if (this.#isSending || this.#firings[0] !== firing) return false;
    this.#isSending = true;
    return true;
  }

  /** The first was refused, and is to be tried again at once. */
  retry(): void {
    this.#isSending = false;
  }

  /** The first found every subject taken, and waits. */
  block(): void {
    this.#isSending = false;
    this.#isBlocked = true;
  }

  /** It is published, or never will be. */
  remove(firing: Firing): void {
    const place = this.#firings.indexOf(firing);
    if (place < 0) return;
    this.#firings.splice(place, 1);
    if (place > 0) return;
    this.#isSending = false;
    this.#isBlocked = false;
  }

  /** While the first waits for an earlier run, only so many may wait; takes out the rest. */
  trim({ overlap, bufferLimit }: OverlapRule): Dropped[] {
    if (!this.#isBlocked || this.#isSending) return [];
    const keep = overlap === "buffer-all" ? bufferLimit : 1;
    const excess = Math.max(0, this.#firings.length - keep);
    const keepsOldest = overlap === "buffer-one" || overlap === "buffer-all";
    const dropped = this.#firings.splice(keepsOldest ? keep : 0, excess);
    return dropped.map((firing) => ({ firing, reason: keepsOldest ? FULL : REPLACED }));
  }

  #insert(firing: Firing): void {
    const later = this.#firings.findIndex(
      (other, index) => other.slot > firing.slot && !(index === 0 && this.#isSending),
    );
    this.#firings.splice(later < 0 ? this.#firings.length : later, 0, firing);
  }
}
