import { headers as natsHeaders } from "@nats-io/transport-node";
import { describe, expect, test } from "vitest";
import type { QueueRequest } from "../../../src/core/queue.js";
import { excess } from "../../core/rate-bound.js";
import { BareWorker } from "../../support/bare-worker.js";
import { Pair } from "../../support/pair.js";
import { until } from "../../support/scene.js";
import { latch, serverOf } from "../../support/stage.js";

const server = serverOf();
const QUEUE = "mail";

async function governed(asked: QueueRequest): Promise<Pair> {
  const pair = await Pair.open(server());
  await pair.ports.queues.ensure(QUEUE, asked);
  return pair;
}

/** Puts jobs to the gate, as any producer could, in order. */
async function waiting(
  pair: Pair,
  jobs: readonly { key: string | null; id: string }[],
  queue = QUEUE,
): Promise<void> {
  const { names, js } = pair.stage;
  for (const { key, id } of jobs) {
    const headers = natsHeaders();
    headers.set("Punctual-Run-Id", id);
    if (key !== null) headers.set("Punctual-Key", key);
    await js.publish(names.gate(queue, key, id), `"${id}"`, { headers, msgID: `${id}/1` });
  }
}

const jobsOf = (keys: readonly (string | null)[], each: number) =>
  Array.from({ length: each }, (_, i) => keys.map((key) => ({ key, id: `${key ?? "none"}-${i}` }))).flat();

describe("concurrency per key", () => {
  test("is kept with a worker that takes all it can get, across a takeover", async () => {
    const pair = await governed({ perKey: { concurrency: 2, order: false } });
    await waiting(pair, jobsOf(["a", "b", null], 20));
    const go = latch();
    let crashed: Promise<void> | undefined;
    const worker = await BareWorker.start(pair.stage, QUEUE, async () => {
      if (worker.done.length === 15) crashed ??= pair.crashHolder();
      await go.waited;
    });
    await until(() => expect(worker.delivered.filter(({ key }) => key !== "")).toHaveLength(4));
    go.release();
    await until(() => expect(worker.done).toHaveLength(60));
    await crashed;
    await pair.stage.workIsEmpty();
    expect(worker.most.get("a")).toBe(2);
    expect(worker.most.get("b")).toBe(2);
    expect(new Set(worker.done.map(({ runId }) => runId)).size).toBe(60);
    expect(worker.delivered).toHaveLength(60);
  });
});

describe("order per key", () => {
  test("is exact with jobs that are tried again and keepers that die in the middle", async () => {
    const pair = await governed({ perKey: { order: true } });
    const jobs = jobsOf(["a", "b", "c"], 25);
    await waiting(pair, jobs);
    let crashed: Promise<void> | undefined;
    const worker = await BareWorker.start(pair.stage, QUEUE, async ({ runId, attempt }) => {
      if (worker.done.length === 20) crashed ??= pair.crashHolder();
      return attempt === 1 && runId.endsWith("3") ? 30 : undefined;
    });
    await until(() => expect(worker.done).toHaveLength(jobs.length));
    await crashed;
    await pair.stage.workIsEmpty();
    for (const key of ["a", "b", "c"]) {
      const order = worker.done.filter((job) => job.key === key).map(({ runId }) => runId);
      expect(order).toEqual(Array.from({ length: 25 }, (_, i) => `${key}-${i}`));
      expect(worker.most.get(key)).toBe(1);
    }
    expect(worker.delivered).toHaveLength(jobs.length + 9);
  });

  test("of one key that is stuck holds up no other", async () => {
    const pair = await governed({ perKey: { order: true } });
    await waiting(pair, jobsOf(["stuck"], 200));
    await waiting(pair, jobsOf(["x", "y", "z"], 5));
    const never = latch();
    const worker = await BareWorker.start(pair.stage, QUEUE, async ({ key }) => {
      if (key === "stuck") await never.waited;
    });
    await until(() => expect(worker.done).toHaveLength(15));
    expect(worker.delivered.filter(({ key }) => key === "stuck")).toHaveLength(1);
  });
});

describe("a rate", () => {
  test("of a queue is never passed by the server's own times, across a takeover", async () => {
    const rate = { limit: 40, periodMs: 1_000, burst: 5 };
    const pair = await governed({ rate });
    await waiting(pair, jobsOf([null], 80));
    let crashed: Promise<void> | undefined;
    const worker = await BareWorker.start(pair.stage, QUEUE, async () => {
      if (worker.done.length === 30) crashed ??= pair.crashHolder();
    });
    await until(() => expect(worker.done).toHaveLength(80));
    await crashed;
    const times = worker.delivered.map(({ storedAt }) => storedAt);
    expect(worker.delivered).toHaveLength(80);
    expect(excess(times, rate)).toBeLessThan(0.05);
    expect(worker.done.map(({ runId }) => runId)).toEqual(jobsOf([null], 80).map(({ id }) => id));
  });

  test("of a key is never passed, and holds up no other key", async () => {
    const rate = { limit: 20, periodMs: 1_000, burst: 2 };
    const pair = await governed({ perKey: { rate, order: false } });
    await waiting(pair, jobsOf(["slow"], 20));
    await waiting(pair, jobsOf(["x", "y", "z"], 2));
    const worker = await BareWorker.start(pair.stage, QUEUE, async () => {});
    await until(() => expect(worker.done).toHaveLength(26));
    const of = (key: string) => worker.delivered.filter((job) => job.key === key).map((job) => job.storedAt);
    expect(excess(of("slow"), rate)).toBeLessThan(0.05);
    expect(worker.done.at(-1)?.key).toBe("slow");
  });
});

describe("settings that change", () => {
  test("are felt at once: a pause holds, a queue without limits has its gate emptied in order", async () => {
    const pair = await governed({ perKey: { order: true }, paused: true });
    await pair.ports.queues.ensure("witness", { perKey: { order: true } });
    const worker = await BareWorker.start(pair.stage, QUEUE, async () => {});
    const witness = await BareWorker.start(pair.stage, "witness", async () => {});
    const jobs = jobsOf(["a", "b"], 10);
    await waiting(pair, jobs);
    await waiting(pair, [{ key: "w", id: "w" }], "witness");
    await until(() => expect(witness.done).toHaveLength(1));
    expect(worker.delivered).toEqual([]);
    const { revision } = (await pair.ports.queues.get(QUEUE)) as { revision: number };
    await pair.ports.queues.write(QUEUE, {}, revision);
    await until(() => expect(worker.done).toHaveLength(20));
    expect(worker.done.map(({ runId }) => runId)).toEqual(jobs.map(({ id }) => id));
    await pair.stage.workIsEmpty();
  });

  test("that are gone leave nobody behind: what waits at a gate that nobody knows passes", async () => {
    const pair = await Pair.open(server());
    await pair.ports.queues.ensure(QUEUE);
    await waiting(pair, jobsOf(["a", null], 3));
    const worker = await BareWorker.start(pair.stage, QUEUE, async () => {});
    await until(() => expect(worker.done).toHaveLength(6));
  });
});
