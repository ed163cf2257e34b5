/** Pull requests upon which the server says nothing, as nats-server does now and then when one runs out. */
import { headers, type Msg, type NatsConnection } from "@nats-io/transport-node";
import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";
import { Patience } from "../../src/core/patience.js";
import { BriefPull } from "../../src/nats/brief-pull.js";
import { Pull } from "../../src/nats/pull.js";
import { Slots } from "../../src/nats/slots.js";
import { DurableSource, NatsWorkSource } from "../../src/nats/source.js";
import { namesOf } from "../../src/protocol/names.js";
import { ManualClock, settled } from "../../src/testing/manual-clock.js";
import { freshNamespace, TestServer } from "../support/server.js";
import { Arrivals } from "../support/until.js";

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(() => server.stop());

interface Asked {
  batch: number;
  /** What is given for it comes there. */
  reply: string;
}

/** A consumer whose requests come to the test. */
async function consumer(place: { stream: string; consumer: string }) {
  const connection = await server.connect();
  const requests = new Arrivals<Asked>();
  connection.subscribe(`$JS.API.CONSUMER.MSG.NEXT.${place.stream}.${place.consumer}`, {
    callback: (_error, message: Msg) => {
      const { batch } = message.json<{ batch: number }>();
      requests.add({ batch, reply: message.reply as string });
    },
  });
  await connection.flush();
  return { connection, requests };
}

const placeOf = () => ({ stream: freshNamespace(), consumer: "work" });
const give = (connection: NatsConnection, { reply }: Asked) => connection.publish(reply, "{}");

it("a request that nobody answers is over some time after its own: its slots are asked for anew", async () => {
  const clock = new ManualClock();
  const place = placeOf();
  const { connection, requests } = await consumer(place);
  const own = await server.connect();
  const source = new DurableSource(own, clock, place);
  const pull = await source.consume({ concurrency: 7, onDelivery: async () => {} });
  onTestFinished(() => pull.stop());
  const first = await requests.next();
  expect(first).toMatchObject({ batch: 7 });
  for (let second = 0; second < 30; second++) {
    connection.publish(first.reply, "", { headers: headers(100, "Idle Heartbeat") });
    await connection.flush();
    await own.flush();
    await clock.pass(1_000);
  }
  expect(requests.all).toHaveLength(1);
  await clock.pass(1_100);
  expect(await requests.next()).toMatchObject({ batch: 7 });
});

it("a lane that is asked for a moment gives its slots back, when nobody answers", async () => {
  const clock = new ManualClock();
  const place = placeOf();
  const { requests } = await consumer(place);
  const slots = new Slots(5);
  const options = { concurrency: 5, onDelivery: async () => {} };
  const parts = {
    connection: await server.connect(),
    clock,
    place,
    options,
    slots,
    patience: new Patience(),
  };
  const pull = new BriefPull(parts).start();
  onTestFinished(() => pull.stop());
  pull.ask(3);
  expect(await requests.next()).toMatchObject({ batch: 3 });
  expect(slots.free).toBe(2);
  await clock.pass(900);
  expect(slots.free).toBe(2);
  await clock.pass(150);
  expect(slots.free).toBe(5);
});

it("a job that comes after its request was given up has a slot like any other", async () => {
  const clock = new ManualClock();
  const place = placeOf();
  const { connection, requests } = await consumer(place);
  const handedOut = new Arrivals<() => void>();
  const options = {
    concurrency: 2,
    onDelivery: () => new Promise<void>((resolve) => handedOut.add(resolve)),
  };
  const pull = new Pull(await server.connect(), clock, place, options).start();
  onTestFinished(() => pull.stop());
  const first = await requests.next();
  await clock.pass(3_000);
  const second = await requests.next();
  for (const request of [first, second, second]) give(connection, request);
  const done = [await handedOut.next(), await handedOut.next(), await handedOut.next()];
  // Three at once, where two may be: nothing is asked for until there is room for it.
  done[0]?.();
  await settled();
  await clock.pass(1_000);
  expect(requests.all).toHaveLength(2);
  done[1]?.();
  expect(await requests.next()).toMatchObject({ batch: 1 });
});

it("the lanes of a queue go on when a request of each is dropped without a word", async () => {
  const clock = new ManualClock();
  const names = namesOf(freshNamespace());
  const lanes = await Promise.all(
    (["high", "work", "low"] as const).map((lane) =>
      consumer({ stream: names.work, consumer: names.consumer("default", lane) }),
    ),
  );
  const source = new NatsWorkSource(await server.connect(), clock, names);
  const subscription = await source.consume("default", { concurrency: 4, onDelivery: async () => {} });
  onTestFinished(() => subscription.stop());
  for (let round = 0; round < 3; round++) {
    const asked = Promise.all(lanes.map(({ requests }) => requests.next()));
    let isAsked = false;
    void asked.then(() => {
      isAsked = true;
    });
    while (!isAsked) await clock.pass(100);
  }
});
