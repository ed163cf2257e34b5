import { describe, expect, test } from "vitest";
import { headers as h } from "../../src/protocol/headers.js";
import { workerOptions } from "../../src/worker/options.js";
import { startWorker } from "../../src/worker/start.js";
import { Worker } from "../../src/worker/worker.js";
import { Bench, firedHeaders, HeldHandler } from "./support.js";

describe("a worker", () => {
  test("asks for as many jobs as it may run", async () => {
    const bench = new Bench();
    await bench.start(() => {});
    expect(bench.consumed?.concurrency).toBe(10);
  });

  test("tells the server of its running jobs every third of the ack wait", async () => {
    const bench = new Bench();
    const held = new HeldHandler(bench.journal);
    await bench.start(held.handle);
    bench.deliver({ seq: 1 });
    bench.deliver({ seq: 2 });
    await bench.journal.until("handler", 2);
    bench.clock.advance(9_999);
    expect(bench.done).not.toContain("working");
    bench.clock.advance(1);
    expect(bench.done.filter((line) => line === "working")).toHaveLength(2);
    bench.clock.advance(10_000);
    expect(bench.done.filter((line) => line === "working")).toHaveLength(4);
    held.resolve();
    await bench.journal.until("ack", 2);
    await bench.idle();
    bench.clock.advance(10_000);
    expect(bench.done.filter((line) => line === "working")).toHaveLength(4);
  });

  test("announces itself until it leaves", async () => {
    const bench = new Bench();
    bench.ports.members = bench.membership();
    const worker = await bench.start(() => {});
    bench.clock.advance(3_333);
    expect(bench.members).toHaveLength(2);
    expect(bench.members[1]).toMatchObject({ role: "worker", id: "w1", pid: process.pid, queues: ["mail"] });
    await worker.stop();
    bench.clock.advance(10_000);
    expect(bench.members).toHaveLength(2);
    expect(bench.done).toEqual(["announced", "announced", "pull ended", "left"]);
    expect(bench.clock.pending).toBe(0);
  });

  test("makes an id when it is given none", async () => {
    const bench = new Bench();
    const worker = await bench.start(() => {}, { id: undefined });
    expect(worker.id).toMatch(/^[A-Za-z0-9][A-Za-z0-9_-]{3,63}$/);
  });

  test.each([
    [{ concurrency: 0 }, /worker options: concurrency: expected at least 1/],
    [{ concurency: 5 }, /unknown field "concurency"/],
    [{ drainTimeoutMs: -1 }, /drainTimeoutMs/],
    [{ heartbeatMs: 30_000 }, /heartbeatMs: expected less than 30000, the ack wait of queue mail, got 30000/],
    [{ schema: "string" }, /schema: expected a zod schema/],
    [{ id: "a.b" }, /id: expected letters/],
  ])("refuses %j", async (options, message) => {
    const bench = new Bench();
    const start = async () => startWorker(bench.ports, "mail", options as object, () => {});
    await expect(start()).rejects.toThrow(message);
    expect(bench.consumed).toBeUndefined();
  });

  test("refuses a queue that cannot be", async () => {
    const bench = new Bench();
    expect(() => startWorker(bench.ports, "a.b", {}, () => {})).toThrow(/queue: expected/);
  });
});

