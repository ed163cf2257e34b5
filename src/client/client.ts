/** What a program calls to make schedules and to enqueue jobs. */
import { randomUUID } from "node:crypto";
import type { BeatStore } from "../core/heartbeat.js";
import type { ApiCaller, WorkMessage, WorkStream } from "../core/ports.js";
import type { QueueSettings } from "../core/queue.js";
import type { Instant } from "../core/schedule.js";
import type { NewJob, TimerStore } from "../core/timer.js";
import type { Sending, Tracing } from "../core/tracing.js";
import type { ApiResponse } from "../protocol/api.js";
import type { Enqueued, EnqueueRequest, ParsedEnqueueRequest } from "../protocol/enqueue-input.js";
import { enqueueMessage } from "../protocol/enqueue-message.js";
import type { JobRow } from "../protocol/job-api.js";
import type { Names } from "../protocol/names.js";
import { readEnqueueRequest } from "../protocol/plain-request.js";
import { Admission, type AdmissionPorts } from "../runtime/admission.js";
import { systemClock } from "../runtime/clock.js";
import { Alerts } from "./alerts.js";
import { Backfills } from "./backfills.js";
import { Calendars } from "./calendars.js";
import { DeadLetters } from "./dead-letters.js";
import { Groups } from "./groups.js";
import { Heartbeats } from "./heartbeats.js";
import type { EnqueueOutcome } from "./outcome.js";
import { pipeline } from "./pipeline.js";
import { Queues } from "./queues.js";
import { ask, given, isoOf } from "./requests.js";
import { Runs } from "./runs.js";
import { Schedules } from "./schedules.js";

/**
 * Jobs that `enqueueMany` has begun and whose outcome nobody has taken yet. No more than may be unanswered: those would
 * only wait, and garbage collection has the more work the more there are.
 */
const PIPELINE_WINDOW = 1_024;

export interface ClientPorts extends AdmissionPorts {
  api: ApiCaller;
  work: WorkStream;
  timers: Pick<TimerStore, "put" | "ready">;
  beats: Pick<BeatStore, "beat">;
  shards: number;
  names: Names;
  /** Of the server, in bytes. */
  maxPayload: number;
  tracing: Tracing;
}

/** Which jobs for later are meant; all that is given must hold. */
export interface WaitingFilter {
  queue?: string | undefined;
  /** When they are due: not earlier, not later. Default: from a day ago, to any time. */
  from?: Date | Instant | undefined;
  to?: Date | Instant | undefined;
}

export class Client {
  readonly schedules: Schedules;
  readonly backfills: Backfills;
  readonly calendars: Calendars;
  readonly queues: Queues;
  readonly runs: Runs;
  readonly deadLetters: DeadLetters;
  readonly alerts: Alerts;
  readonly heartbeats: Heartbeats;
  readonly groups: Groups;
  readonly #ports: ClientPorts;
  readonly #newId: () => string;
  readonly #admission: Admission;

