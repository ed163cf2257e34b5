/** A handler for threads, as a user would write it. */
import { threadId } from "node:worker_threads";

/** @param {import("../../../src/worker/context.js").JobContext} job */
export default async function crunch(job) {
  const { act } = job.payload;
  if (act === "where") return { threadId, runId: job.runId, fireTime: job.fireTime, attempt: job.attempt };
  if (act === "tell") {
    job.log.info({ step: 1 }, "half way");
    job.progress(0.5);
    job.log.child({ step: 2 }).warn("done");
    job.progress({ done: true });
    return "told";
  }
  if (act === "compute until aborted") {
    job.log.info("computing");
    while (!job.signal.aborted);
    job.signal.throwIfAborted();
  }
  if (act === "wait until aborted")
    return new Promise((_resolve, reject) => {
      job.log.info("waiting");
      job.signal.addEventListener("abort", () => reject(job.signal.reason));
    });
  if (act === "never end") {
    job.log.info("stuck");
    for (;;);
  }
  if (act === "fail for good") throw Object.assign(new TypeError("no such thing"), { retryable: false });
  if (act === "exit") process.exit(3);
  throw new Error(`what is ${act}?`);
}
