/** What becomes of messages that their consumer had passed, where RUNS would not know whether they were done. */
import { describe, expect, test } from "vitest";
import type { Delivery, PublishOutcome, WorkMessage } from "../../src/core/ports.js";
import type { QueueRequest } from "../../src/core/queue.js";
import { Reconciler, STUCK_AFTER_MS } from "../../src/orchestrator/reconciler.js";
import type { RedeliveryPorts } from "../../src/orchestrator/redelivery.js";
import { headers as h } from "../../src/protocol/headers.js";
import { limits } from "../../src/protocol/limits.js";
import { silentLogger } from "../../src/runtime/log.js";
import { ManualClock, MemoryServer, openMemoryPorts } from "../../src/testing/index.js";
import { START } from "../contract/given.js";

const NOBODYS_ELSE = "a.untold";

/** A queue with one message that nobody delivers any more, at sequence 1. */
async function world(asked: QueueRequest, { key = NOBODYS_ELSE, headers = {} } = {}) {
  const clock = new ManualClock(START);
  const ports = openMemoryPorts(new MemoryServer({ clock, shards: 1 }));
  const { names } = ports;
  await ports.queues.ensure("mail", { ...asked, maxAttempts: 1, concurrency: 10 });
  const work = (onDelivery: (delivery: Delivery) => void) =>
    ports.source.consume("mail", { concurrency: 1, onDelivery });
  /** Until nobody delivers so many any more. */
  const exhaust = async (count: number) => {
    const worker = await work((delivery) => delivery.nak(0));
    while ((await ports.stuck.find()).length < count) await clock.advance(1);
    await worker.stop();
  };
  const body = Buffer.from('"ü"');
  const own = { [h.runId]: "a", "X-Trace": "t", ...headers };
  const message = { subject: names.job("mail", key), msgId: "a/1", headers: own, body };
  await ports.work.publish(message);
  await exhaust(1);
  /** What a producer is told whose job has the same key. */
  const another = async () => (await ports.work.publish({ ...message, msgId: "another" })).kind;
  const moved: number[] = [];
  const through: RedeliveryPorts["work"] = {
    at: (seq) => ports.work.at(seq),
    lastOn: (subject) => ports.work.lastOn(subject),
    ready: () => ports.work.ready(),
    publish: (message) => ports.work.publish(message),
    remove: (seq) => ports.work.remove(seq),
  };
  const reconcilerOf = (broken: Partial<typeof through> = {}) =>
    new Reconciler(
      { ...ports, clock, log: silentLogger, work: { ...through, ...broken } },
      async (seq) => void moved.push(seq),
      () => 1,
    );
  const lookTwice = async (reconciler: Reconciler) => {
    await reconciler.runOnce();
    await clock.advance(STUCK_AFTER_MS);
    await reconciler.runOnce();
  };
  const inWork = async () => [await ports.work.at(1), await ports.work.at(2), await ports.work.at(3)];
  const seqs = async () => (await inWork()).flatMap((stored) => stored?.seq ?? []);
  return { ports, names, clock, moved, work, exhaust, another, reconcilerOf, lookTwice, inWork, seqs };
}

test("without history they are delivered again, as the same run, and are no dead letters", async () => {
  const { names, moved, reconcilerOf, lookTwice, inWork } = await world({ history: "off" });
  const reconciler = reconcilerOf();
  await reconciler.runOnce();
  expect((await inWork())[0], "found a moment ago is not enough").not.toBeNull();
  await lookTwice(reconciler);
  const [stuck, again, more] = await inWork();
  expect([stuck, more, moved]).toEqual([null, null, []]);
  expect(again?.subject).toBe(names.redelivery("mail", NOBODYS_ELSE, 1));
  expect(again?.headers).toMatchObject({ [h.runId]: "a", "X-Trace": "t" });
  expect(again?.headers[h.inPlaceOf]).toBe(`1,${START}`);
  expect(Buffer.from(again?.body ?? []).toString()).toBe('"ü"');
});

