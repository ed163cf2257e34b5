/** What a worker and its threads tell each other, in forms that go from thread to thread. */
import type { MessagePort } from "node:worker_threads";
import type { LogLine } from "../../runtime/run-log.js";
import type { AbortWhy } from "../attempt.js";
import type { JobContext } from "../context.js";

/** A job without what only one thread can have. */
export type PlainJob = Omit<JobContext, "signal" | "log" | "progress">;

export interface ThreadTask {
  /** URL of the module. */
  module: string;
  job: PlainJob;
  /** Of this attempt alone; the thread closes it when it has told all. */
  port: MessagePort;
}

/** To the thread: the signal aborts. */
export interface AbortNotice {
  why: AbortWhy;
  message: string;
}

/** From the thread, while the handler runs. */
export type Told = { line: LogLine } | { progress: number | string | object };

export type ThreadOutcome =
  /** Undefined: nothing that is kept. */
  | { kind: "succeeded"; json: string | undefined }
  | { kind: "failed"; error: ThreadError }
  /** It threw the reason of its signal. */
  | { kind: "aborted" };

/** An error would lose most of this on its way. */
export interface ThreadError {
  name: string;
  message: string;
  stack: string | undefined;
  retryable: boolean;
}
