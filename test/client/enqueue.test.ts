import { describe, expect, test } from "vitest";
import type { EnqueueOutcome } from "../../src/client/outcome.js";
import { shardOf } from "../../src/core/hash.js";
import type { EnqueueRequest } from "../../src/protocol/enqueue-input.js";
import { namesOf } from "../../src/protocol/names.js";
import { OtelTracing } from "../../src/tracing/otel.js";
import { traced } from "../tracing/support.js";
import { fakeClient } from "./fakes.js";

const decode = (body: Uint8Array): unknown => JSON.parse(new TextDecoder().decode(body));

test("a job goes straight to its queue, under its run id", async () => {
  const { client, server } = fakeClient();
  const run = await client.enqueue({ queue: "mail", payload: { to: "a@b.c" }, headers: { "X-Team": "red" } });
  expect(run).toEqual({ runId: "id-1", accepted: true, state: "queued" });
  expect(server.calls).toEqual([]);
  const [message] = server.published;
  expect(message).toMatchObject({
    subject: "test.work.mail.id-1",
    msgId: "id-1/1",
    headers: {
      "X-Team": "red",
      "Punctual-Run-Id": "id-1",
    },
  });
  expect(decode(message?.body ?? new Uint8Array())).toEqual({ to: "a@b.c" });
});

test("own id, key, retry policy and timeout end up in the message", async () => {
  const { client, server } = fakeClient();
  await client.enqueue({
    queue: "mail",
    jobId: "order:17",
    unique: "order-17",
    retry: { maxAttempts: 2, initialDelay: "5s", factor: 3, maxDelay: "1m" },
    timeout: "30s",
  });
  expect(server.published[0]).toMatchObject({
    subject: "test.work.mail.order-17",
    msgId: "order:17/1",
    headers: {
      "Punctual-Run-Id": "order:17",
      "Punctual-Max-Attempts": "2",
      "Punctual-Backoff": "5000,3,60000",
      "Punctual-Timeout": "30000",
    },
  });
});

test.each([
  ["high", "test.high.mail.a"],
  ["normal", "test.work.mail.a"],
  ["low", "test.low.mail.a"],
] as const)("a job of priority %s goes into its lane", async (priority, subject) => {
  const { client, server } = fakeClient();
  await client.enqueue({ queue: "mail", jobId: "a", priority });
  expect(server.published[0]).toMatchObject({ subject });
});

test("a queue is looked up once, and again after a failure", async () => {
  const { client, server } = fakeClient();
  server.queueTrouble = new Error("no answer");
  await expect(client.enqueue({ queue: "a" })).rejects.toThrow("no answer");
  await Promise.all([client.enqueue({ queue: "a" }), client.enqueue({ queue: "a" })]);
  await client.enqueue({ queue: "b" });
  expect(server.ensured).toEqual(["a", "a", "b"]);
});

test("a job of a queue with limits goes to its gate, under its key and with its priority", async () => {
  const { client, server } = fakeClient();
  server.settings = { perKey: { order: true } };
  await client.enqueue({ queue: "mail", jobId: "a", key: "customer:7", priority: "low" });
  await client.enqueue({ queue: "mail", jobId: "b" });
  expect(server.published).toMatchObject([
    {
      subject: "test.gate.mail.customer:7.a",
      headers: { "Punctual-Key": "customer:7", "Punctual-Priority": "low" },
    },
    { subject: "test.work.mail.b" },
  ]);
});

test("a key stays on a job of a queue without limits", async () => {
  const { client, server } = fakeClient();
  await client.enqueue({ queue: "mail", jobId: "a", key: "customer:7" });
  expect(server.published[0]).toMatchObject({
    subject: "test.work.mail.a",
    headers: { "Punctual-Key": "customer:7" },
  });
});

test("settings that change are known after two seconds", async () => {
  const { client, server, clock } = fakeClient();
  await client.enqueue({ queue: "mail", jobId: "a" });
  server.settings = { rate: { limit: 1, periodMs: 1_000, burst: 1 } };
  clock.advance(2_000);
  await client.enqueue({ queue: "mail", jobId: "b" });
  expect(server.published.map(({ subject }) => subject)).toEqual(["test.work.mail.a", "test.gate.mail._.b"]);
  expect(server.ensured).toEqual(["mail", "mail"]);
});

test("a job whose key is taken is not accepted", async () => {
  const { client, server } = fakeClient();
  server.outcomes.push({ kind: "taken" });
  expect(await client.enqueue({ queue: "a", jobId: "x" })).toEqual({ runId: "x", accepted: false });
});