  constructor(ports: ClientPorts, options: { newId?: () => string; author?: string | undefined } = {}) {
    this.calendars = new Calendars(ports.api);
    this.heartbeats = new Heartbeats(ports.api, ports.beats);
    this.alerts = new Alerts(ports.api);
    this.queues = new Queues(ports.api);
    this.runs = new Runs(ports.api, options.author);
    this.schedules = new Schedules(ports.api, options.author);
    this.backfills = new Backfills(ports.api, options.author);
    this.deadLetters = new DeadLetters(ports.api, systemClock, options.author);
    this.#ports = ports;
    this.#admission = new Admission(ports);
    this.#newId = options.newId ?? randomUUID;
    this.groups = new Groups(ports.api, (requests) => this.enqueueMany(requests), this.#newId);
  }

  /**
   * Puts a job on its queue, without an orchestrator in between; resolves when the server has stored it. A
   * queue that does not exist is made, with the default settings.
   *
   * Throws `invalid` (the fields are named, nothing was sent), `full` (also when the queue holds its `maxDepth`), `denied`, or `timeout`: then the job may
   * or may not have been stored, and the same `jobId` can safely be enqueued again.
   */
  enqueue(request: EnqueueRequest): Promise<Enqueued> {
    try {
      const parsed = readEnqueueRequest(request);
      const settings = this.#admission.settings(parsed.queue);
      return settings instanceof Promise
        ? settings.then((known) => this.#send(parsed, known))
        : this.#send(parsed, settings);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Jobs that wait for their time, the next ones first, page after page, for as long as somebody takes them. Those of
   * one minute come in no particular order across pages.
   */
  async *waiting(
    filter: WaitingFilter = {},
    options: { pageSize?: number | undefined } = {},
  ): AsyncGenerator<JobRow, void, undefined> {
    const { queue, from, to } = filter;
    let after: string | null = null;
    do {
      const page: ApiResponse<"job.list"> = await ask(
        this.#ports.api,
        "job.list",
        given({
          queue,
          from: from === undefined ? undefined : isoOf(from, "from"),
          to: to === undefined ? undefined : isoOf(to, "to"),
          limit: options.pageSize,
          after: after ?? undefined,
        }),
      );
      yield* page.jobs;
      after = page.next;
    } while (after !== null);
  }

  /**
   * Cancels a job that waits for its time, by what `enqueue` answered as `timer`; resolves when it can no longer be
   * queued. Throws `conflict` when its time has come, `not_found` when it does not wait.
   */
  async cancel(timer: string): Promise<void> {
    await ask(this.#ports.api, "job.cancel", { timer });
  }

  /**
   * Lets a job that waits for its time wait for another one; its run id stays. Answers what it is known by from now
   * on. Throws as `cancel` does.
   */
  reschedule(
    timer: string,
    when: { at: string } | { delay: string | number },
  ): Promise<{ runId: string; timer: string }> {
    return ask(this.#ports.api, "job.reschedule", { timer, ...when });
  }

  /**
   * Enqueues many jobs at once, as fast as the server takes them. Outcomes come in the order of the requests;
   * as long as nobody takes them, no more than about a thousand jobs are begun. When `requests` itself throws, the
   * outcomes of what came before are given first.
   */
  enqueueMany(
    requests: Iterable<EnqueueRequest> | AsyncIterable<EnqueueRequest>,
  ): AsyncIterableIterator<EnqueueOutcome, void, undefined> {
    let count = 0;
    return pipeline(requests, PIPELINE_WINDOW, (request): Promise<EnqueueOutcome> => {
      const index = count++;
      return this.enqueue(request).then(
        (job) => ({ kind: "enqueued", index, ...job }),
        (error) => ({ kind: "failed", index, error }),
      );
    });
  }

  /**
   * Not async, and nothing on the way of a plain job is: what a job holds while it waits for the server is what garbage
   * collection has the most work with, and there may be a hundred thousand a second.
   */
  #send(request: ParsedEnqueueRequest, settings: QueueSettings): Promise<Enqueued> {
    const { queue, unique, uniqueFor: uniqueForMs } = request;
    const { names, shards, clock, maxPayload, tracing } = this.#ports;
    const context = { names, shards, now: clock.now(), settings, maxPayload, newId: this.#newId };
    const job = enqueueMessage(request, context);
    const sending = tracing.enqueue({ queue, runId: job.runId }, job.work.headers);
    const keyed = { queue, unique, uniqueForMs };
    return sending === null
      ? this.#admission.admit(this.#ports, keyed, job)
      : untilSent(sending, this.#admission.admit(this.#ports, keyed, traced(job, sending)));
  }
}

async function untilSent<T>(sending: Sending, sent: Promise<T>): Promise<T> {
  try {
    const answer = await sent;
    sending.end();
    return answer;
  } catch (error) {
    sending.end(error);
    throw error;
  }
}

/** The job with the context sent along. */
function traced(job: NewJob, { headers }: Sending): NewJob {
  const { work, waiting } = job;
  if (headers === work.headers) return job;
  const along = <M extends WorkMessage>(message: M): M => ({
    ...message,
    headers: { ...message.headers, ...headers },
  });
  const later = waiting && { waiting: { ...waiting, message: along(waiting.message) } };
  return { ...job, work: along(work), ...later };
}
