/** Settings of queues, where answers get lost and where there is no such queue. */
import { expect, test } from "vitest";
import { Definitions } from "../../src/orchestrator/definitions.js";
import { QueueService } from "../../src/orchestrator/queue-service.js";
import { silentLogger } from "../../src/runtime/log.js";
import { ManualClock, MemoryServer, openMemoryPorts } from "../../src/testing/index.js";
import { START } from "../contract/given.js";

async function open() {
  const clock = new ManualClock(START);
  const server = new MemoryServer({ clock, shards: 1, answerTimeoutMs: 1_000 });
  const ports = openMemoryPorts(server);
  const definitions = new Definitions(1, server.names, silentLogger);
  const service = new QueueService({ ...ports, clock }, definitions);
  /** What an answer is, where some take their time. */
  const answered = async <T>(asked: Promise<T>): Promise<T> => {
    asked.catch(() => {});
    await clock.pass(30_000);
    return asked;
  };
  await answered(definitions.follow(ports.schedules));
  return { server, ports, service, answered };
}

/** The first goes wrong; the next are done. */
function once<T>(fault: T): () => T | undefined {
  let left: T | undefined = fault;
  return () => {
    const now = left;
    left = undefined;
    return now;
  };
}

test("a queue that nobody put, used or filled is neither paused nor patched", async () => {
  const { service, ports, answered } = await open();
  const hint = { code: "not_found", message: "queue nosuch does not exist; queue put makes it" };
  await expect(answered(service.pause({ queue: "nosuch" }))).rejects.toMatchObject(hint);
  await expect(answered(service.patch({ queue: "nosuch", patch: { maxDepth: 3 } }))).rejects.toMatchObject(
    hint,
  );
  await expect(answered(service.resume({ queue: "nosuch" }))).rejects.toMatchObject(hint);
  expect(await answered(ports.queues.list())).toEqual([]);
  expect(await answered(ports.queueConsumers.all())).toEqual(new Map());
});

test("a queue that is there only by its consumers or its jobs can be paused", async () => {
  const { service, ports, answered } = await open();
  await answered(ports.queues.ensure("used"));
  expect(await answered(service.pause({ queue: "used" }))).toMatchObject({ paused: true });
  const job = {
    subject: ports.names.job("filled", "a", "work"),
    msgId: "a/1",
    headers: {},
    body: new Uint8Array(),
  };
  await answered(ports.work.publish(job));
  expect(await answered(service.pause({ queue: "filled" }))).toMatchObject({ paused: true });
});

test("settings whose answer was lost are found, under the condition that held for them", async () => {
  const { service, server, answered } = await open();
  const first = await answered(service.put({ queue: "mail", settings: { maxDepth: 1 }, ifRevision: 0 }));
  server.faults.queueWrite = once("answer lost" as const);
  const put = service.put({ queue: "mail", settings: { maxDepth: 2 }, ifRevision: first.revision });
  expect(await answered(put)).toMatchObject({ asked: { maxDepth: 2 } });
});

test("settings of which nothing is heard afterwards may or may not have been stored", async () => {
  const { service, server, answered } = await open();
  server.faults.queueWrite = () => {
    server.faults.read = () => true;
    return "answer lost";
  };
  const doubt = {
    code: "timeout",
    message: "the settings of queue mail may or may not have been stored; see queue get",
  };
  await expect(answered(service.put({ queue: "mail", settings: {} }))).rejects.toMatchObject(doubt);
});

test("settings that never arrive, over and over, may still have been stored", async () => {
  const { service, server, answered } = await open();
  server.faults.queueWrite = () => "lost before";
  await expect(answered(service.put({ queue: "mail", settings: {} }))).rejects.toMatchObject({
    code: "timeout",
    message: expect.stringMatching(/may or may not have been stored/),
  });
});

test("a deletion of which nothing is heard may or may not have been done", async () => {
  const { service, server, answered } = await open();
  await answered(service.put({ queue: "mail", settings: {} }));
  server.faults.queueWrite = () => "answer lost";
  await expect(answered(service.delete({ queue: "mail" }))).rejects.toMatchObject({
    code: "timeout",
    message: "queue mail may or may not have been deleted; see queue get",
  });
});
