/** Puts a job that follows upon others into its queue, once. */
import type { QueuedJobs } from "../core/dead-letter-store.js";
import { messageOf, PunctualError } from "../core/errors.js";
import { laneOf } from "../core/lane.js";
import type { RunHistory } from "../core/lookback.js";
import type { Clock, DeadLetters, RunLog, WorkStream } from "../core/ports.js";
import type { Instant } from "../core/schedule.js";
import type { NewJob, TimerStore } from "../core/timer.js";
import { followerRequest } from "../protocol/chain-input.js";
import { enqueueMessage } from "../protocol/enqueue-message.js";
import { headers as h } from "../protocol/headers.js";
import { bodyOf } from "../protocol/job-message.js";
import { limits } from "../protocol/limits.js";
import type { Names } from "../protocol/names.js";
import { parseJson, parseWith } from "../protocol/parse.js";
import type { Admission } from "../runtime/admission.js";
import type { Logger } from "../runtime/log.js";

export interface FollowerQueuePorts {
  names: Names;
  shards: number;
  clock: Clock;
  log: Logger;
  work: WorkStream;
  timers: TimerStore;
  runs: RunLog;
  history: RunHistory;
  queuedJobs: QueuedJobs;
  dead: DeadLetters;
  admission: Admission;
  /** Of the server, in bytes. */
  maxPayload: number;
}

/** A job as it was asked for, and what it follows upon. */
export interface FollowingJob {
  json: string;
  runId: string;
  /** Ours, that tell what it follows upon. */
  headers: Readonly<Record<string, string>>;
  /** No other decision has this number. */
  life: number;
  /** A delay counts from here, so that it is the same whoever asks. */
  from: Instant;
  /** It cannot have been queued before, by the server's clock. */
  since: Instant;
}

type FollowerRequest = ReturnType<typeof followerRequest.parse>;

/** Far below the time for which the server remembers a message id. */
const PUBLISH_WITHIN_MS = 30_000;

export class FollowerQueue {
  readonly #ports: FollowerQueuePorts;

  constructor(ports: FollowerQueuePorts) {
    this.#ports = ports;
  }

  /** Resolves when it is queued, or was, or never will be and the reason is kept; throws what is worth trying again. */
  async put(following: FollowingJob): Promise<void> {
    const { runId } = following;
    const request = await this.#read(following);
    if (request === null) return;
    const { queue, unique, uniqueFor: uniqueForMs } = request;
    const subject = this.#ports.names.job(queue, unique ?? runId, laneOf(request.priority));
    const { admission, clock } = this.#ports;
    const lookedAt = clock.monotonic();
    if (await this.#isTraced(subject, following, following.since)) return;
    try {
      const job = await this.#jobOf(request, following);
      // Somebody else may have queued it since, and the server have forgotten.
      if (clock.monotonic() - lookedAt > PUBLISH_WITHIN_MS)
        throw new PunctualError("timeout", `${runId}: it took too long to look for it`);
      const { accepted } = await admission.admit(this.#ports, { queue, unique, uniqueForMs }, job);
      if (!accepted) await this.#onRefused(subject, job, following, queue);
    } catch (error) {
      const isFinal = error instanceof PunctualError && (error.code === "invalid" || error.code === "denied");
      if (!isFinal) throw error;
      await this.#bury(subject, request, following, error.message);
    }
  }

  async #jobOf(request: FollowerRequest, following: FollowingJob): Promise<NewJob> {
    const { names, shards, admission, maxPayload } = this.#ports;
    const { runId, headers, from } = following;
    const settings = await admission.settings(request.queue);
    const context = { names, shards, now: from, settings, maxPayload, newId: () => runId };
    const asked = { ...request, headers: { ...request.headers, ...headers }, jobId: runId };
    return enqueueMessage(asked, context);
  }

  async #isTraced(subject: string, { runId }: FollowingJob, since: Instant): Promise<boolean> {
    const { history, queuedJobs } = this.#ports;
    const last = await history.lastEvent(runId);
    return (last !== null && last.at >= since) || (await queuedJobs.has(subject, runId, since));
  }

  /** What somebody wrote past the API is kept as a dead letter. */
  async #read(following: FollowingJob): Promise<FollowerRequest | null> {
    try {
      return parseWith(followerRequest, parseJson(following.json, "job"), "job");
    } catch (error) {
      const request = { queue: "default", payload: following.json, headers: {} };
      await this.#bury(
        this.#ports.names.job("default", following.runId),
        request,
        following,
        messageOf(error),
      );
      return null;
    }
  }

  /** The server has it already, perhaps at the gate, or as one that waits for its time; or its key is another job's. */
  async #onRefused(subject: string, job: NewJob, following: FollowingJob, queue: string): Promise<void> {
    if (job.waiting !== undefined) return;
    const { work, runs } = this.#ports;
    const { runId, life, since } = following;
    const occupant = await work.lastOn(job.work.subject);
    if (occupant?.headers[h.runId] === runId) return;
    if (await this.#isTraced(subject, following, since - limits.dedupWindowMs)) return;
    const reason = "a job with this key is queued or running, or was within its period";
    await runs.append({ runId, type: "skipped", msgId: `${runId}/skipped/${life}`, data: { reason, queue } });
  }

  async #bury(
    subject: string,
    { queue, payload, headers }: Pick<FollowerRequest, "queue" | "payload" | "headers">,
    { runId, life, headers: own }: FollowingJob,
    error: string,
  ): Promise<void> {
    const { dead, runs, log } = this.#ports;
    const told = { ...headers, ...own, [h.runId]: runId };
    const body = bodyOf(payload);
    await dead.bury({
      queue,
      subject,
      seq: life,
      headers: told,
      body,
      reason: "refused",
      attempts: 0,
      error,
    });
    const data = { queue, attempt: 0, reason: "refused", error: { message: error } };
    await runs.append({ runId, type: "dead", msgId: `${runId}/dead/${life}`, data });
    log.warn({ runId, error: messageOf(error) }, "a job that was to follow was refused");
  }
}
