/**
 * Pauses a schedule after so many failed runs in a row.
 *
 * Runs that failed for good have an event `dead` in RUNS. A durable consumer hands each to one orchestrator, which looks
 * back over the schedule's slots in RUNS and acknowledges only what it has dealt with: a crash at any point repeats the
 * look, and forgets nothing. What has to be counted is counted where it happened; nobody keeps a counter.
 */
import { messageOf } from "../core/errors.js";
import { shardOf } from "../core/hash.js";
import { isPausedAt } from "../core/policies.js";
import type { Clock, Delivery, DeliverySource, RunLog, ScheduleStore, Subscription } from "../core/ports.js";
import type { FireTimes, Instant, Schedule } from "../core/schedule.js";
import { previousFireTime } from "../core/time/previous.js";
import { limits } from "../protocol/limits.js";
import { parseRunId, runIdOf } from "../protocol/names.js";
import { runOfEvent } from "../protocol/subjects.js";
import type { Logger } from "../runtime/log.js";
import type { Definitions } from "./definitions.js";
import { ScheduleEditor } from "./schedule-editor.js";

export interface FailurePauserPorts {
  failures: DeliverySource;
  schedules: ScheduleStore;
  runs: RunLog;
  shards: number;
  clock: Clock;
  log: Logger;
}

const RETRY_MS = 1_000;
/** Slots that are looked back over: those that were skipped or are not over tell nothing. */
const LOOKS = 500;
const AUTHOR = "punctual";

export class FailurePauser {
  readonly #ports: FailurePauserPorts;
  readonly #definitions: Definitions;
  readonly #editor: ScheduleEditor;

  constructor(ports: FailurePauserPorts, definitions: Definitions) {
    this.#ports = ports;
    this.#definitions = definitions;
    this.#editor = new ScheduleEditor(ports);
  }

  start(): Promise<Subscription> {
    return this.#ports.failures.consume({
      concurrency: 64,
      onDelivery: (delivery) => this.#onFailure(delivery),
      onNotice: (text) => this.#ports.log.debug({ notice: text }, "failures"),
    });
  }

  async #onFailure(delivery: Delivery): Promise<void> {
    const { subject } = delivery;
    try {
      const run = parseRunId(runOfEvent(subject));
      if (run !== null) await this.#look(run.scheduleId, run.slot);
      delivery.ack();
    } catch (error) {
      this.#ports.log.warn({ subject, error: messageOf(error) }, "a failure was not looked at: tried again");
      delivery.nak(RETRY_MS);
    }
  }

  async #look(id: string, slot: Instant): Promise<void> {
    const { clock, log, schedules, shards } = this.#ports;
    const known = this.#definitions.get({ id, shard: shardOf(id, shards) });
    if (known === undefined || known.schedule.pauseOnFailure === 0) return;
    const schedule = await schedules.get(id);
    if (schedule === null || schedule.deleted || isPausedAt(schedule, clock.now())) return;
    if (schedule.pauseOnFailure === 0) return;
    const { times } = this.#definitions.compile(schedule);
    if (!(await this.#keepsFailing(schedule, times, slot))) return;
    await this.#pause(schedule, slot);
    log.warn(
      { scheduleId: id, runs: schedule.pauseOnFailure },
      "a schedule was paused: its runs keep failing",
    );
  }

  /** Only slots of this definition count: resuming it begins anew. */
  async #keepsFailing(schedule: Schedule, times: FireTimes, last: Instant): Promise<boolean> {
    let failed = 0;
    let slot: Instant | null = last;
    for (let looks = 0; slot !== null && slot > schedule.effectiveFrom && looks < LOOKS; looks++) {
      const end = await this.#endOf(runIdOf(schedule.id, slot));
      if (end === "succeeded") return false;
      if (end === "dead" && ++failed === schedule.pauseOnFailure) return true;
      slot = previousFireTime(times, slot);
    }
    return false;
  }

  async #endOf(runId: string): Promise<"dead" | "succeeded" | null> {
    const { runs } = this.#ports;
    const [dead, succeeded] = await Promise.all([runs.has(runId, "dead"), runs.has(runId, "succeeded")]);
    if (succeeded) return "succeeded";
    return dead ? "dead" : null;
  }

  /** Unless it has changed since it was read: then somebody else has said something about it, and it is looked at anew. */
  async #pause({ id, revision, pauseOnFailure }: Schedule, last: Instant): Promise<void> {
    const runs = pauseOnFailure === 1 ? "a run failed" : `${pauseOnFailure} runs in a row failed`;
    const note = `${runs}, the last ${runIdOf(id, last)}`.slice(0, limits.noteLength);
    const edit = { author: AUTHOR, ifRevision: revision };
    const pause = { paused: true, pausedUntil: undefined, pausedBy: "failures", note } as const;
    await this.#editor.change(id, edit, (existing) => ({ ...existing, ...pause }));
  }
}
