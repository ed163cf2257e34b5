/** Puts a job that follows upon others into its queue, once. */
import type { ChainStore } from "../core/chain-store.js";
import type { QueuedJobs } from "../core/dead-letter-store.js";
import { messageOf, PunctualError } from "../core/errors.js";
import { shardOf } from "../core/hash.js";
import { SKEW_MS } from "../core/instant.js";
import { laneOf } from "../core/lane.js";
import type { RunHistory } from "../core/lookback.js";
import type { Clock, DeadLetters, RunLog, WorkStream } from "../core/ports.js";
import type { Instant } from "../core/schedule.js";
import { minuteOf, type NewJob, type TimerStore } from "../core/timer.js";
import { followerRequest } from "../protocol/chain-input.js";
import { enqueueMessage } from "../protocol/enqueue-message.js";
import { headers as h } from "../protocol/headers.js";
import { bodyOf } from "../protocol/job-message.js";
import { limits } from "../protocol/limits.js";
import type { Names } from "../protocol/names.js";
import { parseJson, parseWith } from "../protocol/parse.js";
import { parseTimerId } from "../protocol/timer-message.js";
import type { Admission } from "../runtime/admission.js";
import type { Logger } from "../runtime/log.js";
import { buryRefused } from "./refusal.js";

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
  chains: ChainStore;
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
  /** When the decision was kept, by the server's clock; null: this moment, so nobody can have queued it before. */
  since: Instant | null;
}

type FollowerRequest = ReturnType<typeof followerRequest.parse>;

/** Far below the time for which the server remembers a message id. */
const PUBLISH_WITHIN_MS = 30_000;

export class FollowerQueue {
  readonly #ports: FollowerQueuePorts;

  constructor(ports: FollowerQueuePorts) {
    this.#ports = ports;
  }

  /**
   * Resolves when it is queued, or was, or never will be and the reason is kept. False: it waits until one that follows
   * upon an earlier life of the same run is over.
   *
   * @throws what is worth trying again
   */
  async put(following: FollowingJob): Promise<boolean> {
    const request = await this.#read(following);
    if (request === null) return true;
    const { queue, unique, uniqueFor: uniqueForMs } = request;
    const { admission, clock } = this.#ports;
    const lookedAt = clock.monotonic();
    if (await this.#isTraced(this.#subjectOf(request, following), following)) return true;
    try {
      const job = await this.#jobOf(request, following);
      if (await this.#waits(job, following)) return true;
      // Somebody else may have queued it since, and the server have forgotten.
      if (clock.monotonic() - lookedAt > PUBLISH_WITHIN_MS)
        throw new PunctualError("timeout", `${following.runId}: it took too long to look for it`);
      const { accepted } = await admission.admit(this.#ports, { queue, unique, uniqueForMs }, job);
      return accepted || (await this.#onRefused(request, job, following));
    } catch (error) {
      const isFinal = error instanceof PunctualError && (error.code === "invalid" || error.code === "denied");
      if (!isFinal) throw error;
      await this.#refuse(request, following, error.message);
      return true;
    }
  }

  #subjectOf({ queue, unique, priority }: FollowerRequest, { runId }: FollowingJob): string {
    return this.#ports.names.job(queue, unique ?? runId, laneOf(priority));
  }

  /** @param limit of attempts; default that of its queue */
  async #jobOf(request: FollowerRequest, following: FollowingJob, limit?: number): Promise<NewJob> {
    const { names, shards, admission, maxPayload } = this.#ports;
    const { runId, headers, from, life } = following;
    const settings = await admission.settings(request.queue);
    const maxAttempts = limit ?? settings.maxAttempts;
    const context = {
      ...{ names, shards, now: from, settings: { ...settings, maxAttempts } },
      ...{ maxPayload, newId: () => runId },
    };
    const told = { ...request.headers, ...headers, [h.parentLife]: String(life) };
    const { work, waiting, ...job } = enqueueMessage({ ...request, headers: told, jobId: runId }, context);
    // Each life has its own, so that the server does not take one for the other.
    const msgId = `${runId}/f${life}`;
    if (waiting === undefined) return { ...job, work: { ...work, msgId } };
    return { ...job, work, waiting: { ...waiting, message: { ...waiting.message, msgId } } };
  }

  async #isTraced(subject: string, { runId, life, since }: FollowingJob): Promise<boolean> {
    if (since === null) return false;
    const { history, queuedJobs } = this.#ports;
    const earliest = since - SKEW_MS;
    if (await queuedJobs.has(subject, runId, earliest, life)) return true;
    const last = await history.lastEvent(runId);
    if (last === null || last.at < earliest) return false;
    // Events do not say of which life they are: where another's was queued, they are of that one.
    return !(await queuedJobs.has(subject, runId, 0));
  }

  /** Whether somebody before us has put it where it waits for its time: the server may have forgotten the message id. */
  async #waits({ waiting }: NewJob, { runId, since }: FollowingJob): Promise<boolean> {
    if (waiting === undefined || since === null) return false;
    const { timers, shards } = this.#ports;
    const { at } = parseTimerId(waiting.timer);
    const others = await timers.of(shardOf(runId, shards), minuteOf(at));
    return others.some((timer) => timer.runId === runId && timer.at === at);
  }

