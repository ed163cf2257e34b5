/** Queues as people set them: through the API, by hand in the bucket, and what the server makes of it. */
import { Kvm } from "@nats-io/kv";
import { expect, test } from "vitest";
import { expectRefusal, Stage, serverOf } from "../support/stage.js";
import { until } from "../support/until.js";

const server = serverOf();

const configOf = async (stage: Stage, queue: string, lane = "work") =>
  (await stage.jsm.consumers.info(stage.names.work, `${lane}-${queue}`)).config;

/** As any program does. */
const ask = async (stage: Stage, endpoint: string, request: unknown): Promise<unknown> =>
  (await stage.raw.request(stage.names.api(endpoint), JSON.stringify(request))).json();

test("settings are put, patched and shown, and the consumers of all lanes follow at once", async () => {
  const stage = await Stage.orchestrated(server());
  const { queues } = stage.punctual.client;
  const put = await queues.put("mail", {
    ackWait: "30s",
    maxAttempts: 3,
    backoff: ["1s", "1m"],
    concurrency: 7,
  });
  expect(put).toMatchObject({
    queue: "mail",
    asked: { ackWait: "30s", maxAttempts: 3, backoff: ["1s", "1m"], concurrency: 7 },
    settings: { ackWait: "30s", paused: false, history: "full" },
    paused: false,
    queued: 0,
    lanes: [{ lane: "high" }, { lane: "work" }, { lane: "low" }],
  });
  for (const lane of ["high", "work", "low"])
    expect(await configOf(stage, "mail", lane)).toMatchObject({
      // The waits come after the ack wait, which JetStream's backoff would else replace.
      ack_wait: 31e9,
      backoff: [31e9, 90e9],
      max_deliver: 3,
      max_ack_pending: 7,
    });
  const patched = await queues.patch("mail", { backoff: null, ackWait: "2s" }, { ifRevision: put.revision });
  expect(patched.asked).toEqual({ ackWait: "2s", maxAttempts: 3, concurrency: 7 });
  const config = await configOf(stage, "mail");
  expect(config).toMatchObject({ ack_wait: 2e9, max_deliver: 3 });
  expect(config.backoff ?? []).toEqual([]);
  expect(await queues.get("mail")).toEqual(patched);
  expect(await queues.patch("mail", { ackWait: "2s" })).toEqual(patched);
  expect((await queues.put("mail", {})).asked).toEqual({});
  expect(await configOf(stage, "mail")).toMatchObject({
    ack_wait: 10e9,
    max_deliver: 5,
    max_ack_pending: 1_000,
  });
});

test("what somebody wrote into the bucket is followed, now and when an orchestrator starts", async () => {
  const stage = await Stage.orchestrated(server());
  const { queues } = stage.punctual.client;
  await queues.put("mail", {});
  const bucket = await new Kvm(stage.raw).open(stage.names.queues.bucket);
  await bucket.put("mail", '{"concurrency":3}');
  await until(async () => (await configOf(stage, "mail")).max_ack_pending === 3);
  // As after a crash between the write of the record and that of the consumers.
  await stage.jsm.consumers.update(stage.names.work, "low-mail", { max_ack_pending: 99 });
  const second = await stage.punctual.orchestrate();
  await until(async () => (await configOf(stage, "mail", "low")).max_ack_pending === 3);
  await second.stop();
  await bucket.put("mail", "{");
  expect(await queues.get("mail")).toMatchObject({ asked: {}, unreadable: /expected JSON/ });
  const anew = /expected JSON.*put the settings of queue mail anew/;
  await expectRefusal(queues.patch("mail", { maxDepth: 1 }), "conflict", anew);
  await queues.put("mail", { maxDepth: 1 });
  await bucket.delete("mail");
  await until(async () => (await queues.get("mail")).revision === 0);
});

test("fewer attempts lose no job that was tried more often: they count when none is under way", async () => {
  const stage = await Stage.orchestrated(server());
  const { client } = stage.punctual;
  await client.enqueue({ queue: "bare", jobId: "a", payload: 1 });
  const consumer = await stage.js.consumers.get(stage.names.work, "work-bare");
  const fail = async (attempt: number) => {
    const message = await consumer.next({ expires: 5_000 });
    expect(message?.info.deliveryCount).toBe(attempt);
    message?.nak();
  };
  for (const attempt of [1, 2, 3]) await fail(attempt);
  await client.queues.put("bare", { maxAttempts: 2 });
  expect((await configOf(stage, "bare", "high")).max_deliver).toBe(2);
  for (const attempt of [4, 5]) await fail(attempt);
  expect(await consumer.next({ expires: 1_000 })).toBeNull();
  const letter = await stage.deadLetter("bare");
  expect(letter.header("Punctual-Reason")).toBe("delivery limit reached");
  await until(async () => (await configOf(stage, "bare")).max_deliver === 2);
});

