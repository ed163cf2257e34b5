/** Dead letters on a real server: looking at them, trying them again, and being killed in between. */
import { expect, onTestFinished, test } from "vitest";
import type { WorkMessage } from "../../src/core/ports.js";
import { DeadLetterKeeper } from "../../src/orchestrator/dead-letters.js";
import { Reconciler, STUCK_AFTER_MS } from "../../src/orchestrator/reconciler.js";
import { Requeuer } from "../../src/orchestrator/requeuer.js";
import { headers as h } from "../../src/protocol/headers.js";
import { Admission } from "../../src/runtime/admission.js";
import { systemClock } from "../../src/runtime/clock.js";
import { silentLogger } from "../../src/runtime/log.js";
import { openOn, until } from "../support/scene.js";
import { expectRefusal, latch, Stage, serverOf } from "../support/stage.js";

const server = serverOf();

async function toArray<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

test("a dead letter tells every attempt, is retried as a run of its own, and is gone", async () => {
  const stage = await Stage.orchestrated(server());
  const { deadLetters } = stage.client;
  let isMended = false;
  const seen = await stage.attempts("mail", ({ attempt }) => {
    if (!isMended) throw new Error(`no route ${attempt}`);
  });
  await stage.client.enqueue({
    ...{ queue: "mail", jobId: "welcome", payload: { to: "you" }, headers: { "X-Trace": "t" } },
    retry: { maxAttempts: 2, initialDelay: 1 },
  });
  const [row] = await until(async () => {
    const rows = await toArray(deadLetters.list({ queue: "mail", error: "NO ROUTE" }));
    expect(rows).toHaveLength(1);
    return rows;
  });
  const id = row?.id as number;
  expect(row).toMatchObject({ runId: "welcome", attempts: 2, error: "no route 2", bodyBytes: 12 });
  await stage.event("dead", "welcome");
  const view = await deadLetters.get(id);
  expect(view).toMatchObject({ encoding: "json", payload: { to: "you" }, stack: expect.any(String) });
  expect(view.failures.map(({ attempt, error }) => [attempt, error])).toEqual([
    [1, "no route 1"],
    [2, "no route 2"],
  ]);

  isMended = true;
  const { runId } = await deadLetters.retry(id);
  expect(runId).toMatch(/^welcome:retry-\d+$/);
  await stage.event("succeeded", runId);
  expect(await stage.event("requeued", runId)).toMatchObject({ retryOf: "welcome", letter: id });
  expect(seen.at(-1)?.job).toMatchObject({ attempt: 1, payload: { to: "you" } });
  expect(await toArray(deadLetters.list())).toEqual([]);
  await expectRefusal(deadLetters.retry(id), "not_found", /^dead letter \d+ does not exist$/);
  await expectRefusal(deadLetters.get(id), "not_found", /does not exist/);
  await expectRefusal(deadLetters.discard(id), "not_found", /does not exist/);
});

test("a letter whose subject is taken stays, and says by which run", async () => {
  const stage = await Stage.orchestrated(server());
  const { ports } = await openOn(server(), stage.names.namespace, 2);
  const { client } = stage;
  await ports.dead.bury(letterOf(stage, 7, "key"));
  await client.enqueue({ queue: "mail", unique: "key", jobId: "other" });
  const error = await expectRefusal(
    client.deadLetters.retry(1),
    "conflict",
    /run other is queued or running/,
  );
  expect(error.message).toMatch(/^letter 1 stays/);
  const result = await client.deadLetters.retryMany({ queue: "mail" });
  expect(result).toMatchObject({ retried: 0, kept: [{ id: 1 }] });
  expect((await client.deadLetters.get(1)).runId).toBe("key");
});

const letterOf = (stage: Stage, seq: number, key = `j${seq}`, queue = "mail") => ({
  queue,
  subject: stage.names.job(queue, key),
  seq,
  headers: { [h.runId]: key },
  body: new TextEncoder().encode("{}"),
  reason: "not retryable",
  attempts: 1,
  error: seq % 2 === 0 ? "even" : "odd",
});

