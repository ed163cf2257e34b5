/**
 * Handlers in threads: for work that computes for so long that the event loop would stand still. The program goes on
 * meanwhile, and with it the heartbeats.
 *
 * One job at a time in a thread, so that a thread whose handler does not heed its signal can be ended, after the grace,
 * and nothing else with it.
 */
import { once } from "node:events";
import { MessageChannel } from "node:worker_threads";
import { Piscina } from "piscina";
import { invalid, messageOf } from "../../core/errors.js";
import type { Clock } from "../../core/ports.js";
import type { Logger } from "../../runtime/log.js";
import { write } from "../../runtime/run-log.js";
import type { AbortReason } from "../attempt.js";
import type { Handler, JobContext } from "../context.js";
import type { Performer } from "../performer.js";
import type { AbortNotice, PlainJob, ThreadError, ThreadOutcome, ThreadTask, Told } from "./messages.js";

export interface ThreadPoolParts {
  clock: Clock;
  log: Logger;
  threads: number;
  abortGraceMs: number;
  /** Its default export is the handler. */
  module: URL;
}

export class ThreadPool implements Performer {
  readonly #parts: ThreadPoolParts;
  readonly #pool: Piscina<unknown, unknown>;

  constructor(parts: ThreadPoolParts) {
    const { threads, log } = parts;
    this.#parts = parts;
    this.#pool = new Piscina({
      filename: new URL("./entry.js", import.meta.url).href,
      minThreads: threads,
      maxThreads: threads,
      // A thread that waits for its next task goes on with what its handler left behind.
      atomics: "disabled",
    });
    this.#pool.on("error", (error) => log.warn({ error: messageOf(error) }, "a thread failed"));
  }

  /** @throws invalid when the module cannot be loaded, or has no handler */
  async start(): Promise<void> {
    const module = this.#parts.module.href;
    const problem = await this.#pool.run(module, { name: "load" });
    if (problem !== null) throw invalid("handler", `${module}: ${problem}`);
  }

  readonly handle: Handler = async (job) => {
    const { port1, port2 } = new MessageChannel();
    const closed = once(port1, "close");
    port1.on("message", (told: Told) => hear(job, told));
    const ending = this.#endingWith(job.signal, (notice) => port1.postMessage(notice));
    try {
      const task: ThreadTask = { module: this.#parts.module.href, job: plain(job), port: port2 };
      const options = { name: "perform", transferList: [port2], signal: ending.signal };
      const outcome = (await this.#pool.run(task, options)) as ThreadOutcome;
      await closed; // its last words come before
      return resultIn(outcome, job);
    } finally {
      ending.over();
      port1.close();
    }
  };

  close(): Promise<void> {
    return this.#pool.destroy();
  }

  /** When the job's signal aborts, the thread is told; when its grace is over too, `signal` aborts and it is ended. */
  #endingWith(job: AbortSignal, tell: (notice: AbortNotice) => void) {
    const { clock, abortGraceMs } = this.#parts;
    const thread = new AbortController();
    let cancel = () => {};
    const onAbort = () => {
      const { why, message } = job.reason as AbortReason;
      tell({ why, message });
      cancel = clock.after(abortGraceMs, () => thread.abort());
    };
    if (job.aborted) onAbort();
    else job.addEventListener("abort", onAbort, { once: true });
    const over = () => {
      cancel();
      job.removeEventListener("abort", onAbort);
    };
    return { signal: thread.signal, over };
  }
}

function hear(job: JobContext, told: Told): void {
  if ("line" in told) write(job.log, told.line);
  else job.progress(told.progress);
}

function plain(job: JobContext): PlainJob {
  const { payload, runId, scheduleId, fireTime, previousFireTime, trigger, interval, parent, group } = job;
  const { attempt, maxAttempts, queue, headers } = job;
  const origin = { runId, scheduleId, fireTime, previousFireTime, trigger, interval, parent, group };
  return { payload, ...origin, attempt, maxAttempts, queue, headers };
}

function resultIn(outcome: ThreadOutcome, job: JobContext): unknown {
  if (outcome.kind === "aborted") throw job.signal.reason;
  if (outcome.kind === "failed") throw errorOf(outcome.error);
  return outcome.json === undefined ? undefined : JSON.parse(outcome.json);
}

function errorOf({ name, message, stack, retryable }: ThreadError): Error {
  const error = Object.assign(new Error(message), { name, retryable });
  return stack === undefined ? error : Object.assign(error, { stack });
}
