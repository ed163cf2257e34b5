/**
 * What a handler tells while it runs, its log lines and its progress, stored in RUNS in batches.
 *
 * One event is stored at a time, and the end of the attempt waits for the last of them: RUNS has everything in its
 * order. It is for people: what cannot be stored in the end is left out, and the attempt ends all the same.
 */
import { messageOf } from "../core/errors.js";
import type { RunEventType } from "../protocol/events.js";
import type { Logger } from "../runtime/log.js";
import type { LogLine } from "../runtime/run-log.js";
import type { InHand } from "./in-hand.js";
import { type Progress, readProgress } from "./progress.js";
import { type KeptLine, RunLines } from "./run-lines.js";
import type { Workplace } from "./workplace.js";

interface Entry {
  type: RunEventType & ("log" | "progress");
  data: { lines: readonly KeptLine[] } | { value: unknown };
}

/** While the handler runs, RUNS is told about so often. */
const TELL_MS = 1_000;

export class Journal {
  readonly #place: Workplace;
  readonly #hand: InHand;
  readonly #lines = new RunLines();
  #log: Logger | undefined;
  /** The newest that is not stored. */
  #progress: { value: Progress } | undefined;
  /** Stored under this number, however often it is tried: its lines do not change any more. */
  #entry: Entry | undefined;
  #number = 0;
  #telling: Promise<void> | undefined;
  #toldAt = Number.NEGATIVE_INFINITY;
  #closed = false;

  constructor(place: Workplace, hand: InHand) {
    this.#place = place;
    this.#hand = hand;
  }

  get log(): Logger {
    const { runId, attempt } = this.#hand;
    this.#log ??= this.#place.logs.of({ runId, attempt }, (line) => this.#onLine(line));
    return this.#log;
  }

  /** @throws invalid when it is no progress */
  progress(value: Progress): void {
    const copy = readProgress(value);
    if (this.#isKept) this.#progress = { value: copy };
  }

  /** Stores what there is to tell, unless it was done a moment ago or is being done. */
  tell(): void {
    const now = this.#place.clock.monotonic();
    if (now - this.#toldAt < TELL_MS) return;
    this.#toldAt = now;
    this.#telling ??= this.#store()
      .catch((error) => this.#warn(error, "what a run tells could not be stored: tried again"))
      .finally(() => {
        this.#telling = undefined;
      });
  }

  /** Stores the rest; what comes later is too late. Never rejects. */
  async finish(): Promise<void> {
    this.#closed = true;
    this.#lines.close(this.#place.clock.now());
    await this.#telling;
    try {
      await this.#hand.persistence.of("storing what a run tells", () => this.#store());
    } catch (error) {
      this.#warn(error, "what a run told is not in its history");
    }
  }

  get #isKept(): boolean {
    return !this.#closed && this.#hand.isTold("log");
  }

  #onLine(line: LogLine): void {
    if (this.#isKept) this.#lines.add(line);
  }

  async #store(): Promise<void> {
    for (this.#entry ??= this.#next(); this.#entry !== undefined; this.#entry = this.#next()) {
      const { type, data } = this.#entry;
      const { attempt } = this.#hand;
      await this.#hand.append(type, `${type}/${attempt}.${this.#number}`, { attempt, ...data });
      this.#number++;
    }
  }

  #next(): Entry | undefined {
    const lines = this.#lines.takeBatch();
    const { redact } = this.#place;
    if (lines.length > 0)
      return { type: "log", data: { lines: lines.map((line) => redact(line) as KeptLine) } };
    const progress = this.#progress;
    this.#progress = undefined;
    return progress && { type: "progress", data: { value: redact(progress.value) } };
  }

  #warn(error: unknown, what: string): void {
    this.#place.log.warn({ ...this.#hand.ids, error: messageOf(error) }, what);
  }
}