test("thousands are paged, retried by filter at a rate, and thrown away", async () => {
  const stage = await Stage.orchestrated(server());
  const { ports } = await openOn(server(), stage.names.namespace, 2);
  const { deadLetters } = stage.client;
  const COUNT = 3_000;
  await Promise.all(
    Array.from({ length: COUNT }, (_, n) =>
      ports.dead.bury(letterOf(stage, n + 1, undefined, n < 2_500 ? "mail" : "other")),
    ),
  );
  const all = await toArray(deadLetters.list());
  expect(all.map(({ id }) => id)).toEqual(Array.from({ length: COUNT }, (_, n) => COUNT - n));
  expect(await toArray(deadLetters.list({ queue: "other", error: "odd" }))).toHaveLength(250);
  let pages = 0;
  const result = await deadLetters.retryMany({ queue: "other" }, { rate: "400/s", onPage: () => pages++ });
  expect(result).toEqual({ retried: 500, kept: [] });
  expect(pages).toBe(2);
  expect(await stage.inWork()).toHaveLength(500);
  await expectRefusal(deadLetters.discardMany({}), "invalid", /expected a field to choose by, or all: true/);
  expect(await deadLetters.discardMany({ error: "odd" })).toBe(1_250);
  expect(await deadLetters.discardMany("all")).toBe(1_250);
  expect(await toArray(deadLetters.list())).toEqual([]);
}, 120_000);

test("a job that the front door refused goes through it again", async () => {
  const stage = await Stage.orchestrated(server());
  const { js, names, client } = stage;
  const { ports } = await openOn(server(), names.namespace, 2);
  await ports.dead.bury({ ...letterOf(stage, 9), subject: names.enqueue("mail"), reason: "full" });
  expect(await client.deadLetters.retry(1)).toEqual({ runId: "j9:retry-in9", to: "front door" });
  await until(async () => expect(await stage.inWork()).toEqual([names.job("mail", "j9:retry-in9")]));
  expect((await js.streams.get(names.dead).then((stream) => stream.info())).state.messages).toBe(0);
});

test("a retry that is killed before the letter is gone is one retry, asked for again", async () => {
  const stage = await Stage.open(server());
  const { ports } = await openOn(server(), stage.names.namespace, 2);
  await ports.queues.ensure("mail");
  const die = (): Promise<never> => Promise.reject(new Error("killed"));
  const { letters, work } = ports;
  const kills = [
    { runs: Object.assign(Object.create(ports.runs), { append: die }) },
    {
      work: {
        ...{ ready: () => work.ready(), lastOn: (subject: string) => work.lastOn(subject) },
        publish: (message: WorkMessage) => work.publish(message).then(die),
      } as unknown as Ports["work"],
    },
    { letters: { at: (id: number) => letters.at(id), remove: die } as unknown as Ports["letters"] },
  ];
  for (const [n, kill] of kills.entries()) {
    await ports.dead.bury(letterOf(stage, n + 1));
    await expect(requeuerOf({ ...ports, ...kill }).requeue(n + 1)).rejects.toThrow("killed");
    expect(await letters.at(n + 1)).not.toBeNull();
    // A worker has done what there is meanwhile, and told nobody.
    const [job] = await stage.messages(stage.names.work, stage.names.queueSubjects("mail"));
    if (job !== undefined) await work.remove(job.seq);
    const { runId } = await requeuerOf(ports).requeue(n + 1);
    expect(await letters.at(n + 1)).toBeNull();
    const queued = await stage.messages(stage.names.runs, stage.names.queued(stage.names.job("mail", "*")));
    expect(queued.filter(({ header }) => header.get(h.runId) === runId)).toHaveLength(1);
    for (const { seq } of await stage.messages(stage.names.work)) await work.remove(seq);
  }
});

type Ports = Awaited<ReturnType<typeof openOn>>["ports"];
const requeuerOf = (ports: Ports) =>
  new Requeuer({ ...ports, admission: new Admission({ ...ports, clock: systemClock }) });

