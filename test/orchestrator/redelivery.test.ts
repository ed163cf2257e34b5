/** What becomes of messages that their consumer had passed, where RUNS would not know whether they were done. */
import { expect, test } from "vitest";
import type { PublishOutcome, WorkMessage } from "../../src/core/ports.js";
import type { QueueRequest } from "../../src/core/queue.js";
import { Reconciler, STUCK_AFTER_MS } from "../../src/orchestrator/reconciler.js";
import type { RedeliveryPorts } from "../../src/orchestrator/redelivery.js";
import { headers as h } from "../../src/protocol/headers.js";
import { silentLogger } from "../../src/runtime/log.js";
import { ManualClock, MemoryServer, openMemoryPorts } from "../../src/testing/index.js";
import { START } from "../contract/given.js";

/** A queue with one message that nobody delivers any more, at sequence 1. */
async function world(asked: QueueRequest, { key = "a", headers = {} } = {}) {
  const clock = new ManualClock(START);
  const ports = openMemoryPorts(new MemoryServer({ clock, shards: 1 }));
  const { names } = ports;
  await ports.queues.ensure("mail", { ...asked, maxAttempts: 1, concurrency: 10 });
  const giveBack = { concurrency: 1, onDelivery: (delivery: { nak(ms: number): void }) => delivery.nak(0) };
  const worker = await ports.source.consume("mail", giveBack);
  const body = Buffer.from('"ü"');
  const own = { [h.runId]: "a", "X-Trace": "t", ...headers };
  await ports.work.publish({ subject: names.job("mail", key), msgId: "a/1", headers: own, body });
  while ((await ports.stuck.find()).length === 0) await clock.advance(1);
  await worker.stop();
  const moved: number[] = [];
  const work: RedeliveryPorts["work"] = {
    at: (seq) => ports.work.at(seq),
    ready: () => ports.work.ready(),
    publish: (message) => ports.work.publish(message),
    remove: (seq) => ports.work.remove(seq),
  };
  const reconcilerOf = (broken: Partial<typeof work> = {}) =>
    new Reconciler(
      { ...ports, clock, log: silentLogger, work: { ...work, ...broken } },
      async (seq) => void moved.push(seq),
      () => 1,
    );
  const lookTwice = async (reconciler: Reconciler) => {
    await reconciler.runOnce();
    await clock.advance(STUCK_AFTER_MS);
    await reconciler.runOnce();
  };
  const inWork = async () => [await ports.work.at(1), await ports.work.at(2), await ports.work.at(3)];
  return { ports, names, clock, moved, reconcilerOf, lookTwice, inWork };
}

test("without history they are delivered again, as the same run, and are no dead letters", async () => {
  const { names, moved, reconcilerOf, lookTwice, inWork } = await world({ history: "off" });
  const reconciler = reconcilerOf();
  await reconciler.runOnce();
  expect((await inWork())[0], "found a moment ago is not enough").not.toBeNull();
  await lookTwice(reconciler);
  const [stuck, again, more] = await inWork();
  expect([stuck, more, moved]).toEqual([null, null, []]);
  expect(again?.subject).toBe(names.redelivery("mail", "a", 1));
  expect(again?.headers).toMatchObject({ [h.runId]: "a", "X-Trace": "t" });
  expect(again?.headers[h.inPlaceOf]).toBe(`1,${START}`);
  expect(Buffer.from(again?.body ?? []).toString()).toBe('"ü"');
});

test("one that was delivered again is, too, when the server is killed once more", async () => {
  const first = { [h.inPlaceOf]: `7,${START}` };
  const { names, moved, reconcilerOf, lookTwice, inWork } = await world(
    { history: "off" },
    { key: "a.again-7", headers: first },
  );
  await lookTwice(reconcilerOf());
  const [stuck, again] = await inWork();
  expect([stuck, again?.subject, moved]).toEqual([null, names.redelivery("mail", "a", 1), []]);
});

test.each<[string, QueueRequest, Parameters<typeof world>[1]]>([
  ["of a queue whose acknowledgements are told", { history: "outcome" }, {}],
  ["of one with limits per key", { history: "off", perKey: { concurrency: 1, order: false } }, {}],
  ["a unique job: elsewhere it would not be", { history: "off" }, { key: "unique" }],
])("%s is moved to the dead letters", async (_, asked, given) => {
  const { moved, reconcilerOf, lookTwice, inWork } = await world(asked, given);
  await lookTwice(reconcilerOf());
  expect(moved).toEqual([1]);
  expect((await inWork())[1]).toBeNull();
});

test("cut off between the two, it is stored once", async () => {
  const { moved, reconcilerOf, lookTwice, inWork } = await world({ history: "off" });
  await lookTwice(reconcilerOf({ remove: () => Promise.reject(new Error("killed")) }));
  const before = await inWork();
  expect(before.map((message) => message?.seq)).toEqual([1, 2, undefined]);
  await lookTwice(reconcilerOf());
  expect((await inWork()).map((message) => message?.seq)).toEqual([undefined, 2, undefined]);
  expect(moved).toEqual([]);
});

test.each<PublishOutcome>([
  { kind: "full", reason: "maximum messages exceeded" },
  { kind: "unknown", error: new Error("no answer") },
])("it stays where it is while the answer is $kind", async (outcome) => {
  const { ports, moved, reconcilerOf, lookTwice, inWork } = await world({ history: "off" });
  const answers = [outcome];
  const publish = async (message: WorkMessage) => answers.shift() ?? ports.work.publish(message);
  const reconciler = reconcilerOf({ publish });
  await lookTwice(reconciler);
  expect((await inWork())[0]).not.toBeNull();
  await reconciler.runOnce();
  const [stuck, again] = await inWork();
  expect([stuck, again?.seq, moved]).toEqual([null, 2, []]);
});
