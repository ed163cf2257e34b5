import { describe, expect, onTestFinished, test } from "vitest";
import { headers as h } from "../../../src/protocol/headers.js";
import type { BatchHandler } from "../../../src/worker/batches.js";
import { NonRetryableError } from "../../../src/worker/errors.js";
import type { BatchOptions } from "../../../src/worker/options.js";
import { until } from "../../support/scene.js";
import { Stage, serverOf } from "../../support/stage.js";

const server = serverOf();

async function inBatches(stage: Stage, options: BatchOptions, handler: BatchHandler) {
  const worker = await stage.punctual.workBatch("mail", { drainTimeoutMs: 0, ...options }, handler);
  onTestFinished(() => worker.stop());
  return worker;
}

describe("a batch", () => {
  test("in which one succeeds, one is tried again and one is buried", async () => {
    const stage = await Stage.open(server());
    const batches: string[][] = [];
    const failures: Record<string, Error> = { again: new Error("busy"), never: new NonRetryableError("no") };
    const runIds: Record<string, string> = {};
    for (const payload of ["fine", "again", "never"]) {
      const retry = { initialDelay: 1 };
      runIds[payload] = (await stage.client.enqueue({ queue: "mail", payload, retry })).runId;
    }
    await inBatches(stage, { size: 3, maxWaitMs: 50 }, (jobs) => {
      batches.push(jobs.map(({ payload }) => payload as string));
      return jobs.map(({ payload, attempt }) => (attempt === 1 && failures[payload as string]) || payload);
    });
    await stage.workIsEmpty();
    expect(batches[0]).toEqual(["fine", "again", "never"]);
    expect(batches.slice(1)).toEqual([["again"]]);
    expect(await stage.event("succeeded", runIds.fine)).toMatchObject({ attempt: 1, result: "fine" });
    expect(await stage.event("retried", runIds.again)).toMatchObject({ attempt: 1, error: "busy" });
    expect(await stage.event("succeeded", runIds.again)).toMatchObject({ attempt: 2, result: "again" });
    const letter = await stage.deadLetter("mail");
    expect([letter.body, letter.header(h.reason)]).toEqual(['"never"', "not retryable"]);
  });

  test("takes a crowd by hundreds, each job once", async () => {
    const stage = await Stage.open(server());
    const done: number[] = [];
    const sizes: number[] = [];
    const requests = Array.from({ length: 1_000 }, (_, payload) => ({ queue: "mail", payload }));
    for await (const { kind } of stage.client.enqueueMany(requests)) expect(kind).toBe("enqueued");
    await inBatches(stage, { size: 100, maxWaitMs: 200, concurrency: 2 }, (jobs) => {
      sizes.push(jobs.length);
      done.push(...jobs.map(({ payload }) => payload as number));
    });
    await stage.workIsEmpty();
    expect(done.sort((a, b) => a - b)).toEqual(requests.map(({ payload }) => payload));
    expect(Math.max(...sizes)).toBe(100);
  });

  test("that waits for others is not held up by a stop", async () => {
    const stage = await Stage.open(server());
    const done: unknown[] = [];
    const options = { size: 100, maxWaitMs: 60_000, drainTimeoutMs: 30_000 };
    const worker = await inBatches(stage, options, (jobs) => {
      done.push(...jobs.map(({ payload }) => payload));
    });
    await stage.client.enqueue({ queue: "mail", payload: 1 });
    await until(() => expect(worker.runningCount).toBe(1));
    await worker.stop();
    expect(done).toEqual([1]);
    await stage.workIsEmpty();
  });
});
