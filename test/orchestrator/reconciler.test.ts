import { expect, test } from "vitest";
import { Reconciler } from "../../src/orchestrator/reconciler.js";
import { headers as h } from "../../src/protocol/headers.js";
import { silentLogger } from "../../src/runtime/log.js";
import { ManualClock, MemoryServer, openMemoryPorts } from "../../src/testing/index.js";

test("where there was nothing is looked at again when a term begins: the server may have been killed", async () => {
  const clock = new ManualClock();
  const ports = openMemoryPorts(new MemoryServer({ clock, shards: 1 }));
  const looks: (boolean | undefined)[] = [];
  const find = async (anew?: boolean) => {
    looks.push(anew);
    if (looks.length === 1) throw new Error("no connection");
    return [];
  };
  let term: number | null = 1;
  const all = { ...ports, clock, log: silentLogger, stuck: { find } };
  const reconciler = new Reconciler(
    all,
    async () => {},
    () => term,
  ).start();
  await clock.pass(40_000);
  term = null;
  await clock.pass(40_000);
  term = 3;
  await clock.pass(20_000);
  expect(looks).toEqual([true, true, false, false, true, false]);
  await reconciler.stop();
});

test("what is over is removed when a term begins, though its consumer waits for something older; what runs stays", async () => {
  const clock = new ManualClock();
  const ports = openMemoryPorts(new MemoryServer({ clock, shards: 1 }));
  const { names, queues, source, work, runs } = ports;
  await queues.ensure("mail", { concurrency: 10, ackWaitMs: 3_600_000 });
  await source.consume("mail", { concurrency: 10, onDelivery: () => {} });
  for (const id of ["runs", "over"]) {
    const message = { subject: names.job("mail", id), msgId: id, headers: { [h.runId]: id } };
    await work.publish({ ...message, body: new Uint8Array() });
  }
  await runs.append({ runId: "over", type: "succeeded", msgId: "over/succeeded", data: {} });
  const moved: number[] = [];
  const move = async (seq: number) => void moved.push(seq);
  const reconciler = new Reconciler({ ...ports, clock, log: silentLogger }, move, () => 1).start();
  await clock.pass(10_000);
  expect(await work.at(2)).toBeNull();
  await clock.pass(120_000);
  expect(await work.at(1)).not.toBeNull();
  expect(moved).toEqual([]);
  await reconciler.stop();
});

test("as long as something is found over, all that was delivered is looked at again: there may be more than was found", async () => {
  const clock = new ManualClock();
  const ports = openMemoryPorts(new MemoryServer({ clock, shards: 1 }));
  const looks: (boolean | undefined)[] = [];
  const subject = ports.names.job("mail", "over");
  const head = { seq: 1, subject, headers: { [h.runId]: "over" }, storedAt: 0 };
  const find = async (anew?: boolean) => {
    looks.push(anew);
    return looks.length > 2 ? [] : [{ ...head, attempts: 5, areAcksTold: true, mayBeInHand: true }];
  };
  await ports.runs.append({ runId: "over", type: "succeeded", msgId: "1", data: {} });
  const all = { ...ports, clock, log: silentLogger, stuck: { find } };
  const reconciler = new Reconciler(
    all,
    async () => {},
    () => 1,
  ).start();
  await clock.pass(40_000);
  expect(looks).toEqual([true, true, true, false]);
  await reconciler.stop();
});