  /** What somebody wrote past the API is kept as a dead letter. */
  async #read(following: FollowingJob): Promise<FollowerRequest | null> {
    try {
      return parseWith(followerRequest, parseJson(following.json, "job"), "job");
    } catch (error) {
      const subject = this.#ports.names.job("default", following.runId);
      const letter = { queue: "default", subject, headers: following.headers, body: bodyOf(following.json) };
      await this.#bury(letter, following, messageOf(error));
      return null;
    }
  }

  /** The server has it already, perhaps at the gate, or as one that waits for its time; or its key is another job's. */
  async #onRefused(request: FollowerRequest, job: NewJob, following: FollowingJob): Promise<boolean> {
    if (job.waiting !== undefined) return true;
    const { work, runs } = this.#ports;
    const { runId, life } = following;
    const occupant = await work.lastOn(job.work.subject);
    const isOfRun = occupant?.headers[h.runId] === runId;
    if (isOfRun && occupant.headers[h.parentLife] === String(life)) return true;
    if (await this.#isTraced(this.#subjectOf(request, following), following)) return true;
    if (isOfRun) return false;
    const reason = "a job with this key is queued or running, or was within its period";
    const data = { reason, queue: request.queue };
    await runs.append({ runId, type: "skipped", msgId: `${runId}/skipped/${life}`, data });
    return true;
  }

  /** It becomes a dead letter with all it was asked for, and what is for its failure follows. */
  async #refuse(request: FollowerRequest, following: FollowingJob, error: string): Promise<void> {
    const { queue, payload } = request;
    const subject = this.#subjectOf(request, following);
    const job = await this.#refusedJob(request, following);
    const headers = job?.work.headers ?? { ...request.headers, ...following.headers };
    if (job?.following !== undefined) {
      const { key, record } = job.following;
      const outcome = await this.#ports.chains.write(key, record, 0);
      if (outcome.kind === "unknown") throw outcome.error;
    }
    await this.#bury({ queue, subject, headers, body: bodyOf(payload) }, following, error);
  }

  /** As it would be if its queue allowed it; null: it cannot be a job at all. */
  async #refusedJob(request: FollowerRequest, following: FollowingJob): Promise<NewJob | null> {
    try {
      return await this.#jobOf(request, following, limits.maxAttempts);
    } catch (error) {
      if (error instanceof PunctualError && error.code === "invalid") return null;
      throw error;
    }
  }

  async #bury(
    letter: { queue: string; subject: string; headers: Readonly<Record<string, string>>; body: Uint8Array },
    { runId, life }: FollowingJob,
    error: string,
  ): Promise<void> {
    const headers = { ...letter.headers, [h.runId]: runId };
    await buryRefused(this.#ports, { ...letter, headers, seq: life }, runId, error);
    this.#ports.log.warn({ runId, error }, "a job that was to follow was refused");
  }
}
