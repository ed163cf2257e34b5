import { describe, expect, test } from "vitest";
import { headers as h } from "../../src/protocol/headers.js";
import { NonRetryableError } from "../../src/worker/errors.js";
import { until } from "../support/scene.js";
import { latch, Stage, serverOf } from "../support/stage.js";

const server = serverOf();

describe("a job that is enqueued", () => {
  test("reaches a worker with its payload, headers and id; its acknowledgement removes it", async () => {
    const stage = await Stage.open(server());
    const done = latch();
    const seen = await stage.attempts("mail", () => done.waited);
    const { runId, accepted } = await stage.client.enqueue({
      queue: "mail",
      payload: { to: "ada", tags: ["a", "ü"] },
      headers: { "X-Trace": "42" },
    });
    expect(accepted).toBe(true);

    await until(() => expect(seen).toHaveLength(1));
    const [{ job } = { job: undefined }] = seen;
    expect(job).toMatchObject({
      payload: { to: "ada", tags: ["a", "ü"] },
      runId,
      scheduleId: null,
      fireTime: null,
      attempt: 1,
      maxAttempts: 5,
      queue: "mail",
    });
    expect(job?.headers["X-Trace"]).toBe("42");
    expect(job?.signal.aborted).toBe(false);
    expect(await stage.inWork()).toEqual([stage.names.job("mail", runId)]);
    done.release();
    await stage.workIsEmpty();
  });

  test("leaves in RUNS that it succeeded, with its result", async () => {
    const stage = await Stage.open(server());
    await stage.attempts("sums", () => ({ sum: 7 }));
    const { runId } = await stage.client.enqueue({ queue: "sums" });
    expect(await stage.event("succeeded", runId)).toMatchObject({
      attempt: 1,
      queue: "sums",
      result: { sum: 7 },
    });
    await stage.workIsEmpty();
    expect(await stage.deadCount()).toBe(0);
  });

  test("waits for the first worker of its queue", async () => {
    const stage = await Stage.open(server());
    await stage.client.enqueue({ queue: "later", payload: 1 });
    const seen = await stage.attempts("later");
    await until(() => expect(seen.map(({ job }) => job.payload)).toEqual([1]));
  });

  test("goes to the workers of its own queue only", async () => {
    const stage = await Stage.open(server());
    const [a, b] = [await stage.attempts("a"), await stage.attempts("b")];
    for (const payload of [1, 2, 3]) await stage.client.enqueue({ queue: "a", payload });
    await stage.client.enqueue({ queue: "b", payload: 4 });
    await stage.workIsEmpty();
    expect(a.map(({ job }) => job.payload).sort()).toEqual([1, 2, 3]);
    expect(b.map(({ job }) => job.payload)).toEqual([4]);
  });

  test("goes to one of many workers", async () => {
    const stage = await Stage.open(server());
    const workers = [
      await stage.attempts("shared"),
      await stage.attempts("shared"),
      await stage.attempts("shared"),
    ];
    const requests = Array.from({ length: 60 }, (_, payload) => ({ queue: "shared", payload }));
    for await (const outcome of stage.client.enqueueMany(requests)) expect(outcome.kind).toBe("enqueued");
    await stage.workIsEmpty();
    const payloads = workers.flat().map(({ job }) => job.payload as number);
    expect(payloads.sort((a, b) => a - b)).toEqual(requests.map(({ payload }) => payload));
  });

  test("runs beside others, never more than the worker's concurrency", async () => {
    const stage = await Stage.open(server());
    let [running, most] = [0, 0];
    const full = latch();
    await stage.work("busy", { concurrency: 3 }, async () => {
      most = Math.max(most, ++running);
      if (running === 3) full.release();
      await full.waited;
      running--;
    });
    for (let n = 0; n < 12; n++) await stage.client.enqueue({ queue: "busy" });
    await stage.workIsEmpty();
    expect(most).toBe(3);
  });
});

describe("a job's own id", () => {
  test("is refused while the first is queued, and right after it", async () => {
    const stage = await Stage.open(server());
    const request = { queue: "ids", jobId: "invoice-7" };
    expect(await stage.client.enqueue(request)).toEqual({
      runId: "invoice-7",
      accepted: true,
      state: "queued",
    });
    expect(await stage.client.enqueue(request)).toEqual({ runId: "invoice-7", accepted: false });
    const seen = await stage.attempts("ids");
    await stage.workIsEmpty();
    expect(await stage.client.enqueue(request)).toEqual({ runId: "invoice-7", accepted: false });
    expect(seen).toHaveLength(1);
  });

  test("that is refused by its key is not used up", async () => {
    const stage = await Stage.open(server());
    await stage.client.enqueue({ queue: "ids", unique: "key", jobId: "one" });
    expect(await stage.client.enqueue({ queue: "ids", unique: "key", jobId: "two" })).toMatchObject({
      accepted: false,
    });
    const seen = await stage.attempts("ids");
    await stage.workIsEmpty();
    expect(await stage.client.enqueue({ queue: "ids", unique: "key", jobId: "two" })).toMatchObject({
      accepted: true,
    });
    await until(() => expect(seen.map(({ runId }) => runId)).toEqual(["one", "two"]));
  });
});

