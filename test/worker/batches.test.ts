import { describe, expect, expectTypeOf, test } from "vitest";
import { z } from "zod";
import { headers as h } from "../../src/protocol/headers.js";
import type { BatchHandler, BatchJob } from "../../src/worker/batches.js";
import { NonRetryableError } from "../../src/worker/errors.js";
import type { BatchOptions } from "../../src/worker/options.js";
import { startBatchWorker } from "../../src/worker/start.js";
import type { Worker } from "../../src/worker/worker.js";
import { Bench } from "./support.js";

/** A worker of batches, and jobs that are called a, b, c, … */
class BatchBench extends Bench {
  readonly batches: (readonly BatchJob[])[] = [];
  readonly held: { resolve(value?: unknown): void; reject(error: unknown): void }[] = [];

  startBatches(handler: BatchHandler, options: BatchOptions = {}): Promise<Worker> {
    return startBatchWorker(this.ports, "mail", { id: "w1", settleWithinMs: 0, ...options }, handler);
  }

  /** Batches that run until `held` says how they end. */
  hold(options: BatchOptions = {}): Promise<Worker> {
    return this.startBatches((jobs) => {
      this.batches.push(jobs);
      this.journal.add(`batch of ${jobs.map(({ runId }) => runId).join("")}`);
      return new Promise((resolve, reject) => this.held.push({ resolve, reject }));
    }, options);
  }

  deliverAll(names: string, headers: Record<string, string> = {}): void {
    for (const name of names) {
      const seq = name.charCodeAt(0);
      this.deliver({ seq, key: name, payload: name, headers: { [h.runId]: name, ...headers } });
    }
  }

  /** Type and run of every event, as `succeeded a`. */
  get told(): string[] {
    return this.events.map(({ type, runId }) => `${type} ${runId}`);
  }
}

describe("a batch", () => {
  test("begins when it is full, and the worker holds no more than it may run", async () => {
    const bench = new BatchBench();
    await bench.hold({ size: 3, concurrency: 2 });
    expect(bench.consumed?.concurrency).toBe(6);
    bench.deliverAll("abcdefg");
    await bench.journal.until("batch of abc");
    await bench.journal.until("batch of def");
    bench.held[0]?.resolve();
    await bench.journal.until("ack", 3);
    expect(bench.batches).toHaveLength(2);
    bench.clock.advance(1_000);
    await bench.journal.until("batch of g");
  });

  test("begins when its first job has waited long enough, if one may run", async () => {
    const bench = new BatchBench();
    await bench.hold({ size: 3, maxWaitMs: 400 });
    bench.deliverAll("ab");
    await bench.idle();
    bench.clock.advance(399);
    await bench.idle();
    expect(bench.batches).toHaveLength(0);
    bench.clock.advance(1);
    await bench.journal.until("batch of ab");
    bench.deliverAll("c");
    await bench.idle();
    bench.clock.advance(400);
    await bench.idle();
    expect(bench.batches).toHaveLength(1);
    bench.held[0]?.resolve();
    await bench.journal.until("batch of c");
  });

  test("does not wait for others when the worker drains", async () => {
    const bench = new BatchBench();
    const worker = await bench.hold({ size: 3, maxWaitMs: 60_000 });
    bench.deliverAll("a");
    await bench.idle();
    const stopped = worker.stop();
    await bench.journal.until("batch of a");
    bench.held[0]?.resolve();
    await stopped;
    expect(bench.done.slice(-2)).toEqual(["append succeeded", "ack"]);
    expect(bench.clock.pending).toBe(0);
  });
});

