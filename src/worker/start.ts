/** From what a program asks to a worker that pulls. */
import { availableParallelism } from "node:os";
import { invalid } from "../core/errors.js";
import { parseWith } from "../protocol/parse.js";
import { Batches, type BatchHandler } from "./batches.js";
import type { Handler } from "./context.js";
import {
  type BatchOptions,
  batchOptions,
  type WorkerOptions,
  type WorkerSettings,
  workerOptions,
} from "./options.js";
import { Worker, type WorkerPorts } from "./worker.js";

/**
 * Starts a worker on a queue; resolves when it pulls.
 *
 * @param handler a function, or the URL of a module whose default export is one: then it runs in threads
 * @throws invalid when the queue's name or an option is refused, unavailable when the server cannot be asked
 */
export function startWorker<T = unknown>(
  ports: WorkerPorts,
  queue: string,
  options: WorkerOptions<T>,
  handler: Handler<T> | URL,
): Promise<Worker> {
  const settings = parseWith(workerOptions, options, "worker options");
  if (handler instanceof URL) return startInThreads(ports, queue, settings, options.concurrency, handler);
  if (settings.threads !== undefined)
    throw invalid("threads", "expected the URL of a module as handler: a function cannot go to a thread");
  return new Worker(ports, queue, settings, { handle: handler as Handler }).start();
}

async function startInThreads(
  ports: WorkerPorts,
  queue: string,
  settings: WorkerSettings,
  asked: number | undefined,
  module: URL,
): Promise<Worker> {
  const { threads = availableParallelism(), abortGraceMs } = settings;
  const concurrency = asked ?? threads;
  if (concurrency > threads)
    throw invalid("concurrency", `expected at most ${threads}, one job for each thread, got ${concurrency}`);
  const { clock, log } = ports;
  // Most programs need none.
  const { ThreadPool } = await import("./threads/pool.js");
  const pool = new ThreadPool({ clock, log, threads, abortGraceMs, module });
  try {
    return await new Worker(ports, queue, { ...settings, concurrency }, pool).start();
  } catch (error) {
    await pool.close();
    throw error;
  }
}

/**
 * Starts a worker that does its jobs in batches; resolves when it pulls.
 *
 * @throws as `startWorker`
 */
export function startBatchWorker<T = unknown>(
  ports: WorkerPorts,
  queue: string,
  options: BatchOptions<T>,
  handler: BatchHandler<T>,
): Promise<Worker> {
  const { size, maxWaitMs, concurrency, ...others } = parseWith(batchOptions, options, "worker options");
  const batches = new Batches(ports.clock, { size, maxWaitMs, concurrency }, handler as BatchHandler);
  return new Worker(ports, queue, { ...others, concurrency: size * concurrency }, batches).start();
}