test("what reached its delivery limit unannounced is found, and a kill on its way to DEAD loses and doubles nothing", async () => {
  const stage = await Stage.open(server());
  const { ports } = await openOn(server(), stage.names.namespace, 2);
  const { names, jsm, js } = stage;
  await ports.queues.ensure("mail", { maxAttempts: 2, concurrency: 10 });
  await stage.client.enqueue({ queue: "mail", jobId: "bad" });
  const consumer = await js.consumers.get(names.work, names.consumer("mail"));
  const messages = await consumer.consume({ callback: (message) => message.nak() });
  await until(async () => expect(await ports.stuck.find()).toHaveLength(1));
  await messages.close();
  await jsm.streams.purge(names.runs, { filter: names.maxDeliveries });

  const log = silentLogger;
  const removing = { ...ports, log, work: Object.create(ports.work) };
  Object.assign(removing.work, {
    at: (seq: number) => ports.work.at(seq),
    remove: () => Promise.reject(new Error("killed")),
  });
  let laterMs = 0;
  const clock = { ...systemClock, monotonic: () => systemClock.monotonic() + laterMs };
  const killed = reconcilerOf(new DeadLetterKeeper(removing));
  await killed.runOnce();
  await killed.runOnce();
  expect(await stage.deadCount(), "found a moment ago is not enough").toBe(0);
  laterMs += STUCK_AFTER_MS;
  await killed.runOnce();
  expect(await stage.deadCount()).toBe(1);
  expect(await stage.inWork()).toHaveLength(1);
  await expectRefusal(requeuerOf(ports).requeue(1), "conflict", /still being moved/);

  const next = reconcilerOf(new DeadLetterKeeper({ ...ports, log }));
  await next.runOnce();
  expect(await stage.inWork(), "RUNS knows that it is dead").toEqual([]);
  expect(await stage.deadCount()).toBe(1);
  expect(await stage.events()).toMatchObject([{ runId: "bad", type: "dead", data: { attempt: 2 } }]);

  function reconcilerOf(keeper: DeadLetterKeeper): Reconciler {
    const move = (seq: number, attempts: number) => keeper.move(seq, attempts);
    const reconciler = new Reconciler({ ...ports, clock, log }, move, () => 1);
    onTestFinished(() => reconciler.stop());
    return reconciler;
  }
});

test.each([
  ["whose id was made for it", {}],
  ["that is unique", { unique: "one" }],
])(
  "a job %s, which its consumer has passed in a queue without history, is delivered again, and is no dead letter",
  async (_, key) => {
    const stage = await Stage.open(server());
    const { ports } = await openOn(server(), stage.names.namespace, 2);
    const { names, jsm, js } = stage;
    await ports.queues.ensure("mail", { maxAttempts: 1, history: "off" });
    const request = { queue: "mail", payload: 1, headers: { "X-Trace": "t" }, ...key };
    const { runId } = await stage.client.enqueue(request);
    const consumer = await js.consumers.get(names.work, names.consumer("mail"));
    const messages = await consumer.consume({ callback: (message) => message.nak() });
    await until(async () => expect(await ports.stuck.find()).toHaveLength(1));
    await messages.close();
    await jsm.streams.purge(names.runs, { filter: names.maxDeliveries });

    const keeper = new DeadLetterKeeper({ ...ports, log: silentLogger });
    let laterMs = 0;
    const clock = { ...systemClock, monotonic: () => systemClock.monotonic() + laterMs };
    const move = (seq: number, attempts: number) => keeper.move(seq, attempts);
    const reconciler = new Reconciler({ ...ports, clock, log: silentLogger }, move, () => 1);
    await reconciler.runOnce();
    laterMs += STUCK_AFTER_MS;
    await reconciler.runOnce();
    const isUnique = "unique" in key;
    const refusedWhileIsItsTurn = async () =>
      isUnique && expect(await stage.client.enqueue(request)).toMatchObject({ accepted: false });
    await refusedWhileIsItsTurn();
    const done = latch();
    const seen = await stage.attempts("mail", () => done.waited);
    await until(() => expect(seen).toMatchObject([{ runId, attempt: 1, job: { payload: 1 } }]));
    expect(seen[0]?.job.headers["X-Trace"]).toBe("t");
    await reconciler.runOnce();
    await refusedWhileIsItsTurn();
    done.release();
    await until(async () => expect(await stage.inWork()).toHaveLength(isUnique ? 1 : 0));
    await reconciler.runOnce();
    await stage.workIsEmpty();
    expect(await stage.deadCount()).toBe(0);
  },
);
