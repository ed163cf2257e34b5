/** Who looks after chains, over minutes by a clock that is turned by hand: with lost news, much else, and many records. */
import { expect, onTestFinished, test } from "vitest";
import type { ChainChange, ChainStore } from "../../src/core/chain-store.js";
import { Chainer } from "../../src/orchestrator/chainer.js";
import { type EnqueueRequest, enqueueRequest } from "../../src/protocol/enqueue-input.js";
import { enqueueMessage } from "../../src/protocol/enqueue-message.js";
import { headers as h } from "../../src/protocol/headers.js";
import { Admission } from "../../src/runtime/admission.js";
import { silentLogger } from "../../src/runtime/log.js";
import { ManualClock, MemoryServer, openMemoryPorts } from "../../src/testing/index.js";
import { START } from "../contract/given.js";

const SECOND = 1_000;
/** More than is read of RUNS when one begins to read. */
const MUCH = 20_000;

function scene() {
  const clock = new ManualClock(START);
  const server = new MemoryServer({ clock, shards: 1 });
  const ports = openMemoryPorts(server);
  const { names, maxPayload } = ports;
  const admission = new Admission({ ...ports, clock });
  const queued: string[] = [];
  server.work.onStored(({ headers, body }) =>
    queued.push(`${headers[h.runId]} ${JSON.parse(new TextDecoder().decode(body) || "null")}`),
  );

  return {
    ...{ clock, server, ports, names },
    async start(more: object = {}): Promise<Chainer> {
      const all = { ...ports, clock, admission, log: silentLogger, ...more };
      const chainer = await new Chainer(all, () => 1, { mostRuns: 100 }).start();
      onTestFinished(() => chainer.stop());
      return chainer;
    },
    async enqueue(jobId: string, more: Partial<EnqueueRequest> = {}): Promise<number> {
      const [onSuccess, onFailure] = ["fine", "sad"].map((payload) => ({ queue: "after", payload }));
      const job = { queue: "mail", jobId, payload: "first", onSuccess, onFailure, ...more };
      const request = enqueueRequest.parse(job);
      const settings = await admission.settings("mail");
      const context = { names, shards: 1, now: clock.now(), settings, maxPayload, newId: () => "" };
      await admission.admit(ports, { queue: "mail" }, enqueueMessage(request, context));
      return server.work.lastSequence;
    },
    /** As the server tells it of a worker without the SDK. */
    tellAck(seq: number): void {
      const body = new TextEncoder().encode(JSON.stringify({ stream_seq: seq, deliveries: 1 }));
      server.runs.store({ subject: names.acks("mail", "work"), headers: {}, body });
    },
    ack(seq: number): void {
      server.work.remove(seq);
      this.tellAck(seq);
    },
    /** Runs of which nobody waits for the end. */
    others(count: number, from = 0): void {
      for (let n = from; n < from + count; n++) {
        const headers = { [h.runId]: `other-${n}`, "Nats-Sequence": String(1_000_000 + n) };
        const subject = names.queued(names.job("mail", `other-${n}`));
        server.runs.store({ subject, headers, body: new Uint8Array() });
        this.tellAck(1_000_000 + n);
      }
    },
    /** RUNS keeps what it is told for a while. */
    forget(): void {
      for (const { seq } of [...server.runs.messages()]) server.runs.remove(seq);
    },
    get records(): number {
      return [...server.chains.subjects()].filter(
        (key) => server.chains.last(key)?.headers["KV-Operation"] === undefined,
      ).length;
    },
    get followed(): string[] {
      return queued.filter((text) => text.includes(":then"));
    },
  };
}

test("the end of a bare worker's run is known though a great many others came in between", async () => {
  const at = scene();
  await at.start();
  const seq = await at.enqueue("a");
  await at.clock.pass(SECOND);
  for (let n = 0; n < 5; n++) {
    at.others(300, n * 300);
    await at.clock.pass(SECOND);
  }
  at.ack(seq);
  await at.clock.pass(SECOND);
  expect(at.followed).toEqual(["a:then fine"]);
});

test("who takes over finds the end of a bare worker's run that was queued long before", async () => {
  const at = scene();
  const seq = await at.enqueue("a");
  at.others(MUCH);
  await at.start();
  await at.clock.pass(20 * SECOND);
  at.ack(seq);
  await at.clock.pass(20 * SECOND);
  expect(at.followed).toEqual(["a:then fine"]);
});

test("who takes over finds an end that was told long before", async () => {
  const at = scene();
  const [bad, good] = [await at.enqueue("bad"), await at.enqueue("good")];
  at.ack(good);
  at.server.work.remove(bad);
  const body = new TextEncoder().encode(JSON.stringify({ stream_seq: bad, deliveries: 1 }));
  at.server.runs.store({ subject: at.names.terminations("mail", "work"), headers: {}, body });
  at.others(MUCH);
  await at.start();
  await at.clock.pass(20 * SECOND);
  expect(at.followed.sort()).toEqual(["bad:then sad", "good:then fine"]);
});

test("a run that left its queue without a word counts as one that failed, when it is seen twice", async () => {
  const at = scene();
  await at.start();
  const seq = await at.enqueue("a");
  await at.clock.pass(60 * SECOND);
  at.server.work.remove(seq);
  await at.clock.pass(30 * SECOND);
  expect(at.followed).toEqual([]);
  await at.clock.pass(600 * SECOND);
  expect(at.followed).toEqual(["a:then sad"]);
  at.tellAck(seq);
  await at.clock.pass(600 * SECOND);
  expect(at.followed).toEqual(["a:then sad"]);
});

