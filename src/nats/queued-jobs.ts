/** What the server itself tells of jobs that it stored in WORK: their headers, in RUNS. */
import type { JetStreamClient, JetStreamManager } from "@nats-io/jetstream";
import type { MsgHdrs } from "@nats-io/transport-node";
import type { QueuedJobs } from "../core/dead-letter-store.js";
import { headers as h } from "../protocol/headers.js";
import type { Names } from "../protocol/names.js";
import { scan, storedSince } from "./scan.js";

export class NatsQueuedJobs implements QueuedJobs {
  readonly #js: JetStreamClient;
  readonly #jsm: JetStreamManager;
  readonly #names: Names;

  constructor(js: JetStreamClient, jsm: JetStreamManager, names: Names) {
    this.#js = js;
    this.#jsm = jsm;
    this.#names = names;
  }

  async has(workSubject: string, runId: string, since: number, life?: number): Promise<boolean> {
    const subject = this.#names.queued(workSubject);
    const last = await this.#jsm.streams.getMessage(this.#names.runs, { last_by_subj: subject });
    if (last === null || last.time.getTime() < since) return false;
    const isIts = (told: MsgHdrs | undefined) =>
      told?.get(h.runId) === runId && (life === undefined || told.get(h.parentLife) === String(life));
    return isIts(last.header) || (await this.#hadBefore(subject, isIts, since));
  }

  /** Another job has had the subject since. */
  async #hadBefore(
    subject: string,
    isIts: (told: MsgHdrs | undefined) => boolean,
    since: number,
  ): Promise<boolean> {
    const from = { filter_subjects: subject, ...storedSince(since) };
    let isFound = false;
    await scan({ js: this.#js, stream: this.#names.runs, from }, ({ headers }) => {
      isFound = isIts(headers);
      return isFound;
    });
    return isFound;
  }
}
