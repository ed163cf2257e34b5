/** Whoever reads what a stream holds comes to an end, also when its last message goes before it was handed out. */
import type { Consumer, JetStreamClient } from "@nats-io/jetstream";
import { expect, test } from "vitest";
import { NatsAlertStore } from "../../src/nats/alert-store.js";
import { NatsDeadLetterStore } from "../../src/nats/dead-letter-store.js";
import { NatsQueuedJobs } from "../../src/nats/queued-jobs.js";
import { NatsRunsReader } from "../../src/nats/runs-reader.js";
import { scanSince } from "../../src/nats/scan.js";
import { NatsTimerList } from "../../src/nats/timer-list.js";
import { NatsTimerStore } from "../../src/nats/timers.js";
import { Stage, serverOf } from "../support/stage.js";

const server = serverOf();

/** A client whose consumers are slow: something happens when they have said how much there is to read. */
function afterCounting(js: JetStreamClient, happens: () => Promise<unknown>): JetStreamClient {
  let isOver = false;
  const get = async (...args: Parameters<JetStreamClient["consumers"]["get"]>): Promise<Consumer> => {
    const consumer = await js.consumers.get(...args);
    const info = consumer.info.bind(consumer);
    return Object.assign(consumer, {
      info: async (cached?: boolean) => {
        const counted = await info(cached);
        if (!isOver) await happens();
        isOver = true;
        return counted;
      },
    });
  };
  return Object.assign(Object.create(js), { consumers: { get } });
}

/** Three messages, and how many of them somebody reads. */
interface Reader {
  stream: string;
  subjects: string[];
  read(js: JetStreamClient): Promise<number>;
}

const UNUSED = undefined as never;

const readers: Record<string, (stage: Stage) => Reader> = {
  "records of alerts": ({ names, jsm }) => ({
    stream: names.alerts.stream,
    subjects: ["a", "b", "c"].map((name) => `$KV.${names.alerts.bucket}.state.${name}`),
    read: async (js) => {
      const store = new NatsAlertStore({ js, jsm, names, bucket: UNUSED, publisher: UNUSED });
      return (await store.list("state")).length;
    },
  }),
  "dead letters": ({ names, jsm }) => ({
    stream: names.dead,
    subjects: Array(3).fill(names.deadLetter("mail")),
    read: async (js) => {
      let seen = 0;
      await new NatsDeadLetterStore(js, jsm, names).scan({ from: 1, before: 4 }, () => ++seen > 0);
      return seen;
    },
  }),
  "timers, for a list": ({ names, jsm }) => ({
    stream: names.timers,
    subjects: Array(3).fill(names.timer(0, 0)),
    read: async (js) => {
      const crowd = { minute: 0, shard: 0, count: 9 };
      return (await new NatsTimerList(js, jsm, names).heads(crowd, 0, 9)).length;
    },
  }),
  "timers, to fire them": ({ names, jsm }) => ({
    stream: names.timers,
    subjects: Array(3).fill(names.timer(0, 0)),
    read: async (js) =>
      (await new NatsTimerStore({ js, jsm, publisher: UNUSED, messages: UNUSED, names }).of(0, 0)).length,
  }),
  RUNS: ({ names, jsm, raw }) => ({
    stream: names.runs,
    subjects: Array(3).fill(names.runEvent("r", "log")),
    read: async (js) => {
      let seen = 0;
      await new NatsRunsReader(raw, js, jsm, names).read({ from: 1, to: 3 }, () => ++seen);
      return seen;
    },
  }),
  "texts since a time": ({ names }) => ({
    stream: names.runs,
    subjects: Array(3).fill(names.slots(0)),
    read: async (js) => {
      let seen = 0;
      await scanSince({ js, stream: names.runs, subject: names.allSlots }, 0, () => ++seen < 0);
      return seen;
    },
  }),
};

test.each(Object.entries(readers))("%s", async (_, of) => {
  const stage = await Stage.open(server());
  const { stream, subjects, read } = of(stage);
  for (const subject of subjects) stage.raw.publish(subject, "");
  await stage.raw.flush();
  const { last_seq } = (await stage.jsm.streams.info(stream)).state;
  const js = afterCounting(stage.js, () => stage.jsm.streams.deleteMessage(stream, last_seq));
  expect(await read(js)).toBe(2);
});

test("an earlier job of a subject", async () => {
  const { raw, js, jsm, names } = await Stage.open(server());
  const [stream, subject] = [names.runs, names.queued(names.job("mail", "j"))];
  for (let i = 0; i < 3; i++) raw.publish(subject, "");
  await raw.flush();
  const { last_seq } = (await jsm.streams.info(stream)).state;
  const slow = afterCounting(js, () => jsm.streams.deleteMessage(stream, last_seq));
  expect(await new NatsQueuedJobs(slow, jsm, names).has(names.job("mail", "j"), "r", 0)).toBe(false);
});

test("what is told of the jobs of a queue, in the last block of a long log, is not counted for each", async () => {
  const { raw, js, jsm, names } = await Stage.open(server());
  const count = 24_000;
  for (let n = 0; n < count; n++) {
    const isQueued = n % 4 === 0;
    const subject = isQueued
      ? names.queued(names.job("mail", `k${n % 7}`))
      : names.runEvent(`r${n}`, "started");
    raw.publish(subject, isQueued ? "" : " ".repeat(100));
    if (n % 1_000 === 0) await raw.flush();
  }
  await raw.flush();
  let seen = 0;
  const range = { from: 4_000, to: count, subject: names.queued(names.jobsOf("mail")) };
  await new NatsRunsReader(raw, js, jsm, names).read(range, () => ++seen);
  expect(seen).toBe((count - 4_000) / 4);
}, 15_000);
