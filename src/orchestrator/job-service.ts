/** Jobs in the API: enqueued, and as long as they wait for their time, cancelled and rescheduled. */
import { PunctualError } from "../core/errors.js";
import { shardOf } from "../core/hash.js";
import type { RunHistory } from "../core/lookback.js";
import type { Clock, RunLog, WorkStream } from "../core/ports.js";
import type { RunsReader } from "../core/runs-reader.js";
import { minuteOf, type Timer, type TimerStore } from "../core/timer.js";
import type { ApiParsed, ApiResponse } from "../protocol/api.js";
import { askedOf, enqueueMessage } from "../protocol/enqueue-message.js";
import type { Names } from "../protocol/names.js";
import { movedTimer, parseTimerId, timerIdOf } from "../protocol/timer-message.js";
import type { Admission } from "../runtime/admission.js";
import { putTimer } from "../runtime/enqueue.js";
import { type JobListPorts, listJobs } from "./job-list.js";
import { cancelTimer } from "./timer-cancellation.js";
import { tellCancelled } from "./told-cancelled.js";

export interface JobServicePorts extends JobListPorts {
  clock: Clock;
  names: Names;
  shards: number;
  work: WorkStream;
  timers: TimerStore;
  runs: RunLog;
  history: RunHistory;
  reader: RunsReader;
  admission: Admission;
  maxPayload: number;
  newNonce(): string;
}

export class JobService {
  readonly #ports: JobServicePorts;

  constructor(ports: JobServicePorts) {
    this.#ports = ports;
  }

  async enqueue(request: ApiParsed<"job.enqueue">): Promise<ApiResponse<"job.enqueue">> {
    const { admission, names, shards, maxPayload, clock, newNonce } = this.#ports;
    const { queue, unique, uniqueFor: uniqueForMs } = request;
    const settings = await admission.settings(queue);
    const context = { names, shards, now: clock.now(), settings, maxPayload, newId: newNonce };
    return await admission.admit(
      this.#ports,
      { queue, unique, uniqueForMs },
      enqueueMessage(request, context),
    );
  }

  list(request: ApiParsed<"job.list">): Promise<ApiResponse<"job.list">> {
    return listJobs(this.#ports, request);
  }

  /** Answered when the job can no longer be queued. */
  async cancel({ timer: id }: ApiParsed<"job.cancel">): Promise<ApiResponse<"job.cancel">> {
    const { timers, runs } = this.#ports;
    const timer = await this.#find(id);
    if (!(await cancelTimer(this.#ports, timer, "cancelled"))) throw tooLate(id);
    const { runId, seq, at } = timer;
    await tellCancelled(runs, { runId, at: "timers", seq }, at);
    await timers.remove(seq);
    return { runId };
  }

  /**
   * First it waits for the new time too, then it is cancelled for the old one: a crash in between leaves a job that
   * is queued twice, never one that is lost; the same request again mends it.
   */
  async reschedule(request: ApiParsed<"job.reschedule">): Promise<ApiResponse<"job.reschedule">> {
    const { timers, clock } = this.#ports;
    const timer = await this.#find(request.timer);
    const at = Math.max(askedOf(request, clock.now()), clock.now());
    const { runId } = timer;
    const id = timerIdOf({ runId, at });
    if (id === request.timer) return { runId, timer: id };
    const stored = await timers.read(timer.seq);
    if (stored === null) throw tooLate(request.timer);
    const moved = movedTimer(timer, stored, at, this.#ports);
    await putTimer(timers, moved);
    if (await cancelTimer(this.#ports, timer, "rescheduled")) {
      await timers.remove(timer.seq);
      return { runId, timer: id };
    }
    const twin = await this.#find(id);
    await cancelTimer(this.#ports, twin, "rescheduled");
    await timers.remove(twin.seq);
    throw tooLate(request.timer);
  }

  /** Its id says where to look. */
  async #find(id: string): Promise<Timer> {
    const { timers, shards } = this.#ports;
    const { runId, at } = parseTimerId(id);
    const found = await timers.of(shardOf(runId, shards), minuteOf(at));
    const timer = found.find((one) => one.runId === runId && one.at === at);
    if (timer === undefined)
      throw new PunctualError(
        "not_found",
        `timer ${id} does not wait: it was never there, was cancelled, or its time has come`,
      );
    return timer;
  }
}

const tooLate = (id: string): PunctualError =>
  new PunctualError("conflict", `timer ${id}: its time has come, the job was queued`);