describe("unique jobs", () => {
  test("are refused while one with their key is queued or running, and taken again after", async () => {
    const stage = await Stage.open(server());
    const request = { queue: "sync", unique: "account-1" };
    expect((await stage.client.enqueue(request)).accepted).toBe(true);
    expect((await stage.client.enqueue(request)).accepted).toBe(false); // queued
    const done = latch();
    const seen = await stage.attempts("sync", () => done.waited);
    await until(() => expect(seen).toHaveLength(1));
    expect((await stage.client.enqueue(request)).accepted).toBe(false); // running
    expect((await stage.client.enqueue({ ...request, unique: "account-2" })).accepted).toBe(true);
    done.release();
    await stage.workIsEmpty();
    expect((await stage.client.enqueue(request)).accepted).toBe(true);
    await until(() => expect(seen).toHaveLength(3));
    expect(new Set(seen.map(({ runId }) => runId)).size).toBe(3);
  });

  test("stay refused while a failed one waits for its next attempt", async () => {
    const stage = await Stage.open(server());
    const request = { queue: "sync", unique: "k", retry: { initialDelay: "500ms" } };
    const seen = await stage.attempts("sync", ({ attempt }) => {
      if (attempt === 1) throw new Error("not yet");
    });
    await stage.client.enqueue(request);
    await stage.event("retried");
    expect((await stage.client.enqueue(request)).accepted).toBe(false);
    await stage.workIsEmpty();
    expect(seen.map(({ attempt }) => attempt)).toEqual([1, 2]);
  });
});

describe("a handler that fails", () => {
  test("is tried again after the job's backoff, under the same run id, as the next attempt", async () => {
    const stage = await Stage.open(server());
    const seen = await stage.attempts("flaky", ({ attempt }) => {
      if (attempt < 3) throw new Error(`failure ${attempt}`);
    });
    const retry = { initialDelay: "200ms", factor: 3, maxDelay: "10s" };
    const { runId } = await stage.client.enqueue({ queue: "flaky", retry });
    await stage.workIsEmpty();
    expect(seen.map(({ runId, attempt }) => [runId, attempt])).toEqual([1, 2, 3].map((n) => [runId, n]));
    const [first = 0, second = 0, third = 0] = seen.map(({ at }) => at);
    expect(second - first).toBeGreaterThanOrEqual(195);
    expect(third - second).toBeGreaterThanOrEqual(595);
    const retried = (await stage.events()).filter(({ type }) => type === "retried").map(({ data }) => data);
    expect(retried).toMatchObject([
      { attempt: 1, error: "failure 1", delayMs: 200 },
      { attempt: 2, error: "failure 2", delayMs: 600 },
    ]);
    expect(await stage.event("succeeded", runId)).toMatchObject({ attempt: 3 });
  });

  test("for the last time leaves a dead letter with payload, headers, error and stack", async () => {
    const stage = await Stage.open(server());
    const seen = await stage.attempts("doomed", function failing({ attempt }) {
      throw new TypeError(`broken\nfor the ${attempt}. time`);
    });
    const { runId } = await stage.client.enqueue({
      queue: "doomed",
      payload: { order: 9 },
      headers: { "X-Trace": "t" },
      retry: { maxAttempts: 2, initialDelay: 1 },
    });
    const letter = await stage.deadLetter("doomed");
    await stage.workIsEmpty();
    expect(seen).toHaveLength(2);
    expect(JSON.parse(letter.body)).toEqual({ order: 9 });
    expect(letter.header("X-Trace")).toBe("t");
    expect(letter.header(h.runId)).toBe(runId);
    expect(letter.header(h.error)).toBe("broken | for the 2. time");
    expect(letter.header(h.errorStack)).toMatch(/^TypeError \| at failing .*jobs\.test\.ts/);
    expect(letter.header(h.reason)).toBe("the last attempt failed");
    expect(letter.header(h.attempts)).toBe("2");
    expect(letter.header(h.subject)).toBe(stage.names.job("doomed", runId));
    expect(await stage.event("dead", runId)).toMatchObject({ attempt: 2 });
  });

  test("with an error that is not retryable leaves a dead letter at once", async () => {
    const stage = await Stage.open(server());
    const seen = await stage.attempts("strict", () => {
      throw new NonRetryableError("no such customer");
    });
    await stage.client.enqueue({ queue: "strict", payload: [1] });
    const letter = await stage.deadLetter("strict");
    await stage.workIsEmpty();
    expect(seen).toHaveLength(1);
    expect(letter.body).toBe("[1]");
    expect(letter.header(h.error)).toBe("no such customer");
    expect(letter.header(h.errorStack)).toMatch(/NonRetryableError \| at .*jobs\.test\.ts/);
    expect(letter.header(h.reason)).toBe("not retryable");
  });

  test("does not make its subject taken for ever: the key is free again", async () => {
    const stage = await Stage.open(server());
    await stage.attempts("strict", () => {
      throw new NonRetryableError("no");
    });
    await stage.client.enqueue({ queue: "strict", unique: "k" });
    await stage.workIsEmpty();
    expect((await stage.client.enqueue({ queue: "strict", unique: "k" })).accepted).toBe(true);
    await until(async () => expect(await stage.deadCount()).toBe(2));
  });
});
