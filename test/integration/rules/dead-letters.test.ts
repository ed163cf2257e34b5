import { jetstream } from "@nats-io/jetstream";
import { expect, onTestFinished, test } from "vitest";
import { DeadLetterKeeper } from "../../../src/orchestrator/dead-letters.js";
import { headers as h } from "../../../src/protocol/headers.js";
import { silentLogger } from "../../../src/runtime/log.js";
import { Scene, until, useServer } from "../../support/scene.js";

const server = useServer();

test("a message stuck at its delivery limit moves to DEAD as it was, and its subject is free again", async () => {
  const scene = await Scene.open(server());
  const { connection, ports } = await scene.open();
  const { names } = scene;
  await ports.queues.ensure("mail", { maxAttempts: 2, ackWaitMs: 30_000 });
  const keeper = await new DeadLetterKeeper({ ...ports, log: silentLogger }).start();
  onTestFinished(() => keeper.stop());
  const body = new TextEncoder().encode('{"to":"someone"}');
  const job = (msgId: string) => ({
    subject: names.job("mail", "welcome"),
    msgId,
    headers: { [h.runId]: "welcome:1", "X-Trace": "abc" },
    body,
  });
  expect(await ports.work.publish(job("1"))).toMatchObject({ kind: "stored" });

  // A bare worker that only ever gives the job back.
  const consumer = await jetstream(connection).consumers.get(names.work, names.consumer("mail"));
  const messages = await consumer.consume({ callback: (message) => message.nak() });
  onTestFinished(() => void messages.close());

  const { streams } = await scene.manager();
  const letter = await until(async () => {
    const found = await streams.getMessage(names.dead, { last_by_subj: names.deadLetter("mail") });
    if (found === null) throw new Error("nothing in DEAD yet");
    return found;
  });
  expect(letter.string()).toBe('{"to":"someone"}');
  const expected = { [h.runId]: "welcome:1", "X-Trace": "abc", [h.attempts]: "2", [h.queue]: "mail" };
  for (const [name, value] of Object.entries(expected)) expect(letter.header.get(name)).toBe(value);
  expect(letter.header.get(h.reason)).toBe("delivery limit reached");
  await until(async () => expect(await ports.work.lastOn(job("1").subject)).toBeNull());
  expect(await scene.told()).toMatchObject([{ runId: "welcome:1", type: "dead" }]);
  expect(await ports.work.publish(job("2"))).toMatchObject({ kind: "stored" });
});
