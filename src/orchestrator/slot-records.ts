/**
 * Telling RUNS what became of slots, many in one record: which were fired, and which were not.
 *
 * The server could tell of each by republishing its message, but that stores every fire twice, which halves what
 * WORK takes a second. So a fire stays in the lease record until its slot record is stored: whatever crashes, it is
 * told, by its holder or by a successor that finds it there. So does a report, which is in the record of its shard as well
 * as under its run's id, so that whoever asks after all slots has few subjects to read.
 */
import type { Firing, Report } from "../core/lease.js";
import type { Clock, RunLog } from "../core/ports.js";
import { runIdOf } from "../protocol/names.js";
import { Alarm } from "../runtime/alarm.js";
import type { Logger } from "../runtime/log.js";

/** Long enough for the rush of an instant to be over, and for many to share a record. */
const GATHER_MS = 50;
const RETRY_MS = 1_000;
const MOST_PER_RECORD = 2_000;

/** By run id: the sequence in WORK, where it is known. What an orchestrator knows to be stored, and has not told. */
export type InWork = Map<string, number | null>;

/** What waits to be told. */
interface Landed {
  firing: Firing;
  runId: string;
  seq: number | null;
}

/** What happens when a record with it is stored. */
export interface SlotRecordNews {
  onTold(firing: Firing): void;
  onReported(report: Report): void;
}

export interface SlotRecordPorts {
  runs: RunLog;
  clock: Clock;
  log: Logger;
}

export class SlotRecords {
  readonly #ports: SlotRecordPorts;
  readonly #place: { shard: number; term: number };
  readonly #inWork: InWork;
  readonly #news: SlotRecordNews;
  readonly #retry: Alarm;
  #landed: Landed[] = [];
  #reports: Report[] = [];
  #number = 0;
  #telling = false;
  #isHurried = false;
  #cancelTimer: (() => void) | undefined;
  #stopped = false;

  /** @param inWork outlives the term: a doubt does not undo what was stored */
  constructor(
    ports: SlotRecordPorts,
    place: { shard: number; term: number },
    inWork: InWork,
    news: SlotRecordNews,
  ) {
    this.#ports = ports;
    this.#retry = new Alarm(ports.clock);
    this.#place = place;
    this.#inWork = inWork;
    this.#news = news;
  }

  /** The run's message is in WORK, or was. */
  add(firing: Firing, seq: number | null): void {
    const runId = runIdOf(firing.scheduleId, firing.slot);
    this.#inWork.set(runId, seq);
    if (this.#stopped) return;
    this.#landed.push({ firing, runId, seq });
    this.#tellSoon();
  }

  /** Of slots that were not fired, as the shard's record in the lease store has it. */
  report(report: Report): void {
    if (this.#stopped) return;
    this.#reports.push(report);
    this.#tellSoon();
  }

  /** From now on everything is told at once. */
  hurry(): void {
    this.#isHurried = true;
    void this.#tell();
  }

  /** What could not be told by now is left to the next term. */
  stop(): void {
    this.#stopped = true;
    this.#cancelTimer?.();
    this.#retry.ring();
  }

  #tellSoon(): void {
    if (this.#isHurried) void this.#tell();
    else this.#cancelTimer ??= this.#ports.clock.after(GATHER_MS, () => this.#gathered());
  }

  /** While a record is being stored, whoever does that goes on with what was gathered. */
  #gathered(): void {
    this.#cancelTimer = undefined;
    void this.#tell();
  }

  async #tell(): Promise<void> {
    if (this.#telling) return;
    this.#telling = true;
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    while (this.#landed.length + this.#reports.length > 0 && !this.#stopped)
      await this.#tellSome(this.#landed.splice(0, MOST_PER_RECORD), this.#reports.splice(0));
    this.#telling = false;
  }

  async #tellSome(landed: readonly Landed[], reports: readonly Report[]): Promise<void> {
    const { runs, log } = this.#ports;
    const { shard, term } = this.#place;
    const fired = landed.map(({ firing: { scheduleId, slot }, seq }) => ({ scheduleId, slot, seq }));
    const told = reports.length > 0 ? { fired, reports } : { fired };
    const record = { shard, term, msgId: `slots.${shard}/${term}/${this.#number++}`, ...told };
    while (!this.#stopped) {
      try {
        await runs.appendSlots(record);
        return this.#told(landed, reports);
      } catch (error) {
        if (this.#stopped) return;
        log.warn(
          { shard, error: (error as Error).message },
          "a slot record could not be stored: tried again",
        );
        await this.#retry.wait(RETRY_MS);
      }
    }
  }

  #told(landed: readonly Landed[], reports: readonly Report[]): void {
    if (this.#stopped) return;
    for (const { firing, runId } of landed) {
      this.#inWork.delete(runId);
      this.#news.onTold(firing);
    }
    for (const report of reports) this.#news.onReported(report);
  }
}
