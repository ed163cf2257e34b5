/** Dead letters that are retried obey the limits of their queue, as any job does. */
import { expect, test } from "vitest";
import { until } from "../../support/scene.js";
import { expectRefusal, latch, Stage, serverOf } from "../../support/stage.js";

const server = serverOf();

/** The ids of the letters, when there are so many, the oldest first. */
async function letters(stage: Stage, count: number): Promise<number[]> {
  return until(async () => {
    const ids: number[] = [];
    for await (const { id } of stage.client.deadLetters.list()) ids.push(id);
    expect(ids).toHaveLength(count);
    return ids.reverse();
  });
}

const failing = { queue: "mail", payload: "fail", retry: { maxAttempts: 1 } };

test("a retry waits at the gate for the rate of its queue", async () => {
  const stage = await Stage.orchestrated(server());
  const { client, names } = stage;
  await client.queues.put("mail", { rate: "1/h" });
  let isMended = false;
  const seen = await stage.attempts("mail", () => {
    if (!isMended) throw new Error("no route");
  });
  await client.enqueue({ ...failing, jobId: "a", priority: "high" });
  const [id = 0] = await letters(stage, 1);
  isMended = true;
  const retried = await client.deadLetters.retry(id);
  expect(retried).toMatchObject({ to: "gate" });
  expect(await letters(stage, 0)).toEqual([]);
  expect(await stage.inWork()).toEqual([names.gate("mail", null, "a")]);
  await until(async () => expect((await client.runs.get(retried.runId)).state).toBe("waiting"));
  expect(seen).toHaveLength(1);
  await client.queues.put("mail", { rate: "1000/s" });
  await stage.event("succeeded", retried.runId);
  const queued = await stage.messages(names.runs, names.queued(names.job("mail", "a", "high")));
  expect(queued).toHaveLength(2);
});

test("retries of a key take its tickets, and none runs beside another", async () => {
  const stage = await Stage.orchestrated(server());
  const { client } = stage;
  await client.queues.put("mail", { perKey: { order: true } });
  const go = latch();
  let [running, most, isMended] = [0, 0, false];
  const ran: string[] = [];
  await stage.work("mail", { concurrency: 10 }, async ({ runId, payload }) => {
    most = Math.max(most, ++running);
    try {
      if (payload === "busy") await go.waited;
      else if (!isMended) throw new Error("no route");
      ran.push(runId);
    } finally {
      running--;
    }
  });
  for (const jobId of ["a", "b", "c"]) await client.enqueue({ ...failing, jobId, key: "k" });
  const ids = await letters(stage, 3);
  isMended = true;
  await client.enqueue({ queue: "mail", jobId: "busy", key: "k", payload: "busy" });
  await until(() => expect(running).toBe(1));
  const retries: string[] = [];
  for (const id of ids) {
    const { runId, to } = await client.deadLetters.retry(id);
    expect(to).toBe("gate");
    retries.push(runId);
  }
  await until(async () => expect(await client.queues.get("mail")).toMatchObject({ waiting: 3, running: 1 }));
  go.release();
  await until(() => expect(ran).toEqual(["busy", ...retries]));
  expect(most).toBe(1);
});

test("a letter stays while its queue is full, or a job with its id is queued", async () => {
  const stage = await Stage.orchestrated(server());
  const { client } = stage;
  await client.queues.put("mail", { rate: "1000/s" });
  const worker = await stage.work("mail", {}, () => {
    throw new Error("no route");
  });
  await client.enqueue({ ...failing, jobId: "a" });
  const [id = 0] = await letters(stage, 1);
  await worker.stop();
  await client.enqueue({ queue: "mail", jobId: "b", unique: "a" });
  await until(async () => expect(await stage.inWork()).toEqual([stage.names.job("mail", "a")]));
  await expectRefusal(client.deadLetters.retry(id), "conflict", /run b is queued or running/);
  await client.queues.put("mail", { maxDepth: 1 });
  await until(() => expectRefusal(client.deadLetters.retry(id), "full", /letter \d+ stays: .*maxDepth/));
  expect(await letters(stage, 1)).toEqual([id]);
});
