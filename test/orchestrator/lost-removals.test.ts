/** Which of the messages that nobody delivers any more are over, by what RUNS tells. */
import { expect, test } from "vitest";
import { LostRemovals } from "../../src/orchestrator/lost-removals.js";
import { headers as h } from "../../src/protocol/headers.js";
import { ManualClock, MemoryServer, openMemoryPorts } from "../../src/testing/index.js";
import { START } from "../contract/given.js";

async function world() {
  const clock = new ManualClock(START);
  const server = new MemoryServer({ clock, shards: 1 });
  const ports = openMemoryPorts(server);
  const { names } = ports;
  const put = async (id: string) => {
    const headers = { [h.runId]: id };
    const message = { subject: names.job("mail", id), msgId: `${id}/${clock.now()}`, headers };
    await ports.work.publish({ ...message, body: new Uint8Array() });
  };
  const tell = (id: string, type: string, data: Record<string, unknown> = {}) =>
    ports.runs.append({ runId: id, type, msgId: `${id}/${type}/${clock.now()}`, data });
  const tellOf = (kind: string, seq: number) =>
    server.runs.store({
      subject: `$JS.EVENT.${kind}.${names.work}.${names.consumer("mail")}`,
      headers: {},
      body: Buffer.from(JSON.stringify({ stream_seq: seq, deliveries: 1 })),
    });
  const over = async (mayBeInHand = false) => {
    const stuck = [...server.work.messages()].map(({ body: _, ...head }) => ({
      ...head,
      ...{ attempts: 5, areAcksTold: true, mayBeInHand },
    }));
    return [...(await new LostRemovals(ports).among(stuck))];
  };
  return { clock, ports, names, put, tell, tellOf, over };
}

test.each(["succeeded", "dead", "expired", "cancelled"])("one whose run has %s", async (type) => {
  const { put, tell, over } = await world();
  await put("a");
  expect(await over()).toEqual([]);
  await tell("a", type);
  expect(await over()).toEqual([1]);
});

test.each(["started", "progress", "log", "retried"])("not one whose run was %s last", async (type) => {
  const { put, tell, over } = await world();
  await put("a");
  await tell("a", type, { delayMs: 1_000 });
  expect(await over()).toEqual([]);
});

test("not one whose run ended before, under the same id", async () => {
  const { clock, put, tell, over } = await world();
  await tell("a", "succeeded");
  await clock.advance(1);
  await put("a");
  expect(await over()).toEqual([]);
  await clock.advance(1);
  await tell("a", "succeeded");
  expect(await over()).toEqual([1]);
});

test("one whose run waits elsewhere for its next attempt", async () => {
  const { put, tell, over } = await world();
  await put("a");
  await tell("a", "retried", { attempt: 1, delayMs: 30_000 });
  expect(await over()).toEqual([1]);
});

test("one whose run has gone on with that attempt since, under a message of its own", async () => {
  const { clock, put, tell, over } = await world();
  await put("a");
  await tell("a", "retried", { attempt: 1, delayMs: 30_000 });
  await clock.advance(30_000);
  await tell("a", "started", { attempt: 2 });
  expect(await over()).toEqual([1]);
});

test("of thousands, some are asked for at once", async () => {
  const { ports, names } = await world();
  let [asked, atOnce, most] = [0, 0, 0];
  const lastEvent = async () => {
    asked++;
    most = Math.max(most, ++atOnce);
    await new Promise<void>((resolve) => setImmediate(resolve));
    atOnce--;
    return null;
  };
  const stuck = Array.from({ length: 100 }, (_, n) => ({
    ...{ seq: n + 1, subject: names.job("mail", `j${n}`), headers: {}, storedAt: START },
    ...{ attempts: 5, areAcksTold: true, mayBeInHand: false },
  }));
  await new LostRemovals({ ...ports, history: { lastEvent } }).among(stuck);
  expect(asked).toBe(100);
  expect(most).toBe(16);
});

test("not one that may be in hand still: what its next attempt needs may not be stored yet", async () => {
  const { clock, put, tell, over } = await world();
  await put("a");
  await tell("a", "retried", { attempt: 1, delayMs: 30_000 });
  expect(await over(true)).toEqual([]);
  await clock.advance(1);
  await tell("a", "succeeded");
  expect(await over(true)).toEqual([1]);
});

test("one that a worker tells of together with others", async () => {
  const { ports, put, over } = await world();
  for (const id of ["a", "b", "c"]) await put(id);
  const ends = [
    { runId: "a", seq: 1, attempt: 1, durationMs: 1 },
    { runId: "c", seq: 3, attempt: 1, durationMs: 1 },
  ];
  await ports.runs.appendEnds({ queue: "other", worker: "w", msgId: "1", ends });
  expect(await over()).toEqual([]);
  await ports.runs.appendEnds({ queue: "mail", worker: "w", msgId: "2", ends });
  expect(await over()).toEqual([1, 3]);
});

test("one of which the server tells that it was acknowledged or terminated, and not that it was put back or is at its limit", async () => {
  const { put, tellOf, over } = await world();
  for (const id of ["a", "b", "c", "d"]) await put(id);
  tellOf("METRIC.CONSUMER.ACK", 1);
  tellOf("ADVISORY.CONSUMER.MSG_TERMINATED", 2);
  tellOf("ADVISORY.CONSUMER.MSG_NAKED", 3);
  tellOf("ADVISORY.CONSUMER.MAX_DELIVERIES", 4);
  expect((await over()).sort()).toEqual([1, 2]);
});
