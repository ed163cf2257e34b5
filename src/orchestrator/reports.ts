/**
 * Telling RUNS of slots that were not fired: after the commit that made it true, and from the record. Each is told under
 * its run's id, and then in a slot record of the shard.
 */
import type { Backlog, Firing, Report } from "../core/lease.js";
import type { Clock, RunLog } from "../core/ports.js";
import type { OrchestratorTelemetry } from "../core/telemetry.js";
import { limits } from "../protocol/limits.js";
import { runIdOf } from "../protocol/names.js";
import type { Logger } from "../runtime/log.js";

const RETRY_MS = 1_000;

export interface ReportPorts {
  runs: RunLog;
  clock: Clock;
  log: Logger;
  telemetry: OrchestratorTelemetry;
}

export interface ReportNews {
  /** It has an event: now it belongs into a slot record, which is said to `told`. */
  onEvent(report: Report): void;
  /** There is room for reports again. */
  onRoom(): void;
}

export class Reports {
  readonly #runs: RunLog;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #telemetry: OrchestratorTelemetry;
  readonly #news: ReportNews;
  /** In the record, or about to be with the next commit. */
  readonly #untold = new Set<Report>();
  readonly #telling = new Set<Report>();
  #stopped = false;

  constructor(ports: ReportPorts, news: ReportNews) {
    this.#runs = ports.runs;
    this.#clock = ports.clock;
    this.#log = ports.log;
    this.#telemetry = ports.telemetry;
    this.#news = news;
  }

  /** What the next record carries. */
  get untold(): Report[] {
    return [...this.#untold];
  }

  get isFull(): boolean {
    return this.#untold.size >= limits.reportsPerShard;
  }

  add(report: Report): void {
    this.#untold.add(report);
  }

  addAll(reports: Iterable<Report>): void {
    for (const report of reports) this.#untold.add(report);
  }

  /** Tells reports that are in a record that was written; each until it is told. */
  tell(reports: Iterable<Report>): void {
    for (const report of reports) {
      this.#untold.add(report);
      if (this.#telling.has(report)) continue;
      this.#telling.add(report);
      void this.#tellOne(report);
    }
  }

  /** A slot record has it. */
  told(report: Report): void {
    const wasFull = this.isFull;
    this.#untold.delete(report);
    this.#telling.delete(report);
    if (wasFull) this.#news.onRoom();
  }

  /** What could not be told by now is left to the successor, who finds it in the record. */
  stop(): void {
    this.#stopped = true;
  }

  async #tellOne(report: Report): Promise<void> {
    const { scheduleId, outcome, reason, from, to, count } = report;
    const runId = runIdOf(scheduleId, from);
    const data = {
      scheduleId,
      reason,
      from: new Date(from).toISOString(),
      to: new Date(to).toISOString(),
      count,
    };
    try {
      await this.#runs.append({ runId, type: outcome, msgId: `${runId}/${outcome}/${to}`, data });
      this.#telemetry.reported(outcome, count);
      this.#news.onEvent(report);
    } catch (error) {
      if (this.#stopped) return;
      this.#log.warn(
        { runId, scheduleId, error: (error as Error).message },
        "a report could not be stored: tried again",
      );
      this.#clock.after(RETRY_MS, () => {
        if (!this.#stopped) void this.#tellOne(report);
      });
    }
  }
}

export function reportOf(firing: Firing, outcome: Report["outcome"], reason: string): Report {
  const { scheduleId, slot } = firing;
  return { scheduleId, outcome, reason, from: slot, to: slot, count: 1 };
}

/** Slots of a definition that nobody knows any more: how many there were cannot be told. */
export function lostReportOf({ scheduleId, after, until }: Backlog): Report {
  const reason = "its definition is no longer kept";
  return { scheduleId, outcome: "missed", reason, from: after + 1, to: until, count: 1 };
}
