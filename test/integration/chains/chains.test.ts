import type { JsMsg } from "@nats-io/jetstream";
import { headers } from "@nats-io/transport-node";
import { describe, expect, onTestFinished, test } from "vitest";
import { headers as h } from "../../../src/protocol/headers.js";
import type { Handler } from "../../../src/worker/context.js";
import { Pair } from "../../support/pair.js";
import { until } from "../../support/scene.js";
import { expectRefusal, Stage, serverOf } from "../../support/stage.js";

const server = serverOf();

/** What ran, in order, by run id. */
async function working(stage: Stage, queue: string, handler: Handler = () => {}) {
  const ran: string[] = [];
  const worker = await stage.punctual.work(queue, { drainTimeoutMs: 0 }, async (job) => {
    ran.push(job.runId);
    return await handler(job);
  });
  onTestFinished(() => worker.stop());
  return ran;
}

/** At the front door, as a program without any SDK does. */
async function publish(stage: Stage, queue: string, options: Record<string, string>): Promise<void> {
  const all = headers();
  for (const [name, value] of Object.entries(options)) all.set(name, value);
  await stage.js.publish(stage.names.enqueue(queue), "1", { headers: all });
}

async function pull(stage: Stage, queue: string): Promise<JsMsg> {
  const consumer = await stage.js.consumers.get(stage.names.work, stage.names.consumer(queue));
  const message = await consumer.next({ expires: 10_000 });
  if (message === null) throw new Error(`no job of ${queue}`);
  return message;
}

/** Nothing is left to follow. */
async function nothingIsOpen(stage: Stage): Promise<void> {
  await until(async () => {
    const { state } = await stage.jsm.streams.info(stage.names.chains.stream);
    expect(state.messages).toBe(0);
  });
}

describe("a chain", () => {
  test("goes on from success to success, each job once", async () => {
    const stage = await Stage.orchestrated(server());
    const ran = await working(stage, "mail");
    const third = { queue: "mail", payload: 3 };
    const second = { queue: "mail", payload: 2, onSuccess: third };
    await stage.client.enqueue({ queue: "mail", payload: 1, jobId: "a", onSuccess: second });
    await until(() => expect(ran).toEqual(["a", "a:then", "a:then-2"]));
    await nothingIsOpen(stage);
    expect(ran).toHaveLength(3);
  });

  test("goes on with what is for a failure, and not with what is for a success", async () => {
    const stage = await Stage.orchestrated(server());
    const ran = await working(stage, "mail", ({ payload }) => {
      if (payload === "fail") throw new Error("no");
    });
    const [onSuccess, onFailure] = [
      { queue: "mail", payload: "fine" },
      { queue: "mail", payload: "sad" },
    ];
    const job = {
      queue: "mail",
      payload: "fail",
      jobId: "a",
      retry: { maxAttempts: 1 },
      onSuccess,
      onFailure,
    };
    await stage.client.enqueue(job);
    await until(() => expect(ran).toEqual(["a", "a:then"]));
    await nothingIsOpen(stage);
  });
});

const next = (payload: string | number, more: object = {}) => ({ queue: "after", payload, ...more });

describe("what is for a failure follows", () => {
  test("when the run is cancelled where it waits", async () => {
    const stage = await Stage.orchestrated(server());
    await stage.client.enqueue({ queue: "mail", jobId: "a", onFailure: next(1) });
    const ran = await working(stage, "after");
    await until(async () => expect((await stage.client.runs.get("a")).state).toBe("queued"));
    await stage.client.runs.cancel("a");
    await until(() => expect(ran).toEqual(["a:then"]));
    await nothingIsOpen(stage);
  });

  test("when the run is expired", async () => {
    const stage = await Stage.orchestrated(server());
    const job = {
      queue: "mail",
      jobId: "a",
      at: "2026-01-01T00:00:00Z",
      startDeadline: "1s",
      onFailure: next(1),
    };
    await stage.client.enqueue(job);
    const ran = await working(stage, "after");
    const mail = await working(stage, "mail");
    await until(() => expect(ran).toEqual(["a:then"]));
    expect(mail).toEqual([]);
  });
});

