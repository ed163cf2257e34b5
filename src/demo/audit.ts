/**
 * The independent check: which slots should have been, by the definitions, against what the workers received.
 *
 * It shares no code with the scheduler: cron lines are walked by `cron-parser` itself.
 */
import { CronExpressionParser } from "cron-parser";

/** A schedule as it was put, and when. */
export interface Audited {
  id: string;
  cron?: { expression: string; timeZone: string };
  everyMs?: number;
  phaseMs?: number;
  /** Slots after this instant must fire. */
  from: number;
}

/** One start of a handler. */
export interface Receipt {
  scheduleId: string;
  /** Milliseconds since the epoch. */
  fireTime: number;
  startedAt: number;
  attempt: number;
}

export interface Verdict {
  /** Slots that reached a handler. */
  fired: number;
  missed: number;
  doubled: number;
  /** A few of each, for people. */
  examples: string[];
  latenessMs: Percentiles;
}

export interface Percentiles {
  p50: number;
  p99: number;
  max: number;
}

export class Audit {
  readonly #schedules = new Map<string, Audited>();
  readonly #starts = new Map<string, Receipt[]>();

  add(schedule: Audited): void {
    this.#schedules.set(schedule.id, schedule);
  }

  receive(receipt: Receipt): void {
    const key = keyOf(receipt.scheduleId, receipt.fireTime);
    const starts = this.#starts.get(key);
    if (starts === undefined) this.#starts.set(key, [receipt]);
    else starts.push(receipt);
  }

  /** Slots up to `until` that no handler has started. */
  missing(until: number): string[] {
    const missing: string[] = [];
    for (const schedule of this.#schedules.values()) {
      for (const slot of slotsOf(schedule, until)) {
        const key = keyOf(schedule.id, slot);
        if (!this.#starts.has(key)) missing.push(key);
      }
    }
    return missing;
  }

  verdict(until: number): Verdict {
    const missing = this.missing(until);
    const receipts = [...this.#starts.values()];
    const doubled = receipts.filter((starts) => starts.length > 1);
    const lateness = receipts.map(([first]) => (first as Receipt).startedAt - (first as Receipt).fireTime);
    return {
      fired: receipts.length,
      missed: missing.length,
      doubled: doubled.length,
      examples: [
        ...missing.slice(0, 5).map((key) => `missed ${key}`),
        ...doubled.slice(0, 5).map((starts) => `doubled ${describe(starts)}`),
      ],
      latenessMs: percentiles(lateness),
    };
  }
}

/** Instants after `schedule.from`, up to `until`. */
export function slotsOf(schedule: Audited, until: number): number[] {
  const slots: number[] = [];
  if (schedule.everyMs !== undefined) {
    const phase = schedule.phaseMs ?? 0;
    const first = (Math.floor((schedule.from - phase) / schedule.everyMs) + 1) * schedule.everyMs + phase;
    for (let slot = first; slot <= until; slot += schedule.everyMs) slots.push(slot);
    return slots;
  }
  const { expression, timeZone } = schedule.cron as { expression: string; timeZone: string };
  const cron = CronExpressionParser.parse(expression, { currentDate: new Date(schedule.from), tz: timeZone });
  for (let slot = cron.next().getTime(); slot <= until; slot = cron.next().getTime()) slots.push(slot);
  return slots;
}

export function percentiles(values: readonly number[]): Percentiles {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return { p50: round(at(0.5)), p99: round(at(0.99)), max: round(sorted.at(-1) ?? 0) };
}

const round = (ms: number): number => Math.round(ms * 10) / 10;
const keyOf = (id: string, slot: number): string => `${id} at ${new Date(slot).toISOString()}`;

function describe(starts: readonly Receipt[]): string {
  const [first] = starts as [Receipt];
  const times = starts.map(
    (start) => `attempt ${start.attempt} at ${new Date(start.startedAt).toISOString()}`,
  );
  return `${keyOf(first.scheduleId, first.fireTime)}: ${times.join(", ")}`;
}