test("runs of a schedule go into the lane of its priority, and are skipped while one is there", async () => {
  const stage = await Stage.orchestrated(server());
  const { client } = stage.punctual;
  await client.schedules.put("urgent", { every: "1h", queue: "mail", priority: "high" });
  expect(await client.schedules.trigger("urgent")).toMatchObject({ accepted: true });
  expect(await stage.inWork()).toEqual([`${stage.names.namespace}.high.mail.urgent.1`]);
  expect(await client.schedules.trigger("urgent")).toMatchObject({ accepted: false });
  const seen = await stage.attempts("mail");
  await until(() => seen.length === 1);
});

test("live numbers, a list by name, and a delete that is refused while the queue is in use", async () => {
  const stage = await Stage.orchestrated(server());
  const { client } = stage.punctual;
  await client.enqueue({ queue: "mail", payload: 1 });
  await client.enqueue({ queue: "mail", payload: 2 });
  await client.queues.put("files", { maxDepth: 5 });
  expect(await client.queues.get("mail")).toMatchObject({ revision: 0, asked: {}, queued: 2, workers: 0 });
  const listed = [];
  for await (const view of client.queues.list()) listed.push([view.queue, view.queued]);
  expect(listed).toEqual([
    ["files", 0],
    ["mail", 2],
  ]);
  const page = await ask(stage, "queue.list", { limit: 1 });
  expect(page).toMatchObject({ queues: [{ queue: "files" }], next: "files" });
  await expectRefusal(client.queues.delete("mail"), "conflict", /mail has jobs/);

  const worker = await stage.punctual.work("mail", {}, () => {});
  await until(async () => (await client.queues.get("mail")).queued === 0);
  await until(async () => (await client.queues.get("mail")).running === 0);
  expect(await client.queues.get("mail")).toMatchObject({ workers: 1 });
  await expectRefusal(client.queues.delete("mail"), "conflict", /mail has 1 worker/);
  await worker.stop();
  await client.schedules.put("nightly", { cron: "0 3 * * *", queue: "mail" });
  await expectRefusal(client.queues.delete("mail"), "conflict", /the schedules nightly/);
  await client.schedules.delete("nightly");
  await client.queues.delete("mail");
  await expectRefusal(client.queues.get("mail"), "not_found", /queue/);
  await expectRefusal(client.queues.delete("mail"), "not_found", /queue/);
  const { revision } = await client.queues.get("files");
  const other = client.queues.delete("files", { ifRevision: revision + 1 });
  await expectRefusal(other, "conflict", new RegExp(`is at revision ${revision}`));
  await client.queues.delete("files", { ifRevision: revision });
});

test("what is wrong is refused by field, and nothing is written", async () => {
  const stage = await Stage.orchestrated(server());
  const { queues } = stage.punctual.client;
  const refused = async (endpoint: string, request: unknown, message: RegExp) => {
    const answer = await ask(stage, endpoint, request);
    expect(answer).toMatchObject({ code: "invalid", message: expect.stringMatching(message) });
  };
  await refused("queue.put", { queue: "a.b", settings: {} }, /queue: expected 1 to 64 characters/);
  await refused("queue.put", { queue: "a" }, /settings: expected an object/);
  await refused(
    "queue.put",
    { queue: "a", settings: { ackWait: 1 } },
    /settings.ackWait: expected at least 100ms/,
  );
  await queues.put("b", {});
  await refused("queue.patch", { queue: "b", patch: { depth: 1 } }, /unknown field "depth"/);
  await refused(
    "queue.patch",
    { queue: "b", patch: { maxAttempts: 2, backoff: [1, 2] } },
    /backoff: .*at most 1/,
  );
  await refused(
    "queue.pause",
    { queue: "a", until: "2020-01-01T00:00:00Z" },
    /until: expected a time to come/,
  );
  await refused("queue.pause", { queue: "a", until: "soon" }, /until: expected an RFC 3339 time/);
  await refused("queue.list", { limit: 501 }, /limit: expected at most 500/);
  await refused("queue.get", {}, /queue: expected a text/);
  await expectRefusal(queues.put("a", {}, { ifRevision: 3 }), "conflict", /queue/);
  await expectRefusal(queues.resume("a"), "not_found", /queue/);
  await expectRefusal(queues.pause("a"), "not_found", /queue a does not exist; queue put makes it/);
  await expectRefusal(queues.patch("a", {}), "not_found", /queue a does not exist; queue put makes it/);
  await expectRefusal(queues.get("a"), "not_found", /queue/);
});