describe("what follows", () => {
  test("may wait for a time of its own, which counts from the end of the run", async () => {
    const stage = await Stage.orchestrated(server());
    const ran = await working(stage, "mail");
    const later = await working(stage, "after", ({ trigger }) => void ran.push(String(trigger)));
    await stage.client.enqueue({ queue: "mail", jobId: "a", onSuccess: next(1, { delay: "1s" }) });
    await until(() => expect(later).toEqual(["a:then"]));
    expect(ran).toEqual(["a", "timer"]);
    await nothingIsOpen(stage);
  });

  test("is told from which run it comes, and is no part of that run", async () => {
    const stage = await Stage.orchestrated(server());
    await working(stage, "mail");
    const parents: (string | undefined)[] = [];
    await working(stage, "after", ({ headers: given }) => void parents.push(given[h.parent]));
    await stage.client.enqueue({ queue: "mail", jobId: "a", onSuccess: next(1) });
    await until(() => expect(parents).toEqual(["a"]));
  });

  test("goes to the dead letters when its queue refuses it for good", async () => {
    const stage = await Stage.orchestrated(server());
    await stage.ensureQueue("after", { maxAttempts: 2 });
    await working(stage, "mail");
    await stage.client.enqueue({ queue: "mail", onSuccess: next(1, { retry: { maxAttempts: 9 } }) });
    const letter = await stage.deadLetter("after");
    expect([letter.body, letter.header(h.reason)]).toEqual(["1", "refused"]);
    expect(letter.header(h.error)).toMatch(/maxAttempts/);
    await nothingIsOpen(stage);
  });

  test("follows where no history is kept, when the worker is one with the SDK", async () => {
    const stage = await Stage.orchestrated(server());
    await stage.ensureQueue("mail", { history: "off" });
    const ran = await working(stage, "after");
    await working(stage, "mail");
    await stage.client.enqueue({ queue: "mail", jobId: "a", onSuccess: next(1) });
    await until(() => expect(ran).toEqual(["a:then"]));
  });

  test("follows once though the same job is asked for again and again", async () => {
    const stage = await Stage.orchestrated(server());
    const ran = await working(stage, "mail");
    const followed = await working(stage, "after");
    const job = { queue: "mail", jobId: "a", onSuccess: next(1) };
    expect((await stage.client.enqueue(job)).accepted).toBe(true);
    await until(() => expect(followed).toEqual(["a:then"]));
    for (let again = 0; again < 3; again++) expect((await stage.client.enqueue(job)).accepted).toBe(false);
    await nothingIsOpen(stage);
    expect([ran, followed]).toEqual([["a"], ["a:then"]]);
  });

  test("follows upon the retry of a dead letter too", async () => {
    const stage = await Stage.orchestrated(server());
    let broken = true;
    await working(stage, "mail", () => {
      if (broken) throw new Error("no");
    });
    const ran = await working(stage, "after");
    const job = { queue: "mail", jobId: "a", retry: { maxAttempts: 1 } };
    await stage.client.enqueue({ ...job, onSuccess: next("fine"), onFailure: next("sad") });
    await until(() => expect(ran).toEqual(["a:then"]));
    broken = false;
    const letters = [];
    for await (const letter of stage.client.deadLetters.list()) letters.push(letter.id);
    const { runId } = await stage.client.deadLetters.retry(letters[0] as number);
    await until(() => expect(ran).toEqual(["a:then", `${runId}:then`]));
    await nothingIsOpen(stage);
  });
});

test.each([
  { history: "outcome" as const },
  { history: "off" as const, perKey: { concurrency: 1, order: false } },
])("a run that leaves its queue to wait for its next attempt has not succeeded: %j", async (settings) => {
  const stage = await Stage.orchestrated(server());
  await stage.ensureQueue("mail", settings);
  await working(stage, "mail", () => {
    throw new Error("no");
  });
  const followed: unknown[] = [];
  await working(stage, "after", ({ payload }) => void followed.push(payload));
  const retry = { maxAttempts: 2, initialDelay: "10m" };
  await stage.client.enqueue({
    queue: "mail",
    jobId: "a",
    retry,
    onSuccess: next("fine"),
    onFailure: next("sad"),
  });
  await until(async () => {
    expect(await stage.messages(stage.names.runs, stage.names.acks("mail", "work"))).toHaveLength(1);
  });
  expect(await stage.client.runs.get("a")).toMatchObject({ state: "retrying", attempts: 1 });
  for await (const { timer } of stage.client.waiting()) await stage.client.reschedule(timer, { delay: 0 });
  await until(() => expect(followed).toHaveLength(1));
  expect(followed).toEqual(["sad"]);
  await nothingIsOpen(stage);
});

