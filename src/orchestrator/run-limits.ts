/**
 * Pauses schedules that have had as many runs as they may. The count itself lies in the lease record, and no slot beyond
 * it is fired; the pause only says so to everybody, and so it may come late, twice, or from a successor.
 */
import { messageOf, PunctualError } from "../core/errors.js";
import type { Clock, ScheduleStore } from "../core/ports.js";
import type { Schedule } from "../core/schedule.js";
import type { Logger } from "../runtime/log.js";
import { ScheduleEditor } from "./schedule-editor.js";

export interface RunLimitPorts {
  schedules: ScheduleStore;
  clock: Clock;
  shards: number;
  log: Logger;
}

const AUTHOR = "punctual";

export class RunLimits {
  readonly #editor: ScheduleEditor;
  readonly #log: Logger;
  readonly #pausing = new Set<string>();

  constructor(ports: RunLimitPorts) {
    this.#editor = new ScheduleEditor(ports);
    this.#log = ports.log;
  }

  /** @param schedules whose last run is fired */
  pause(schedules: readonly Schedule[]): void {
    for (const schedule of schedules) void this.#pauseOne(schedule);
  }

  async #pauseOne({ id, revision, maxRuns }: Schedule): Promise<void> {
    if (this.#pausing.has(id)) return;
    this.#pausing.add(id);
    const note = maxRuns === 1 ? "its one run is fired (maxRuns)" : `all ${maxRuns} runs are fired (maxRuns)`;
    const pause = { paused: true, pausedUntil: undefined, pausedBy: "max-runs", note } as const;
    try {
      const edit = { author: AUTHOR, ifRevision: revision };
      await this.#editor.change(id, edit, (existing) => ({ ...existing, ...pause }));
    } catch (error) {
      // It was changed or deleted; or it could not be asked, and the next commit asks again.
      const isChanged = error instanceof PunctualError && /conflict|not_found/.test(error.code);
      if (!isChanged)
        this.#log.warn({ scheduleId: id, error: messageOf(error) }, "a limit of runs is not told yet");
    } finally {
      this.#pausing.delete(id);
    }
  }
}