test("word that comes a little later than the end is waited for", async () => {
  const at = scene();
  await at.start();
  const seq = await at.enqueue("a");
  await at.clock.pass(60 * SECOND);
  at.server.work.remove(seq);
  await at.clock.pass(29 * SECOND);
  at.tellAck(seq);
  await at.clock.pass(600 * SECOND);
  expect(at.followed).toEqual(["a:then fine"]);
});

test("a run that waited elsewhere between two attempts has not left its queue", async () => {
  const at = scene();
  await at.start();
  const first = await at.enqueue("a");
  await at.ports.runs.append({
    ...{ runId: "a", type: "retried", msgId: `a/retried/${first}` },
    data: { attempt: 1, delayMs: 60_000, queue: "mail" },
  });
  at.ack(first);
  await at.clock.pass(60 * SECOND);
  const again = { [h.runId]: "a", [h.attemptsBefore]: "1" };
  const message = {
    subject: at.names.job("mail", "a"),
    msgId: "a/2",
    headers: again,
    body: new Uint8Array(),
  };
  await at.ports.work.publish(message);
  await at.clock.pass(3_600 * SECOND);
  expect(at.followed).toEqual([]);
  at.ack(at.server.work.lastSequence);
  await at.clock.pass(SECOND);
  expect(at.followed).toEqual(["a:then fine"]);
});

test("none of thousands of records is passed over for ever", async () => {
  const at = scene();
  for (let n = 0; n < 2_000; n++) await at.enqueue(`long-${n}`);
  const seq = await at.enqueue("a");
  const msgId = `a/succeeded/${seq}`;
  await at.ports.runs.append({ runId: "a", type: "succeeded", msgId, data: { attempt: 1 } });
  await at.start();
  await at.clock.pass(40 * SECOND);
  expect(at.followed).toEqual(["a:then fine"]);
});

/** A store whose watch tells only of some changes, as one that was cut, or began while others wrote. */
function hearing(chains: ChainStore, isHeard: (change: ChainChange) => boolean): ChainStore {
  return {
    get: chains.get.bind(chains),
    write: chains.write.bind(chains),
    erase: chains.erase.bind(chains),
    keys: chains.keys.bind(chains),
    clear: chains.clear.bind(chains),
    watch: (onChange) => chains.watch((change) => isHeard(change) && onChange(change)),
  };
}

test("a record of which the watch never told is found all the same", async () => {
  const at = scene();
  await at.start({ chains: hearing(at.ports.chains, () => false) });
  await at.clock.pass(SECOND);
  at.ack(await at.enqueue("a"));
  await at.clock.pass(60 * SECOND);
  expect(at.followed).toEqual(["a:then fine"]);
  at.ack(await at.enqueue("b"));
  await at.clock.pass(400 * SECOND);
  expect(at.followed).toEqual(["a:then fine", "b:then fine"]);
});

test("what is left of a record whose end was cut off is removed", async () => {
  const at = scene();
  await at.start();
  const key = at.names.chainKey(0, "a");
  at.server.chains.store({ subject: key, headers: { "KV-Operation": "DEL" }, body: new Uint8Array() });
  await at.clock.pass(700 * SECOND);
  expect([...at.server.chains.subjects()]).toEqual([]);
});

test("a record whose end nobody heard of is not asked for again and again", async () => {
  const at = scene();
  await at.enqueue("a");
  const { chains } = at.ports;
  let asked = 0;
  const deaf = hearing(chains, ({ record }) => record !== null);
  const get = (key: string) => {
    asked++;
    return chains.get(key);
  };
  await at.start({ chains: { ...deaf, get } });
  await at.clock.pass(SECOND);
  for (const key of at.server.chains.subjects()) {
    const stored = await chains.get(key);
    if (stored !== null) await chains.erase(key, stored.revision);
  }
  await at.clock.pass(20 * SECOND);
  asked = 0;
  await at.clock.pass(600 * SECOND);
  expect(asked).toBe(0);
});

const DAY = 24 * 3_600 * SECOND;

test("a record whose job never came is removed when RUNS would not remember it either, with a warning", async () => {
  const at = scene();
  const seq = await at.enqueue("a");
  at.server.work.remove(seq);
  at.forget();
  const warnings: unknown[] = [];
  await at.start({ log: { ...silentLogger, warn: (fields: unknown) => warnings.push(fields) } });
  await at.clock.pass(600 * SECOND);
  expect(at.records).toBe(1);
  at.clock.jump(8 * DAY);
  at.others(1);
  await at.clock.pass(600 * SECOND);
  expect(at.records).toBe(0);
  expect(warnings).toMatchObject([{ runId: "a", queue: "mail" }]);
  expect(at.followed).toEqual([]);
});

test("a record whose job waits, for its time or in its queue, is never removed", async () => {
  const at = scene();
  await at.enqueue("later", { delay: "30d" });
  const seq = await at.enqueue("held");
  at.forget();
  await at.start();
  at.clock.jump(8 * DAY);
  at.others(1);
  await at.clock.pass(600 * SECOND);
  expect(at.records).toBe(2);
  at.ack(seq);
  at.clock.jump(2 * DAY);
  await at.clock.pass(600 * SECOND);
  expect([...at.server.chains.subjects()]).toContain(at.names.chainKey(0, "later"));
});
