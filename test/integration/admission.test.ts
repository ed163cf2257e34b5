/** Full queues and keys that are unique for a period, for whoever enqueues, on a real server. */
import { headers as natsHeaders } from "@nats-io/transport-node";
import { expect, test } from "vitest";
import { NatsApiCaller } from "../../src/nats/api.js";
import { headers as h } from "../../src/protocol/headers.js";
import { until } from "../support/scene.js";
import { expectRefusal, Stage, serverOf } from "../support/stage.js";

const server = serverOf();

/** Publishes at the front door, as a program without the SDK. */
async function publish(stage: Stage, queue: string, fields: Record<string, string>): Promise<void> {
  const headers = natsHeaders();
  for (const [name, value] of Object.entries(fields)) headers.set(name, value);
  await stage.js.publish(stage.names.enqueue(queue), "{}", { headers });
}

test("a full queue refuses with an error where someone waits, and to the dead letters where nobody does", async () => {
  const stage = await Stage.orchestrated(server());
  const { client } = stage;
  await client.queues.put("small", { maxDepth: 2 });
  await publish(stage, "small", { [h.msgId]: "one" });
  await until(async () => expect(await stage.inWork()).toHaveLength(1));
  await client.enqueue({ queue: "small", jobId: "two" });
  await expectRefusal(client.enqueue({ queue: "small" }), "full", /queue small is full: it holds 2 jobs/);
  // Within a second the orchestrator knows of what others let in.
  await until(() => expectRefusal(ask(stage, { queue: "small" }), "full", /it holds 2 jobs, its maxDepth/));
  await publish(stage, "small", { [h.msgId]: "three" });
  const letter = await stage.deadLetter("small");
  expect(letter.header(h.reason)).toBe("full");
  expect(letter.header(h.error)).toMatch(/queue small is full/);
  expect(letter.body).toBe("{}");
  await stage.work("small", {}, () => {});
  await stage.workIsEmpty();
  await until(async () => expect(await client.enqueue({ queue: "small" })).toMatchObject({ accepted: true }));
});

/** Through an orchestrator. */
const ask = (stage: Stage, request: unknown): Promise<unknown> =>
  new NatsApiCaller(stage.raw, stage.names).call("job.enqueue", request);

test("a key that is unique for a period is so at the front door, in the API and in the SDK alike", async () => {
  const stage = await Stage.orchestrated(server());
  const key = { [h.unique]: "k", [h.uniqueFor]: "10m" };
  await publish(stage, "mail", { ...key, [h.msgId]: "one" });
  await stage.work("mail", {}, () => {});
  await stage.event("succeeded", "one");
  await publish(stage, "mail", { ...key, [h.msgId]: "two" });
  expect(await stage.event("skipped", "two")).toMatchObject({ reason: expect.stringMatching(/period/) });
  const request = { queue: "mail", unique: "k", uniqueFor: "10m" };
  expect(await stage.client.enqueue(request)).toMatchObject({ accepted: false });
  expect(await ask(stage, request)).toMatchObject({ accepted: false });
  expect(await stage.client.enqueue({ ...request, unique: "l" })).toMatchObject({ accepted: true });
});
