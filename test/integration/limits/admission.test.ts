import { headers as natsHeaders } from "@nats-io/transport-node";
import { describe, expect, test } from "vitest";
import { BareWorker } from "../../support/bare-worker.js";
import { until } from "../../support/scene.js";
import { expectRefusal, latch, Stage, serverOf } from "../../support/stage.js";

const server = serverOf();

/** By each way a job can come, some jobs of two keys. */
const ways: [string, (stage: Stage, key: string, id: string) => Promise<unknown>][] = [
  [
    "the front door",
    (stage, key, id) => {
      const headers = natsHeaders();
      headers.set("Punctual-Key", key);
      headers.set("Nats-Msg-Id", id);
      return stage.js.publish(stage.names.enqueue("mail"), "1", { headers });
    },
  ],
  [
    "the API",
    (stage, key, jobId) =>
      stage.raw.request(stage.names.api("job.enqueue"), JSON.stringify({ queue: "mail", key, jobId })),
  ],
  ["the SDK", (stage, key, jobId) => stage.client.enqueue({ queue: "mail", key, jobId })],
];

describe("a queue with limits", () => {
  test.each(ways)("keeps them for jobs that come by %s", async (_, enqueue) => {
    const stage = await Stage.orchestrated(server());
    await stage.client.queues.put("mail", { perKey: { order: true } });
    const go = latch();
    const worker = await BareWorker.start(stage, "mail", () => go.waited);
    for (let i = 0; i < 10; i++) for (const key of ["a", "b"]) await enqueue(stage, key, `${key}-${i}`);
    await until(() => expect(worker.delivered.map(({ runId }) => runId).sort()).toEqual(["a-0", "b-0"]));
    await until(async () =>
      expect(await stage.client.queues.get("mail")).toMatchObject({ waiting: 18, running: 2 }),
    );
    go.release();
    await until(() => expect(worker.done).toHaveLength(20));
    for (const key of ["a", "b"]) {
      const order = worker.done.filter((job) => job.key === key).map(({ runId }) => runId);
      expect(order).toEqual(Array.from({ length: 10 }, (_, i) => `${key}-${i}`));
      expect(worker.most.get(key)).toBe(1);
    }
    await stage.workIsEmpty();
  });

  test("answers that a job waits at its gate, also one that somebody triggers, and that others are queued", async () => {
    const stage = await Stage.orchestrated(server());
    const { client } = stage;
    await client.queues.put("mail", { rate: "1/h" });
    const ask = async (job: object) =>
      (await stage.raw.request(stage.names.api("job.enqueue"), JSON.stringify(job))).json();
    expect(await client.enqueue({ queue: "mail", jobId: "a" })).toMatchObject({ state: "waiting" });
    expect(await ask({ queue: "mail", jobId: "b" })).toEqual({
      runId: "b",
      accepted: true,
      state: "waiting",
    });
    expect(await ask({ queue: "free", jobId: "c" })).toEqual({ runId: "c", accepted: true, state: "queued" });
    await client.schedules.put("s", { every: "1d", queue: "mail" });
    expect(await client.schedules.trigger("s", { overlap: "allow" })).toMatchObject({ state: "waiting" });
    expect(await client.schedules.trigger("s")).toMatchObject({ state: "queued" });
    await until(async () => expect(await client.queues.get("mail")).toMatchObject({ waiting: 2, queued: 2 }));
  });

  test("has its jobs in the history when they have passed, and tells the SDK's worker their key", async () => {
    const stage = await Stage.orchestrated(server());
    await stage.client.queues.put("mail", { rate: "100/s" });
    const seen = await stage.attempts("mail");
    await stage.client.enqueue({ queue: "mail", key: "customer-7", jobId: "one" });
    await stage.event("succeeded", "one");
    expect(seen[0]?.job.headers["Punctual-Key"]).toBe("customer-7");
    const queued = await stage.messages(stage.names.runs, stage.names.allQueued);
    expect(queued.map(({ subject }) => subject)).toEqual([
      stage.names.queued(stage.names.job("mail", "one")),
    ]);
  });

  test("tells of a run that waits at the gate, and of the same when it is done", async () => {
    const stage = await Stage.orchestrated(server());
    await stage.client.queues.put("mail", { perKey: { order: true } });
    const go = latch();
    await stage.attempts("mail", () => go.waited);
    for (const jobId of ["one", "two"]) await stage.client.enqueue({ queue: "mail", key: "a", jobId });
    await until(async () =>
      expect(await stage.client.runs.get("two")).toMatchObject({
        state: "waiting",
        queue: "mail",
        reason: "limits",
      }),
    );
    go.release();
    await until(async () =>
      expect(await stage.client.runs.get("two")).toMatchObject({ state: "succeeded", reason: null }),
    );
  });

  test("keeps them for jobs that come at their time", async () => {
    const stage = await Stage.orchestrated(server());
    await stage.client.queues.put("mail", { perKey: { concurrency: 1 } });
    const go = latch();
    const worker = await BareWorker.start(stage, "mail", () => go.waited);
    const at = new Date(Date.now() + 500).toISOString();
    for (const jobId of ["one", "two", "three"])
      await stage.client.enqueue({ queue: "mail", key: "a", jobId, at });
    await until(async () => expect(await stage.client.queues.get("mail")).toMatchObject({ waiting: 2 }));
    expect(await stage.inWork()).toContain(stage.names.ticket("mail", "a", 1));
    go.release();
    await until(() => expect(worker.done).toHaveLength(3));
    expect(worker.most.get("a")).toBe(1);
  });

  test("lets a run be cancelled that waits at the gate, and those behind it go on", async () => {
    const stage = await Stage.orchestrated(server());
    await stage.client.queues.put("mail", { perKey: { order: true } });
    const go = latch();
    const seen = await stage.attempts("mail", () => go.waited);
    for (const jobId of ["one", "two", "three"])
      await stage.client.enqueue({ queue: "mail", key: "a", jobId });
    await until(async () => expect(await stage.client.runs.get("two")).toMatchObject({ state: "waiting" }));
    await stage.client.runs.cancel("two");
    await until(async () => expect(await stage.client.runs.get("two")).toMatchObject({ state: "cancelled" }));
    go.release();
    await until(() => expect(seen.map(({ runId }) => runId)).toEqual(["one", "three"]));
    await stage.workIsEmpty();
  });

  test("refuses a second job with an id that waits, and skips one whose id runs when it may pass", async () => {
    const stage = await Stage.orchestrated(server());
    await stage.client.queues.put("mail", { rate: "100/s", paused: true });
    const first = await stage.client.enqueue({ queue: "mail", jobId: "one", unique: "report" });
    const second = await stage.client.enqueue({ queue: "mail", jobId: "two", unique: "report" });
    expect([first.accepted, second.accepted]).toEqual([true, false]);
    const go = latch();
    await BareWorker.start(stage, "mail", () => go.waited);
    await stage.client.queues.resume("mail");
    await until(async () => expect(await stage.inWork()).toEqual([stage.names.job("mail", "report")]));
    await stage.client.enqueue({ queue: "mail", jobId: "three", unique: "report" });
    expect(await stage.event("skipped", "three")).toMatchObject({ reason: expect.stringMatching(/running/) });
  });

  test("refuses a key that can be none, naming the field", async () => {
    const stage = await Stage.orchestrated(server());
    await expectRefusal(
      stage.client.enqueue({ queue: "mail", key: "a b" }),
      "invalid",
      /key: expected 1 to 128 characters .*got "a b"/,
    );
    const answer = await stage.raw.request(stage.names.api("job.enqueue"), '{"queue":"mail","key":""}');
    expect(answer.headers?.get("Nats-Service-Error-Code")).toBe("400");
    expect(answer.json()).toMatchObject({ code: "invalid", issues: [{ path: "key" }] });
  });
});
