/**
 * How many slots were fired of the schedules that have a limit of runs.
 *
 * The counts lie in the lease record and change only with it: the write that decides a slot counts it, so that no
 * takeover counts twice or forgets.
 */
import type { Instant, Schedule } from "./schedule.js";

export interface RunCount {
  scheduleId: string;
  /** The definition's, when counting began: another one begins anew. */
  countsFrom: Instant;
  fired: number;
}

type Counted = Pick<Schedule, "id" | "maxRuns" | "countsFrom">;

export class RunCounts {
  readonly #counts = new Map<string, RunCount>();

  constructor(counts: readonly RunCount[] = []) {
    for (const count of counts) this.#counts.set(count.scheduleId, count);
  }

  /** What the record carries. */
  get all(): RunCount[] {
    return [...this.#counts.values()];
  }

  isExhausted(schedule: Counted): boolean {
    return schedule.maxRuns > 0 && this.#of(schedule) >= schedule.maxRuns;
  }

  /** A slot was decided to be fired. */
  add(schedule: Counted, slot: Instant): void {
    if (schedule.maxRuns > 0 && slot > schedule.countsFrom) this.#set(schedule, this.#of(schedule) + 1);
  }

  /** It was not, after all. */
  undo(scheduleId: string, slot: Instant): void {
    const count = this.#counts.get(scheduleId);
    if (count === undefined || slot <= count.countsFrom) return;
    this.#counts.set(scheduleId, { ...count, fired: Math.max(0, count.fired - 1) });
  }

  /** A schedule that was changed, or is no more, may need its count no longer. */
  adopt(schedule: Counted & Pick<Schedule, "deleted" | "pausedBy">): void {
    const { id, maxRuns, countsFrom, deleted, pausedBy } = schedule;
    const isOf = this.#counts.get(id)?.countsFrom === countsFrom;
    if (maxRuns === 0 || deleted || pausedBy === "max-runs" || !isOf) this.#counts.delete(id);
  }

  #of({ id, countsFrom }: Counted): number {
    const count = this.#counts.get(id);
    return count?.countsFrom === countsFrom ? count.fired : 0;
  }

  #set({ id, countsFrom }: Counted, fired: number): void {
    this.#counts.set(id, { scheduleId: id, countsFrom, fired });
  }
}