describe("a drain", () => {
  test("ends the pull and waits for the jobs that run", async () => {
    const bench = new Bench();
    const held = new HeldHandler(bench.journal);
    const worker = await bench.start(held.handle);
    bench.deliver();
    await bench.journal.until("handler");
    const stopped = worker.stop().then(() => bench.journal.add("stopped"));
    await bench.journal.until("pull ended");
    bench.clock.advance(29_999);
    held.resolve();
    await stopped;
    expect(bench.done.slice(-3)).toEqual(["append succeeded", "ack", "stopped"]);
    expect(bench.clock.pending).toBe(0);
  });

  test("is the same one when asked for again", async () => {
    const bench = new Bench();
    const worker = await bench.start(() => {});
    expect(worker.stop()).toBe(worker.stop());
    await worker.stop();
    expect(bench.done).toEqual(["pull ended"]);
  });

  test("waits for a start that is under way", async () => {
    const bench = new Bench();
    const worker = new Worker(bench.ports, "mail", workerOptions.parse({}), { handle: () => {} });
    const [started] = [worker.start(), worker.stop()];
    await started;
    await worker.stop();
    expect(bench.done).toEqual(["pull ended"]);
    expect(bench.clock.pending).toBe(0);
    await expect(worker.start()).rejects.toThrow(/was started before/);
  });

  test("aborts and gives back what takes too long", async () => {
    const bench = new Bench();
    const held = new HeldHandler(bench.journal);
    const worker = await bench.start(held.handle, { drainTimeoutMs: 1_000 });
    bench.deliver();
    await bench.journal.until("handler");
    const stopped = worker.stop();
    await bench.journal.until("timer 1000");
    bench.clock.advance(1_000);
    await bench.journal.until("aborted");
    held.reject(held.jobs[0]?.signal.reason);
    await stopped;
    expect(bench.done.slice(-2)).toEqual(["append retried", "nak 0"]);
    expect(bench.dataOf("retried")).toMatchObject({
      attempt: 1,
      error: "the worker was stopped",
      delayMs: 0,
    });
    expect(bench.clock.pending).toBe(0);
  });

  test("gives back what ignores the signal, after a grace", async () => {
    const bench = new Bench();
    const held = new HeldHandler(bench.journal);
    const worker = await bench.start(held.handle, { drainTimeoutMs: 1_000, abortGraceMs: 300 });
    bench.deliver();
    await bench.journal.until("handler");
    const stopped = worker.stop();
    await bench.journal.until("timer 1000");
    bench.clock.advance(1_000);
    await bench.journal.until("timer 300");
    bench.clock.advance(300);
    await stopped;
    expect(bench.done.slice(-2)).toEqual(["append retried", "nak 0"]);
  });

  test("keeps the success of a job that ends while it is aborted", async () => {
    const bench = new Bench();
    const held = new HeldHandler(bench.journal);
    const worker = await bench.start(held.handle, { drainTimeoutMs: 0 });
    bench.deliver();
    await bench.journal.until("handler");
    const stopped = worker.stop();
    await bench.journal.until("timer 0");
    bench.clock.advance(0);
    held.resolve();
    await stopped;
    expect(bench.done.slice(-2)).toEqual(["append succeeded", "ack"]);
  });

  test("cannot give back a last attempt: the job goes to the dead letters", async () => {
    const bench = new Bench();
    const held = new HeldHandler(bench.journal);
    const worker = await bench.start(held.handle, { drainTimeoutMs: 0 });
    bench.deliver({ headers: { ...firedHeaders, [h.maxAttempts]: "1" } });
    await bench.journal.until("handler");
    const stopped = worker.stop();
    await bench.journal.until("timer 0");
    bench.clock.advance(0);
    held.reject("late");
    await stopped;
    expect(bench.letters[0]?.reason).toBe("the worker was stopped during the last attempt");
  });

  test("does not wait for a store that is gone", async () => {
    const bench = new Bench();
    bench.broken.add("append succeeded");
    const worker = await bench.start(() => {}, { drainTimeoutMs: 50 });
    bench.deliver();
    await bench.journal.until("timer 100");
    const stopped = worker.stop();
    await bench.journal.until("timer 50");
    bench.clock.advance(50);
    await stopped;
    expect(bench.done).toEqual(["append succeeded failed", "pull ended", "append succeeded failed"]);
  });

  test("gives back at once what still arrives", async () => {
    const bench = new Bench();
    const worker = await bench.start(() => bench.journal.add("handler"));
    await worker.stop();
    bench.deliver();
    expect(bench.done).toEqual(["pull ended", "nak 0"]);
  });
});