test("an unanswered publish is repeated under the same message id", async () => {
  const { client, server } = fakeClient();
  server.outcomes.push({ kind: "unknown", error: new Error("timeout") }, { kind: "duplicate", seq: 1 });
  expect(await client.enqueue({ queue: "a", jobId: "x" })).toEqual({
    runId: "x",
    accepted: true,
    state: "queued",
  });
  expect(server.published.map((message) => message.msgId)).toEqual(["x/1", "x/1"]);
});

test.each<[string, EnqueueRequest, RegExp]>([
  ["queue", { queue: "a.b" }, /queue: expected 1 to 64 characters of .* got "a\.b"/],
  ["key", { key: "a.b" }, /key: expected 1 to 128 characters .* got "a\.b"/],
  ["job id", { jobId: "a b" }, /jobId: expected 1 to 128 characters .* got "a b"/],
  ["reserved header", { headers: { "Nats-Msg-Id": "x" } }, /headers\.Nats-Msg-Id: .*reserved/],
  ["timeout", { timeout: "soon" }, /timeout: expected a duration .* got "soon"/],
  ["unknown field", { prio: 1 } as EnqueueRequest, /unknown field "prio"/],
  ["attempts beyond the queue", { retry: { maxAttempts: 6 } }, /retry\.maxAttempts: expected at most 5/],
])("a wrong %s is refused before anything is sent", async (_, request, message) => {
  const { client, server } = fakeClient();
  await expect(client.enqueue(request)).rejects.toMatchObject({
    code: "invalid",
    message: expect.stringMatching(message),
  });
  expect(server.published).toEqual([]);
});

test("of many jobs each has its own outcome, in order", async () => {
  const { client, server } = fakeClient();
  server.outcomes.push(
    { kind: "stored", seq: 1 },
    { kind: "taken" },
    { kind: "full", reason: "maximum messages exceeded" },
  );
  const outcomes: EnqueueOutcome[] = [];
  const requests = [{ jobId: "a" }, { jobId: "b" }, { queue: "!" }, { jobId: "c" }, { jobId: "d" }];
  for await (const outcome of client.enqueueMany(requests)) outcomes.push(outcome);
  expect(outcomes).toMatchObject([
    { kind: "enqueued", index: 0, runId: "a", accepted: true },
    { kind: "enqueued", index: 1, runId: "b", accepted: false },
    { kind: "failed", index: 2, error: { code: "invalid" } },
    { kind: "failed", index: 3, error: { code: "full" } },
    { kind: "enqueued", index: 4, runId: "d", accepted: true },
  ]);
});

test("many jobs can come from a stream", async () => {
  const { client } = fakeClient();
  async function* stream(): AsyncGenerator<EnqueueRequest> {
    for (let n = 0; n < 10_000; n++) yield { payload: n };
  }
  let accepted = 0;
  for await (const outcome of client.enqueueMany(stream()))
    if (outcome.kind === "enqueued" && outcome.accepted) accepted++;
  expect(accepted).toBe(10_000);
});

describe("a queue without history", () => {
  test("has the server tell nothing of a job whose id was made for it", async () => {
    const { client, server } = fakeClient();
    server.settings = { history: "off" };
    const { runId } = await client.enqueue({ queue: "mail" });
    expect(server.published[0]?.subject).toBe(`test.work.mail.${runId}.untold`);
  });

  test.each([{ jobId: "order-17" }, { unique: "order-17" }])(
    "keeps the subject that stands for a job, and refuses another: %j",
    async (given) => {
      const { client, server } = fakeClient();
      server.settings = { history: "off" };
      await client.enqueue({ queue: "mail", ...given });
      expect(server.published[0]?.subject).toBe("test.work.mail.order-17");
    },
  );

  test.each(["full", "outcome"] as const)("is not one with history %s", async (history) => {
    const { client, server } = fakeClient();
    server.settings = { history };
    const { runId } = await client.enqueue({ queue: "mail" });
    expect(server.published[0]?.subject).toBe(`test.work.mail.${runId}`);
  });
});

describe("a job that is traced", () => {
  const opened = () => {
    traced();
    return fakeClient({ tracing: new OtelTracing("1.2.3") });
  };

  test("has its record of what is to follow", async () => {
    const { client, server, chains } = opened();
    await client.enqueue({ queue: "mail", jobId: "a", onSuccess: { queue: "after" } });
    expect(server.published[0]?.headers).toHaveProperty("traceparent");
    const key = namesOf("test").chainKey(shardOf("a", 4), "a");
    expect((await chains.get(key))?.record).toMatchObject({ runId: "a", queue: "mail" });
  });

  test("is one that waits, at the gate of its queue", async () => {
    const { client, server } = opened();
    server.settings = { rate: { limit: 1, periodMs: 1_000, burst: 1 } };
    expect(await client.enqueue({ queue: "mail", jobId: "a" })).toMatchObject({ state: "waiting" });
  });
});