describe("what a batch handler says", () => {
  const outcomes = async (handler: BatchHandler, names = "abc"): Promise<BatchBench> => {
    const bench = new BatchBench();
    await bench.startBatches(handler, { size: names.length });
    bench.deliverAll(names);
    while (bench.done.filter((line) => /^(ack|nak|term)/.test(line)).length < names.length)
      await bench.idle();
    return bench;
  };
  const error = (bench: Bench, runId: string) =>
    bench.events.find((event) => event.runId === runId)?.data.error;

  test("by returning nothing: all are done", async () => {
    const bench = await outcomes(() => {});
    expect(bench.done.filter((line) => line === "ack")).toHaveLength(3);
  });

  test("by an array, each in its place", async () => {
    const bench = await outcomes(() => [1, new Error("no"), new NonRetryableError("never")]);
    expect(bench.dataOf("retried")).toMatchObject({ error: "no", delayMs: 1_000 });
    expect(bench.dataOf("dead")).toMatchObject({ error: "never", reason: "not retryable" });
    expect(bench.told.filter((line) => line.startsWith("retried"))).toEqual(["retried b"]);
    expect(bench.letters).toHaveLength(1);
  });

  test("by what Promise.allSettled makes", async () => {
    const bench = await outcomes((jobs) =>
      Promise.allSettled(jobs.map(async ({ runId }) => (runId === "b" ? Promise.reject("no") : runId))),
    );
    expect(error(bench, "b")).toBe("no");
    expect(bench.done.filter((line) => line === "ack")).toHaveLength(2);
  });

  test("by a Map, in which each job must be", async () => {
    const bench = await outcomes(() => new Map<string, unknown>([["a", 1]]), "ab");
    expect(error(bench, "b")).toBe("the batch handler returned no result for this job");
    expect(bench.done).toContain("ack");
  });

  test("job by job, before it is over, and the first word counts", async () => {
    const bench = new BatchBench();
    await bench.hold({ size: 3 });
    bench.deliverAll("abc");
    await bench.journal.until("batch of abc");
    const [a, b] = bench.batches[0] as [BatchJob, BatchJob];
    a.succeed("early");
    await bench.journal.until("ack");
    b.fail(new Error("early too"));
    b.succeed();
    await bench.journal.until("nak 1000");
    bench.held[0]?.reject(new Error("late"));
    await bench.journal.until("nak 1000", 2);
    expect(error(bench, "b")).toBe("early too");
    expect(error(bench, "c")).toBe("late");
  });

  test("by throwing: all that are left have failed", async () => {
    const bench = await outcomes(() => {
      throw new Error("all");
    });
    expect(["a", "b", "c"].map((runId) => error(bench, runId))).toEqual(["all", "all", "all"]);
  });

  test.each([
    [[1, 2], "the batch handler returned 2 results for 3 jobs"],
    [7, "expected the batch handler to return nothing, an array or a Map"],
  ])("and what means nothing is a failure: %j", async (result, message) => {
    const bench = await outcomes(() => result);
    expect(error(bench, "c")).toBe(message);
  });
});

describe("a job in a batch", () => {
  test("that is cancelled before it begins is not in it", async () => {
    const bench = new BatchBench();
    await bench.hold({ size: 3 });
    bench.deliverAll("ab");
    await bench.idle();
    bench.cancel("a");
    await bench.journal.until("append cancelled");
    bench.deliverAll("cd");
    await bench.journal.until("batch of bcd");
    expect(bench.told).toEqual(["cancelled a"]);
  });

  test("has its own timeout and grace; the others go on", async () => {
    const bench = new BatchBench();
    await bench.hold({ size: 2, abortGraceMs: 100 });
    bench.deliverAll("a", { [h.timeout]: "500" });
    bench.deliverAll("b");
    await bench.journal.until("batch of ab");
    bench.clock.advance(500);
    const [a, b] = bench.batches[0] as [BatchJob, BatchJob];
    expect(a.signal.reason).toMatchObject({ why: "timeout" });
    expect(b.signal.aborted).toBe(false);
    bench.clock.advance(100);
    await bench.journal.until("nak 1000");
    bench.held[0]?.resolve();
    await bench.journal.until("ack");
    expect(bench.dataOf("retried")).toMatchObject({ error: "timed out after 500 ms" });
  });

  test("is beaten for while it waits and while it runs", async () => {
    const bench = new BatchBench();
    await bench.hold({ size: 2, maxWaitMs: 60_000 });
    bench.deliverAll("a");
    await bench.idle();
    bench.clock.advance(10_000);
    expect(bench.done.filter((line) => line === "working")).toHaveLength(1);
    bench.deliverAll("b");
    await bench.journal.until("batch of ab");
    bench.clock.advance(10_000);
    expect(bench.done.filter((line) => line === "working")).toHaveLength(3);
  });

  test("has the payload's type", async () => {
    const bench = new Bench();
    const schema = z.object({ to: z.string() });
    await startBatchWorker(bench.ports, "mail", { schema, size: 1 }, (jobs) => {
      expectTypeOf(jobs[0]?.payload.to).toEqualTypeOf<string | undefined>();
      return jobs.map(({ payload }) => payload.to);
    });
    bench.deliver({ payload: { to: "a" } });
    await bench.journal.until("ack");
  });
});

test.each([
  [{ size: 0 }, /size: expected at least 1/],
  [{ size: 1_000, concurrency: 11 }, /concurrency: expected at most 10000 jobs at once/],
  [{ maxWaitMs: 60_001 }, /maxWaitMs/],
  [{ batch: 3 }, /unknown field "batch"/],
])("refuses %j", async (options, message) => {
  const start = async () => startBatchWorker(new Bench().ports, "mail", options as object, () => {});
  await expect(start()).rejects.toThrow(message);
});
