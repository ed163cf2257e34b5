/** What the process can say of itself. */
import { type IntervalHistogram, monitorEventLoopDelay } from "node:perf_hooks";
import type { Families } from "./families.js";

const RESOLUTION_MS = 10;

export class ProcessFigures {
  readonly #delay: IntervalHistogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  #cpuSeconds = 0;

  constructor() {
    this.#delay.enable();
  }

  /** The delay of the event loop is that since the last time this was asked. */
  put({ eventLoopLag, cpu, memory, startTime }: Families): void {
    const delay = this.#delay;
    for (const [at, percentile] of [
      ["p50", 50],
      ["p99", 99],
      ["max", 100],
    ] as const)
      eventLoopLag.set({ at }, this.#lagOf(delay.percentile(percentile)));
    delay.reset();
    const { user, system } = process.cpuUsage();
    const cpuSeconds = (user + system) / 1e6;
    cpu.inc(cpuSeconds - this.#cpuSeconds);
    this.#cpuSeconds = cpuSeconds;
    memory.set(process.memoryUsage.rss());
    startTime.set(performance.timeOrigin / 1_000);
  }

  stop(): void {
    this.#delay.disable();
  }

  /** The timer that measures counts its own interval in; nothing measured yet is no delay. */
  #lagOf(nanoseconds: number): number {
    return Math.max(0, nanoseconds / 1e9 - RESOLUTION_MS / 1_000);
  }
}