test("each run of many is followed once though the orchestrator that looks after them is killed", async () => {
  const pair = await Pair.open(server());
  const { stage } = pair;
  const JOBS = 300;
  const followed: string[] = [];
  const worker = await stage.punctual.work("after", { concurrency: 100 }, ({ runId }) => {
    followed.push(runId);
  });
  onTestFinished(() => worker.stop());
  let killed: Promise<void> | undefined;
  const mail = await stage.punctual.work("mail", { concurrency: 20 }, ({ runId }) => {
    if (runId === `job-${JOBS / 2}`) killed = pair.crashHolder();
  });
  onTestFinished(() => mail.stop());
  const jobs = Array.from({ length: JOBS }, (_, n) => ({
    queue: "mail",
    jobId: `job-${n}`,
    onSuccess: next(n),
  }));
  for await (const { kind } of stage.client.enqueueMany(jobs)) expect(kind).toBe("enqueued");
  await until(() => expect(followed.length).toBeGreaterThanOrEqual(JOBS));
  await killed;
  await nothingIsOpen(stage);
  expect(followed.sort()).toEqual(jobs.map(({ jobId }) => `${jobId}:then`).sort());
});

describe("bad input", () => {
  test.each([
    ["onSuccess.queue", { onSuccess: { queue: "no queue" } }],
    ["onSuccess.when", { onSuccess: { when: 1 } }],
    ["onFailure.onSuccess.retry.maxAttempts", { onFailure: { onSuccess: { retry: { maxAttempts: 0 } } } }],
  ])("is refused, naming the field: %s", async (field, more) => {
    const stage = await Stage.open(server());
    await expectRefusal(
      stage.client.enqueue({ queue: "mail", ...more } as never),
      "invalid",
      new RegExp(field.split(".").at(-1) as string),
    );
    expect(await stage.inWork()).toEqual([]);
  });

  test("is refused when it is too large, or too deep", async () => {
    const stage = await Stage.open(server());
    const large = { onSuccess: { payload: "x".repeat(16_384) } };
    await expectRefusal(stage.client.enqueue({ queue: "mail", ...large }), "invalid", /16384 bytes/);
    let deep: object = {};
    for (let depth = 0; depth < 9; depth++) deep = { onSuccess: deep };
    await expectRefusal(stage.client.enqueue({ queue: "mail", ...deep }), "invalid", /8 jobs in a row/);
  });

  test.each([
    ["no JSON", "{", /JSON/],
    ["an unknown field", '{"when":1}', /unknown field "when"/],
  ])("at the front door goes to the dead letters with the reason: %s", async (_, value, error) => {
    const stage = await Stage.orchestrated(server());
    await publish(stage, "mail", { [h.onSuccess]: value });
    const letter = await stage.deadLetter("mail");
    expect(letter.header(h.error)).toMatch(error);
    expect(letter.header(h.error)).toContain(h.onSuccess);
  });
});

describe("with plain NATS", () => {
  test("a chain from the front door goes on when a worker without any SDK has acknowledged", async () => {
    const stage = await Stage.orchestrated(server());
    await stage.ensureQueue("mail");
    const ran = await working(stage, "after");
    await publish(stage, "mail", { [h.onSuccess]: JSON.stringify({ queue: "after", payload: 2 }) });
    (await pull(stage, "mail")).ack();
    await until(() => expect(ran).toHaveLength(1));
    expect(ran[0]).toMatch(/:then$/);
    await nothingIsOpen(stage);
  });

  test.each([
    ["terminated", (message: JsMsg) => message.term()],
    ["delivered too often", (message: JsMsg) => message.nak()],
  ])("what is for a failure follows when its job is %s", async (_, settle) => {
    const stage = await Stage.orchestrated(server());
    await stage.ensureQueue("mail", { maxAttempts: 1 });
    const ran = await working(stage, "after");
    const [onSuccess, onFailure] = [next("fine"), next("sad")].map((job) => JSON.stringify(job));
    await publish(stage, "mail", { [h.onSuccess]: onSuccess as string, [h.onFailure]: onFailure as string });
    settle(await pull(stage, "mail"));
    // That it may not be delivered again is found when somebody asks.
    const consumer = await stage.js.consumers.get(stage.names.work, stage.names.consumer("mail"));
    expect(await consumer.next({ expires: 1_000 })).toBeNull();
    await until(() => expect(ran).toHaveLength(1));
    const queued = await stage.messages(
      stage.names.runs,
      stage.names.queued(stage.names.job("after", ran[0] as string)),
    );
    expect(queued).toHaveLength(1);
    await nothingIsOpen(stage);
  });
});
