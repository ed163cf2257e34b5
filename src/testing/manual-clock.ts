/** Clocks that are turned by hand, so that tests never sleep. */
import { Heap } from "../core/heap.js";
import type { Clock } from "../core/ports.js";
import type { Instant } from "../core/schedule.js";

interface Timer {
  at: number;
  /** Timers of one instant ring in the order in which they were set. */
  order: number;
  callback: (() => void) | undefined;
}

/** 2026-01-01T00:00:00Z. */
export const DEFAULT_START: Instant = 1_767_225_600_000;

/** Time passes only by `advance` and `pass`; wall time can also jump, as clocks do when they are set. */
export class ManualClock implements Clock {
  readonly #timers = new Heap<Timer>((a, b) => a.at < b.at || (a.at === b.at && a.order < b.order));
  #elapsed = 0;
  #wallAtZero: Instant;
  #order = 0;

  constructor(start: Instant = DEFAULT_START) {
    this.#wallAtZero = start;
  }

  now(): Instant {
    return Math.floor(this.#wallAtZero + this.#elapsed);
  }

  monotonic(): number {
    return this.#elapsed;
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer: Timer = { at: this.#elapsed + Math.max(0, delayMs), order: this.#order++, callback };
    this.#timers.push(timer);
    return () => {
      timer.callback = undefined;
    };
  }

  /** When the next timer rings, on the monotonic scale; null when none is set. */
  nextTimer(): number | null {
    for (let top = this.#timers.peek(); top !== undefined; top = this.#timers.peek()) {
      if (top.callback !== undefined) return top.at;
      this.#timers.pop();
    }
    return null;
  }

  /** Lets time pass and rings what falls due on the way, in order. Promises settle only afterwards. */
  advance(ms: number): void {
    const end = this.#elapsed + ms;
    while (this.#ringNext(end)) {
      // until nothing is due
    }
    this.#elapsed = end;
  }

  /** Lets time pass as it does for a program: what a timer sets in motion goes on before the next one rings. */
  async pass(ms: number): Promise<void> {
    const end = this.#elapsed + ms;
    do await settled();
    while (this.#ringNext(end));
    this.#elapsed = end;
    await settled();
  }

  /** Moves the wall time, forward or back; elapsed time and timers stay as they are. */
  jump(ms: number): void {
    this.#wallAtZero += ms;
  }

  setNow(instant: Instant): void {
    this.jump(instant - this.now());
  }

  #ringNext(end: number): boolean {
    const at = this.nextTimer();
    if (at === null || at > end) return false;
    const { callback } = this.#timers.pop() as Timer;
    this.#elapsed = Math.max(this.#elapsed, at);
    callback?.();
    return true;
  }
}

/**
 * The clock of one machine among several: elapsed time passes as on the clock it is made from, wall time is its
 * own. While it is suspended, its timers do not ring, as those of a process that was stopped by SIGSTOP.
 */
export class MachineClock implements Clock {
  readonly #source: Clock;
  #wallAtZero: Instant;
  #held: (() => void)[] | undefined;

  /** @param offsetMs how far its wall time is ahead of the source's now */
  constructor(source: Clock, offsetMs = 0) {
    this.#source = source;
    this.#wallAtZero = source.now() - source.monotonic() + offsetMs;
  }

  now(): Instant {
    return Math.floor(this.#wallAtZero + this.#source.monotonic());
  }

  monotonic(): number {
    return this.#source.monotonic();
  }

  after(delayMs: number, callback: () => void): () => void {
    let wanted = true;
    const ring = () => {
      if (!wanted) return;
      if (this.#held !== undefined) this.#held.push(ring);
      else callback();
    };
    const cancel = this.#source.after(delayMs, ring);
    return () => {
      wanted = false;
      cancel();
    };
  }

  jump(ms: number): void {
    this.#wallAtZero += ms;
  }

  suspend(): void {
    this.#held ??= [];
  }

  /** Rings what fell due meanwhile. */
  resume(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const ring of held) ring();
  }
}

/** Resolves when every promise that can settle by itself has settled. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
