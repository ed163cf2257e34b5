/** The same run id at the front door again, while its run is under way: what is told of it would be of that run. */
import { headers } from "@nats-io/transport-node";
import { expect, test } from "vitest";
import { headers as h } from "../../../src/protocol/headers.js";
import { until } from "../../support/scene.js";
import { Stage, serverOf } from "../../support/stage.js";

const server = serverOf();

/** At the front door, as a program without any SDK does; resolves when it was taken in, or not. */
async function publish(stage: Stage, queue: string, options: Record<string, string>): Promise<void> {
  const all = headers();
  for (const [name, value] of Object.entries(options)) all.set(name, value);
  await stage.js.publish(stage.names.enqueue(queue), "1", { headers: all });
  await until(async () => expect(await stage.messages(stage.names.intake)).toEqual([]));
}

const tellsSkipped = async (stage: Stage): Promise<boolean> =>
  (await stage.events()).some(({ type }) => type === "skipped");

const then = (payload: string): string => JSON.stringify({ queue: "after", payload });

test.each([
  ["the same to follow", { [h.onSuccess]: then("fine"), [h.onFailure]: then("sad") }],
  ["something else to follow", { [h.onSuccess]: then("other") }],
  ["nothing to follow", {}],
  ["nothing to follow, and a key", { [h.unique]: "key" }],
])("a job for later that comes once more, with %s, has not failed", async (_, again) => {
  const stage = await Stage.orchestrated(server());
  const followed = await stage.attempts("after");
  await stage.attempts("mail");
  const first = { [h.runId]: "a", [h.delay]: "1h", [h.onSuccess]: then("fine"), [h.onFailure]: then("sad") };
  await publish(stage, "mail", first);
  await publish(stage, "mail", { [h.runId]: "a", [h.delay]: "1h", ...again });
  expect(await tellsSkipped(stage)).toBe(false);
  for await (const { timer } of stage.client.waiting()) await stage.client.reschedule(timer, { delay: 0 });
  await until(() => expect(followed.map(({ job }) => job.payload)).toEqual(["fine"]));
});

test("a job whose key is another's is not told of while what follows upon its run is open", async () => {
  const stage = await Stage.orchestrated(server());
  await stage.ensureQueue("mail");
  await publish(stage, "mail", { [h.runId]: "a", [h.delay]: "1h", [h.onFailure]: then("sad") });
  await publish(stage, "mail", { [h.runId]: "b", [h.unique]: "key" });
  await publish(stage, "mail", { [h.runId]: "a", [h.unique]: "key" });
  expect(await tellsSkipped(stage)).toBe(false);
  await publish(stage, "mail", { [h.runId]: "c", [h.unique]: "key" });
  expect(await stage.event("skipped", "c")).toMatchObject({ reason: expect.stringMatching(/key/) });
});

test("a job at the gate of its queue that comes once more waits there still", async () => {
  const stage = await Stage.orchestrated(server());
  await stage.client.queues.put("mail", { rate: "1/h" });
  await publish(stage, "mail", { [h.runId]: "first" });
  await until(async () => expect(await stage.inWork()).toEqual([stage.names.job("mail", "first")]));
  for (let times = 0; times < 2; times++) await publish(stage, "mail", { [h.runId]: "a" });
  expect(await tellsSkipped(stage)).toBe(false);
  await until(async () => expect((await stage.client.runs.get("a")).state).toBe("waiting"));
});
