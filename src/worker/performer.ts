import type { Handler } from "./context.js";

/** What does the jobs of a worker: a handler here, a handler of batches, a pool of threads. */
export interface Performer {
  /** One attempt at one job. */
  readonly handle: Handler;
  /** Makes itself ready, before the first job. What it throws is what starting the worker throws. */
  start?(): Promise<void>;
  /** No more jobs come: what waits for others need not wait. */
  drain?(): void;
  /** The last job is over. */
  close?(): Promise<void>;
}
