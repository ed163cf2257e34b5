/** What a program calls to make schedules and to enqueue jobs. */
import { randomUUID } from "node:crypto";
import type { ApiCaller, WorkMessage, WorkStream } from "../core/ports.js";
import type { Tracing } from "../core/tracing.js";
import { type Enqueued, type EnqueueRequest, enqueueRequest } from "../protocol/api.js";
import { enqueueMessage } from "../protocol/enqueue-message.js";
import type { Names } from "../protocol/names.js";
import { parseWith } from "../protocol/parse.js";
import { Admission, type AdmissionPorts } from "../runtime/admission.js";
import { enqueue } from "../runtime/enqueue.js";
import { Backfills } from "./backfills.js";
import { Calendars } from "./calendars.js";
import { pipeline } from "./pipeline.js";
import { Queues } from "./queues.js";
import { Runs } from "./runs.js";
import { Schedules } from "./schedules.js";

/** Jobs that `enqueueMany` has begun and whose outcome nobody has taken yet. */
const PIPELINE_WINDOW = 2_048;

export interface ClientPorts extends AdmissionPorts {
  api: ApiCaller;
  work: WorkStream;
  names: Names;
  /** Of the server, in bytes. */
  maxPayload: number;
  tracing: Tracing;
}

/** What became of one job of many; `error` keeps the others going. */
export type EnqueueOutcome =
  | ({ kind: "enqueued"; index: number } & Enqueued)
  | { kind: "failed"; index: number; error: unknown };

export class Client {
  readonly schedules: Schedules;
  readonly backfills: Backfills;
  readonly calendars: Calendars;
  readonly queues: Queues;
  readonly runs: Runs;
  readonly #ports: ClientPorts;
  readonly #newId: () => string;
  readonly #admission: Admission;

  constructor(ports: ClientPorts, options: { newId?: () => string; author?: string | undefined } = {}) {
    this.calendars = new Calendars(ports.api);
    this.queues = new Queues(ports.api);
    this.runs = new Runs(ports.api, options.author);
    this.schedules = new Schedules(ports.api, options.author);
    this.backfills = new Backfills(ports.api, options.author);
    this.#ports = ports;
    this.#admission = new Admission(ports);
    this.#newId = options.newId ?? randomUUID;
  }

  /**
   * Puts a job on its queue, without an orchestrator in between; resolves when the server has stored it. A
   * queue that does not exist is made, with the default settings.
   *
   * Throws `invalid` (the fields are named, nothing was sent), `full` (also when the queue holds its `maxDepth`), `denied`, or `timeout`: then the job may
   * or may not have been stored, and the same `jobId` can safely be enqueued again.
   */
  async enqueue(request: EnqueueRequest): Promise<Enqueued> {
    const parsed = parseWith(enqueueRequest, request, "enqueue");
    const { queue, unique, uniqueFor: uniqueForMs } = parsed;
    const settings = await this.#admission.settings(queue);
    const { names, maxPayload } = this.#ports;
    const context = { names, settings, maxPayload, newId: this.#newId };
    const { runId, message } = enqueueMessage(parsed, context);
    this.#admission.checkRoom(queue);
    const { accepted } = await this.#admission.within({ queue, runId, unique, uniqueForMs }, async () => ({
      accepted: await this.#send(queue, runId, message),
    }));
    return { runId, accepted };
  }

  /**
   * Enqueues many jobs at once, as fast as the server takes them. Outcomes come in the order of the requests;
   * as long as nobody takes them, no more than a few thousand jobs are begun. When `requests` itself throws, the
   * outcomes of what came before are given first.
   */
  async *enqueueMany(
    requests: Iterable<EnqueueRequest> | AsyncIterable<EnqueueRequest>,
  ): AsyncGenerator<EnqueueOutcome, void, undefined> {
    let count = 0;
    yield* pipeline(requests, PIPELINE_WINDOW, async (request): Promise<EnqueueOutcome> => {
      const index = count++;
      try {
        return { kind: "enqueued", index, ...(await this.enqueue(request)) };
      } catch (error) {
        return { kind: "failed", index, error };
      }
    });
  }

  async #send(queue: string, runId: string, message: WorkMessage): Promise<boolean> {
    const { work, tracing } = this.#ports;
    const sending = tracing.enqueue({ queue, runId }, message.headers);
    try {
      const accepted = await enqueue(work, { ...message, headers: sending.headers });
      sending.end();
      return accepted;
    } catch (error) {
      sending.end(error);
      throw error;
    }
  }
}
