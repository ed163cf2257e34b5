/** Pauses and settings that reach workers while they run. */
import { pino } from "pino";
import { expect, test } from "vitest";
import { isOlder } from "../../src/nats/server-check.js";
import { latch, Stage, serverOf } from "../support/stage.js";
import { until } from "../support/until.js";

const server = serverOf();

/** Whether the server gave a worker without the SDK a job that lies there. */
async function bareWorkerGets(stage: Stage, queue: string): Promise<boolean> {
  const consumer = await stage.js.consumers.get(stage.names.work, `work-${queue}`);
  const message = await consumer.next({ expires: 1_000 });
  message?.nak();
  return message !== null;
}

test("a pause stops workers at once, lets running jobs end, and a resume starts them again", async () => {
  const stage = await Stage.orchestrated(server());
  const { client } = stage.punctual;
  const gate = latch();
  const seen: unknown[] = [];
  const told: string[] = [];
  const log = pino({ level: "info" }, { write: (line: string) => told.push(JSON.parse(line).msg) });
  const place = await Stage.open(server(), { namespace: stage.names.namespace, log });
  await place.work("mail", { concurrency: 2 }, async (job) => {
    seen.push(job.payload);
    if (job.payload === "long") await gate.waited;
  });
  await client.enqueue({ queue: "mail", payload: "long" });
  await until(() => seen.length === 1);
  const paused = await client.queues.pause("mail", "the mail server moves");
  expect(paused).toMatchObject({ paused: true, asked: { paused: true, note: "the mail server moves" } });
  const canPause = !isOlder(stage.raw.info?.version ?? "", "2.11.0");
  expect(paused.bareWorkersPaused).toBe(canPause);
  await until(() => told.includes("the queue is paused"));
  await client.enqueue({ queue: "mail", payload: "next" });
  await client.enqueue({ queue: "mail", payload: "urgent", priority: "high" });
  expect(await bareWorkerGets(stage, "mail")).toBe(!canPause);
  gate.release();
  await stage.event("succeeded");
  expect(seen).toEqual(["long"]);
  const resumed = await client.queues.resume("mail");
  expect(resumed).toMatchObject({ paused: false, bareWorkersPaused: false, asked: {} });
  await until(() => seen.length === 3);
  expect([...seen].sort()).toEqual(["long", "next", "urgent"]);
});

test("a pause ends by itself, also for the worker that was started in it", async () => {
  const stage = await Stage.orchestrated(server());
  const { client } = stage.punctual;
  await client.queues.put("mail", {});
  const until_ = Date.now() + 700;
  await client.queues.pause("mail", undefined, { until: until_ });
  await client.enqueue({ queue: "mail", payload: 1 });
  const at: number[] = [];
  await stage.work("mail", {}, () => void at.push(Date.now()));
  await until(() => at.length === 1);
  expect(at[0]).toBeGreaterThanOrEqual(until_);
  expect(await client.queues.get("mail")).toMatchObject({ paused: false });
});

test("a shorter ack wait reaches the jobs that run: none is given to another worker", async () => {
  const stage = await Stage.orchestrated(server());
  const { client } = stage.punctual;
  const gate = latch();
  let attempts = 0;
  await stage.work("mail", {}, async () => {
    attempts++;
    await gate.waited;
  });
  await client.enqueue({ queue: "mail", payload: 1 });
  await until(() => attempts === 1);
  await client.queues.put("mail", { ackWait: "400ms" });
  const other = await Stage.open(server(), { namespace: stage.names.namespace });
  await other.work("mail", {}, () => void attempts++);
  const from = performance.now();
  await until(() => performance.now() - from > 1_500);
  gate.release();
  await until(async () => (await stage.consumer("mail"))?.num_ack_pending === 0);
  expect(attempts).toBe(1);
});
