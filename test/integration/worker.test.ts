import { describe, expect, test } from "vitest";
import { z } from "zod";
import { headers as h } from "../../src/protocol/headers.js";
import { until } from "../support/scene.js";
import { latch, Stage, serverOf } from "../support/stage.js";

const server = serverOf();

describe("an attempt that takes too long", () => {
  test("is aborted by its signal and counts", async () => {
    const stage = await Stage.open(server());
    const reasons: unknown[] = [];
    const seen = await stage.attempts("slow", ({ signal, attempt }) => {
      if (attempt === 2) return "in time";
      return new Promise((_resolve, reject) =>
        signal.addEventListener("abort", () => {
          reasons.push(signal.reason);
          reject(signal.reason);
        }),
      );
    });
    const { runId } = await stage.client.enqueue({
      queue: "slow",
      timeout: "150ms",
      retry: { initialDelay: 1 },
    });
    await stage.event("succeeded", runId);
    expect(reasons).toMatchObject([{ code: "timeout", message: "timed out after 150 ms" }]);
    expect(seen.map(({ attempt }) => attempt)).toEqual([1, 2]);
    expect(await stage.event("retried", runId)).toMatchObject({
      attempt: 1,
      error: "timed out after 150 ms",
    });
  });

  test("is over even if the handler does not care, and ends as a dead letter", async () => {
    const stage = await Stage.open(server());
    const seen = await stage.attempts("deaf", () => new Promise(() => {}));
    await stage.client.enqueue({ queue: "deaf", timeout: 100, retry: { maxAttempts: 2, initialDelay: 1 } });
    const letter = await stage.deadLetter("deaf");
    expect(letter.header(h.error)).toBe("timed out after 100 ms");
    expect(seen).toHaveLength(2);
    await stage.workIsEmpty();
  });

  test("is not delivered twice while it runs longer than the ack wait", async () => {
    const stage = await Stage.open(server());
    await stage.ensureQueue("long", { ackWaitMs: 1_000 });
    const done = latch();
    const seen = await stage.attempts("long", () => done.waited);
    await stage.client.enqueue({ queue: "long" });
    await until(() => expect(performance.now() - (seen[0]?.at ?? Number.NaN)).toBeGreaterThan(2_500));
    done.release();
    await stage.workIsEmpty();
    expect(seen).toHaveLength(1);
    expect((await stage.consumer("long"))?.num_redelivered).toBe(0);
  });
});

describe("a payload that the schema refuses", () => {
  const schema = z.object({ to: z.email(), count: z.int().min(1) });

  test("goes to the dead letters with the issues; the handler is not called", async () => {
    const stage = await Stage.open(server());
    let calls = 0;
    await stage.work("typed", { schema }, () => calls++);
    const { runId } = await stage.client.enqueue({ queue: "typed", payload: { to: "nobody", count: 0 } });
    const letter = await stage.deadLetter("typed");
    expect(JSON.parse(letter.body)).toEqual({ to: "nobody", count: 0 });
    expect(letter.header(h.reason)).toBe("invalid payload");
    expect(letter.header(h.error)).toMatch(/to: .*; count: .*got 0/);
    expect(await stage.event("dead", runId)).toMatchObject({ issues: [{ path: "to" }, { path: "count" }] });
    await stage.workIsEmpty();
    expect(calls).toBe(0);
  });

  test("and one that it takes comes typed", async () => {
    const stage = await Stage.open(server());
    const counts: number[] = [];
    await stage.work("typed", { schema }, ({ payload }) => counts.push(payload.count));
    await stage.client.enqueue({ queue: "typed", payload: { to: "a@example.org", count: 3 } });
    await until(() => expect(counts).toEqual([3]));
  });

  test("or that is no JSON is a dead letter too, byte by byte", async () => {
    const stage = await Stage.open(server());
    const seen = await stage.attempts("raw");
    await stage.js.publish(stage.names.job("raw", "x"), "{not json");
    const letter = await stage.deadLetter("raw");
    expect(letter.body).toBe("{not json");
    expect(letter.header(h.error)).toMatch(/expected JSON/);
    await stage.workIsEmpty();
    expect(seen).toEqual([]);
  });
});

describe("stopping a worker", () => {
  test("waits for the jobs that run, and begins no other", async () => {
    const stage = await Stage.open(server());
    const done = latch();
    const finished: unknown[] = [];
    const worker = await stage.work(
      "drain",
      { concurrency: 2, drainTimeoutMs: 30_000 },
      async ({ payload }) => {
        await done.waited;
        finished.push(payload);
      },
    );
    for (const payload of [1, 2, 3]) await stage.client.enqueue({ queue: "drain", payload });
    await until(() => expect(worker.runningCount).toBe(2));
    let stopped = false;
    const stopping = worker.stop().then(() => {
      stopped = true;
    });
    await stage.client.enqueue({ queue: "drain", payload: 4 });
    expect({ stopped, running: worker.runningCount }).toEqual({ stopped: false, running: 2 });
    done.release();
    await stopping;
    expect(finished.sort()).toEqual([1, 2]);
    await until(async () => expect(await stage.inWork()).toHaveLength(2));

    const seen = await stage.attempts("drain");
    await stage.workIsEmpty();
    expect(seen.map(({ job, attempt }) => [job.payload, attempt])).toEqual([3, 4].map((n) => [n, 1]));
  });

  test("aborts those that outlast its patience and gives them to another worker at once", async () => {
    const stage = await Stage.open(server());
    let aborted = false;
    const worker = await stage.work("drain", { drainTimeoutMs: 50 }, ({ signal }) => {
      signal.addEventListener("abort", () => {
        aborted = true;
      });
      return new Promise(() => {});
    });
    const { runId } = await stage.client.enqueue({ queue: "drain" });
    await until(() => expect(worker.runningCount).toBe(1));
    await worker.stop();
    expect(aborted).toBe(true);
    const seen = await stage.attempts("drain");
    // Which attempt it is, is for the server to say: 2.9.10 miscounts a message that it could not hand out.
    await until(() => expect(seen).toMatchObject([{ runId }]));
  });
});
