/**
 * Batches: jobs that are done together, and yet each by itself is acknowledged, tried again or buried, has its own
 * timeout and can be cancelled.
 *
 * To the rest of the worker a job in a batch is like any other: its handler waits here for others, and then for what
 * the batch says of it. A batch begins when it is full, or when its first job has waited for `maxWaitMs`.
 */
import type { Clock } from "../core/ports.js";
import type { Handler, JobContext } from "./context.js";
import type { Performer } from "./performer.js";

/** A job in a batch. What is said of it first counts. */
export interface BatchJob<T = unknown> extends JobContext<T> {
  /** It is done, whatever becomes of the rest; `result` is kept as what a handler returns is. */
  succeed(result?: unknown): void;
  /** Its attempt has failed, as if a handler had thrown `error`. */
  fail(error: unknown): void;
}

/**
 * Does the jobs of a batch. For those of which it has not said `succeed` or `fail`, it returns
 *
 * - nothing: they have succeeded;
 * - an array, in the order of the jobs, or a Map by run id, of results: an `Error` there is a failure, and what
 *   `Promise.allSettled` makes is understood. Each of these jobs must be in it;
 * - or it throws: they have failed.
 */
export type BatchHandler<T = unknown> = (jobs: readonly BatchJob<T>[]) => unknown;

export interface BatchSettings {
  size: number;
  maxWaitMs: number;
  /** Batches at once. */
  concurrency: number;
}

export class Batches implements Performer {
  readonly #clock: Clock;
  readonly #settings: BatchSettings;
  readonly #handler: BatchHandler;
  #waiting: BatchJob[] = [];
  #running = 0;
  /** Those that wait have waited long enough. */
  #isDue = false;
  #isDraining = false;
  #cancelTimer: () => void = () => {};

  constructor(clock: Clock, settings: BatchSettings, handler: BatchHandler) {
    this.#clock = clock;
    this.#settings = settings;
    this.#handler = handler;
  }

  readonly handle: Handler = (job: JobContext) =>
    new Promise((resolve, reject) => {
      job.signal.throwIfAborted(); // a middleware may have taken its time
      // The context is made for this one attempt and handed out here only.
      const member = Object.assign(job, { succeed: resolve, fail: reject });
      job.signal.addEventListener("abort", () => this.#withdraw(member), { once: true });
      this.#waiting.push(member);
      if (this.#waiting.length === 1) this.#waitForOthers();
      this.#fill();
    });

  drain(): void {
    this.#isDraining = true;
    this.#fill();
  }

  /** In a batch that has begun, it is for the handler to heed the signal. */
  #withdraw(job: BatchJob): void {
    const index = this.#waiting.indexOf(job);
    if (index < 0) return;
    this.#waiting.splice(index, 1);
    job.fail(job.signal.reason);
  }

  #waitForOthers(): void {
    this.#cancelTimer();
    this.#isDue = false;
    this.#cancelTimer = this.#clock.after(this.#settings.maxWaitMs, () => {
      this.#isDue = true;
      this.#fill();
    });
  }

  #fill(): void {
    const { size, concurrency } = this.#settings;
    while (this.#running < concurrency && this.#waiting.length > 0) {
      if (this.#waiting.length < size && !this.#isDue && !this.#isDraining) return;
      const jobs = this.#waiting.splice(0, size);
      if (this.#waiting.length > 0) this.#waitForOthers();
      else this.#cancelTimer();
      void this.#run(jobs);
    }
  }

  async #run(jobs: readonly BatchJob[]): Promise<void> {
    this.#running++;
    try {
      settle(jobs, await this.#handler(jobs));
    } catch (error) {
      for (const job of jobs) job.fail(error);
    }
    this.#running--;
    this.#fill();
  }
}

/** @throws when it is nothing that a handler may return */
function settle(jobs: readonly BatchJob[], results: unknown): void {
  if (results === undefined) for (const job of jobs) job.succeed();
  else if (Array.isArray(results)) {
    if (results.length !== jobs.length)
      throw new Error(`the batch handler returned ${results.length} results for ${jobs.length} jobs`);
    for (const [index, job] of jobs.entries()) tell(job, results[index]);
  } else if (results instanceof Map) {
    for (const job of jobs)
      if (results.has(job.runId)) tell(job, results.get(job.runId));
      else job.fail(new Error("the batch handler returned no result for this job"));
  } else throw new Error("expected the batch handler to return nothing, an array or a Map");
}

function tell(job: BatchJob, result: unknown): void {
  if (result instanceof Error) job.fail(result);
  else if (!isSettled(result)) job.succeed(result);
  else if (result.status === "fulfilled") job.succeed(result.value);
  else job.fail(result.reason);
}

function isSettled(result: unknown): result is PromiseSettledResult<unknown> {
  if (typeof result !== "object" || result === null || !("status" in result)) return false;
  return (
    (result.status === "fulfilled" && "value" in result) ||
    (result.status === "rejected" && "reason" in result)
  );
}