describe("a job that keeps others off its subject", () => {
  test.each([
    ["by its unique key", "unique"],
    ["by the id that its producer gave it", "a"],
  ])("does so until it was delivered again and is over: %s", async (_, key) => {
    const { names, moved, work, another, reconcilerOf, lookTwice, inWork, seqs } = await world(
      { history: "off" },
      { key },
    );
    const reconciler = reconcilerOf();
    await lookTwice(reconciler);
    await reconciler.runOnce();
    const [, again] = await inWork();
    expect(again?.subject).toBe(names.redelivery("mail", key, 1));
    expect(again?.headers).toMatchObject({ [h.runId]: "a", [h.inPlaceOf]: `1,${START}` });
    expect([await seqs(), await another()]).toEqual([[1, 2], "taken"]);
    const seen: string[] = [];
    await work((delivery) => {
      seen.push(delivery.subject);
      delivery.ack();
    });
    expect(seen).toEqual([again?.subject]);
    expect(await another()).toBe("taken");
    await reconciler.runOnce();
    expect([await seqs(), moved, await another()]).toEqual([[], [], "stored"]);
  });

  test("is delivered again once, however long it takes then", async () => {
    const { ports, clock, reconcilerOf, lookTwice, seqs } = await world(
      { history: "off" },
      { key: "unique" },
    );
    const reconciler = reconcilerOf();
    await lookTwice(reconciler);
    await clock.advance(limits.dedupWindowMs + 1);
    await ports.work.remove(2);
    await reconciler.runOnce();
    expect(await seqs()).toEqual([]);
  });

  test.each(["is under way", "is over"])(
    "is so too when another orchestrator looks while that %s",
    async (how) => {
      const { ports, reconcilerOf, lookTwice, seqs } = await world({ history: "off" }, { key: "unique" });
      await lookTwice(reconcilerOf());
      if (how === "is over") await ports.work.remove(2);
      const other = reconcilerOf();
      await lookTwice(other);
      await ports.work.remove(2);
      await other.runOnce();
      expect(await seqs()).toEqual([]);
    },
  );

  test("does so while the server is killed once more, and what was stored again lies there too", async () => {
    const { names, moved, exhaust, another, reconcilerOf, lookTwice, inWork, seqs, ports } = await world(
      { history: "off" },
      { key: "unique" },
    );
    await lookTwice(reconcilerOf());
    await exhaust(2);
    const reconciler = reconcilerOf();
    await lookTwice(reconciler);
    expect((await inWork())[2]?.subject).toBe(names.redelivery("mail", "unique", 2));
    expect([await seqs(), await another()]).toEqual([[1, 2, 3], "taken"]);
    await ports.work.remove(3);
    await reconciler.runOnce();
    await reconciler.runOnce();
    expect([await seqs(), moved]).toEqual([[], []]);
  });
});

test.each<[string, QueueRequest, Parameters<typeof world>[1]]>([
  ["of a queue whose acknowledgements are told", { history: "outcome" }, {}],
  ["of one with limits per key", { history: "off", perKey: { concurrency: 1, order: false } }, {}],
  ["of a schedule: its end is told", { history: "off" }, { headers: { [h.scheduleId]: "nightly" } }],
])("%s is moved to the dead letters", async (_, asked, given) => {
  const { moved, reconcilerOf, lookTwice, inWork } = await world(asked, given);
  await lookTwice(reconcilerOf());
  expect(moved).toEqual([1]);
  expect((await inWork())[1]).toBeNull();
});

test("cut off between the two, it is stored once", async () => {
  const { moved, reconcilerOf, lookTwice, seqs } = await world({ history: "off" });
  await lookTwice(reconcilerOf({ remove: () => Promise.reject(new Error("killed")) }));
  expect(await seqs()).toEqual([1, 2]);
  await lookTwice(reconcilerOf());
  expect([await seqs(), moved]).toEqual([[2], []]);
});

test.each<PublishOutcome>([
  { kind: "full", reason: "maximum messages exceeded" },
  { kind: "unknown", error: new Error("no answer") },
])("it stays where it is while the answer is $kind", async (outcome) => {
  const { ports, moved, reconcilerOf, lookTwice, seqs } = await world({ history: "off" });
  const answers = [outcome];
  const publish = async (message: WorkMessage) => answers.shift() ?? ports.work.publish(message);
  const reconciler = reconcilerOf({ publish });
  await lookTwice(reconciler);
  expect(await seqs()).toEqual([1]);
  await reconciler.runOnce();
  expect([await seqs(), moved]).toEqual([[2], []]);
});
