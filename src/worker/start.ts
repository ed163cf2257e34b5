/** From what a program asks to a worker that pulls. */
import { parseWith } from "../protocol/parse.js";
import { Batches, type BatchHandler } from "./batches.js";
import type { Handler } from "./context.js";
import { type BatchOptions, batchOptions, type WorkerOptions, workerOptions } from "./options.js";
import { Worker, type WorkerPorts } from "./worker.js";

/**
 * Starts a worker on a queue; resolves when it pulls.
 *
 * @throws invalid when the queue's name or an option is refused, unavailable when the server cannot be asked
 */
export function startWorker<T = unknown>(
  ports: WorkerPorts,
  queue: string,
  options: WorkerOptions<T>,
  handler: Handler<T>,
): Promise<Worker> {
  const settings = parseWith(workerOptions, options, "worker options");
  return new Worker(ports, queue, settings, { handle: handler as Handler }).start();
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
