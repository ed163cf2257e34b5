/** Handlers in threads. The compiled code, as users run it: a thread loads a module of its own. */
import { describe, expect, onTestFinished, test } from "vitest";
import { headers as h } from "../../../src/protocol/headers.js";
import type { WorkerOptions } from "../../../src/worker/options.js";
import { until } from "../../support/scene.js";
import { expectRefusal, Stage, serverOf } from "../../support/stage.js";

const { connect }: typeof import("../../../src/connect.js") = await import(
  new URL("../../../dist/connect.js", import.meta.url).href
);

const server = serverOf();
const crunch = new URL("./crunch.js", import.meta.url);

async function inThreads(options: WorkerOptions = {}, module = crunch) {
  const stage = await Stage.open(server());
  const punctual = await connect({ servers: server().url, namespace: stage.names.namespace });
  onTestFinished(() => punctual.close());
  const work = () =>
    punctual.work("crunch", { threads: 2, abortGraceMs: 200, drainTimeoutMs: 0, ...options }, module);
  const start = async () => {
    const worker = await work();
    onTestFinished(() => worker.stop());
    return worker;
  };
  const enqueue = async (act: string, more: object = {}) =>
    (await stage.client.enqueue({ queue: "crunch", payload: { act }, ...more })).runId;
  return { stage, work, start, enqueue };
}

describe("a handler in a thread", () => {
  test("does its job in another thread, and its result is kept", async () => {
    const { stage, start, enqueue } = await inThreads();
    await start();
    const runId = await enqueue("where");
    const { result } = await stage.event("succeeded", runId);
    expect(result).toMatchObject({ runId, attempt: 1, fireTime: null });
    expect((result as { threadId: number }).threadId).toBeGreaterThan(0);
  });

  test("logs and tells its progress as any other, before its end", async () => {
    const { stage, start, enqueue } = await inThreads();
    await start();
    const runId = await enqueue("tell");
    await stage.event("succeeded", runId);
    const events = (await stage.events()).filter((event) => event.runId === runId);
    expect(events.map(({ type }) => type)).toEqual(["log", "progress", "succeeded"]);
    expect(events[0]?.data.lines).toMatchObject([
      { level: "info", msg: "half way", data: { step: 1 } },
      { level: "warn", msg: "done", data: { step: 2 } },
    ]);
    expect(events[1]?.data).toEqual({ attempt: 1, value: { done: true } });
  });

  test("computes without holding up the worker: the job is in hand, longer than the ack wait", async () => {
    const { stage, start, enqueue } = await inThreads();
    await stage.ensureQueue("crunch", { ackWaitMs: 1_000 });
    const worker = await start();
    const runId = await enqueue("compute until aborted", { timeout: "2500ms", retry: { maxAttempts: 1 } });
    const { error } = await stage.event("dead", runId);
    expect(error).toBe("timed out after 2500 ms");
    expect((await stage.consumer("crunch"))?.num_redelivered).toBe(0);
    await until(() => expect(worker.runningCount).toBe(0));
  });

  test.each(["compute until aborted", "wait until aborted", "never end"])(
    "ends when its run is cancelled: %s",
    async (act) => {
      const { stage, start, enqueue } = await inThreads({ threads: 1 });
      await start();
      const runId = await enqueue(act);
      await stage.event("log", runId);
      stage.raw.publish(stage.names.cancel(runId));
      await stage.event("cancelled", runId);
      // The one thread is free again, or there is a new one.
      await stage.event("succeeded", await enqueue("where"));
    },
  );

  test("fails with the error that it threw", async () => {
    const { stage, start, enqueue } = await inThreads();
    await start();
    await enqueue("fail for good");
    const letter = await stage.deadLetter("crunch");
    expect(letter.header(h.reason)).toBe("not retryable");
    expect(letter.header(h.error)).toBe("no such thing");
    expect(letter.header(h.errorStack)).toMatch(/crunch\.js/);
  });

  test("that ends its thread has failed, and the next job has a new one", async () => {
    const { stage, start, enqueue } = await inThreads({ threads: 1 });
    await start();
    const runId = await enqueue("exit", { retry: { maxAttempts: 1 } });
    expect((await stage.event("dead", runId)).error).toMatch(/exit/);
    await stage.event("succeeded", await enqueue("where"));
  });
});

describe("a worker with threads refuses", () => {
  test.each([
    ["a module that is not there", {}, new URL("./nothing.js", import.meta.url), /handler: .*nothing\.js/],
    ["a module without a handler", {}, new URL("./no-handler.js", import.meta.url), /default export/],
    ["more jobs than threads", { concurrency: 3 }, crunch, /concurrency: expected at most 2, .*got 3/],
    ["no threads", { threads: 0 }, crunch, /worker options: threads: expected at least 1/],
  ])("%s", async (_what, options, module, message) => {
    const { work } = await inThreads(options, module);
    await expectRefusal(work, "invalid", message);
  });

  test("a function, which cannot go to a thread", async () => {
    const stage = await Stage.open(server());
    const work = () => stage.punctual.work("crunch", { threads: 2 }, () => {});
    await expectRefusal(work, "invalid", /threads: expected the URL of a module/);
  });
});
