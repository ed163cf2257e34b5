/** Jobs for later on a real server, with real orchestrators. */
import { headers as messageHeaders } from "nats";
import { describe, expect, onTestFinished, test } from "vitest";
import { NatsTimerList } from "../../src/nats/timer-list.js";
import { headers as h } from "../../src/protocol/headers.js";
import type { JobRow } from "../../src/protocol/job-api.js";
import { timerIdOf } from "../../src/protocol/timer-message.js";
import { systemClock } from "../../src/runtime/clock.js";
import { openOn, until } from "../support/scene.js";
import { startSession } from "../support/sessions.js";
import { expectRefusal, Stage, serverOf } from "../support/stage.js";

const server = serverOf();
const soon = (ms: number): string => new Date(systemClock.now() + ms).toISOString();

/** How many wait. */
const waiting = async (stage: Stage): Promise<number> =>
  (await stage.jsm.streams.info(stage.names.timers)).state.messages;

async function listed(jobs: AsyncIterable<JobRow>): Promise<JobRow[]> {
  const found: JobRow[] = [];
  for await (const one of jobs) found.push(one);
  return found;
}

describe("the list of jobs for later", () => {
  test("shows them by time and queue, over the API, page by page, and none that were queued", async () => {
    const stage = await Stage.orchestrated(server());
    const { client } = stage;
    for (const [jobId, queue, at] of [
      ["c", "mail", "2042-01-01T00:00:00Z"],
      ["a", "mail", "2040-01-01T00:00:00Z"],
      ["b", "other", "2040-01-01T00:00:01Z"],
    ] as const)
      await client.enqueue({ queue, jobId, at, labels: { team: "red" } });
    await client.enqueue({ queue: "mail", jobId: "now" });
    const all = await listed(client.waiting({}, { pageSize: 1 }));
    expect(all.map(({ runId }) => runId)).toEqual(["a", "b", "c"]);
    expect(all[0]).toMatchObject({ timer: "a@20400101T000000Z", queue: "mail", labels: { team: "red" } });
    const mail = await listed(client.waiting({ queue: "mail", to: Date.UTC(2041, 0) }));
    expect(mail.map(({ runId }) => runId)).toEqual(["a"]);
    await client.cancel(all[0]?.timer as string);
    expect((await listed(client.waiting())).map(({ runId }) => runId)).toEqual(["b", "c"]);
  });

  test("asks for one day after the other where many minutes have jobs, and for all where a year has too few", async () => {
    const stage = await Stage.open(server());
    for (const [i, days] of [0, 1, 30, 365, 900].entries())
      await stage.client.enqueue({
        queue: "mail",
        jobId: `j${i}`,
        at: new Date(Date.UTC(2040, 0, 1 + days)).toISOString(),
      });
    const { js, jsm, names } = stage;
    const [few, many] = [new NatsTimerList(js, jsm, names), new NatsTimerList(js, jsm, names, 0)];
    const from = Date.UTC(2039, 11, 31, 23, 59);
    for (const enough of [1, 2, 3, 4, 5, 6])
      for (const to of [from, Date.UTC(2040, 0, 2), Date.UTC(2040, 0, 31), Date.UTC(2050, 0)]) {
        const range = { from, fromShard: 0, to, enough };
        expect(await many.crowds(range)).toEqual(await few.crowds(range));
      }
  });
});

describe("a job for later", () => {
  test("comes to its worker at its time, by the SDK, the API and the front door", async () => {
    const stage = await Stage.orchestrated(server());
    const at = systemClock.now() + 700;
    const byTime = { queue: "later", at: new Date(at).toISOString() };
    const sdk = await stage.client.enqueue({ ...byTime, jobId: "sdk", payload: 1 });
    expect(sdk).toMatchObject({
      runId: "sdk",
      accepted: true,
      state: "waiting",
      timer: expect.stringMatching(/^sdk@\d{8}T\d{6,9}Z$/),
    });
    const api = await stage.raw.request(
      stage.names.api("job.enqueue"),
      JSON.stringify({ ...byTime, jobId: "api", payload: 2 }),
    );
    expect(api.json()).toMatchObject({ runId: "api", accepted: true, timer: expect.stringMatching(/^api@/) });
    const head = messageHeaders();
    head.set(h.msgId, "door");
    head.set(h.at, byTime.at);
    head.set(h.labels, "team=red");
    await stage.js.publish(stage.names.enqueue("later"), "3", { headers: head as never });
    expect(await stage.inWork()).toEqual([]);
    const seen = await stage.attempts("later");
    await until(() => expect(seen.map(({ runId }) => runId).sort()).toEqual(["api", "door", "sdk"]));
    for (const { job } of seen) {
      expect(systemClock.now()).toBeGreaterThanOrEqual(at);
      expect(job).toMatchObject({ trigger: "timer", scheduleId: null });
      expect(job.fireTime?.getTime()).toBe(at);
    }
    await until(async () => expect(await waiting(stage)).toBe(0));
  });

  test("with a time that has passed is queued at once", async () => {
    const stage = await Stage.orchestrated(server());
    const run = await stage.client.enqueue({ queue: "now", jobId: "a", at: "2001-01-01T00:00:00Z" });
    expect(run).toEqual({ runId: "a", accepted: true, state: "queued" });
    expect(await stage.inWork()).toEqual([stage.names.job("now", "a")]);
  });

  test("is accepted once for an id", async () => {
    const stage = await Stage.orchestrated(server());
    const request = { queue: "once", jobId: "a", at: "2040-01-01T00:00:00Z" };
    expect(await stage.client.enqueue(request)).toMatchObject({
      accepted: true,
      timer: "a@20400101T000000Z",
    });
    expect(await stage.client.enqueue(request)).toMatchObject({
      accepted: false,
      timer: "a@20400101T000000Z",
    });
    expect(await waiting(stage)).toBe(1);
  });

  test("waits without an orchestrator, and is queued when one comes", async () => {
    const stage = await Stage.open(server());
    await stage.client.enqueue({ queue: "later", jobId: "a", delay: "50ms" });
    const orchestrator = await stage.punctual.orchestrate();
    onTestFinished(() => orchestrator.stop());
    await until(async () => expect(await stage.inWork()).toEqual([stage.names.job("later", "a")]));
  });

  test("goes to the gate of a queue that has limits by then", async () => {
    const stage = await Stage.orchestrated(server());
    await stage.client.queues.put("slow", { rate: "1/h" });
    for (const jobId of ["a", "b"]) await stage.client.enqueue({ queue: "slow", jobId, at: soon(1_500) });
    await until(async () => {
      const subjects = (await stage.inWork()).sort();
      expect(subjects.filter((subject) => subject.includes(".gate.slow."))).toHaveLength(1);
      expect(subjects.filter((subject) => subject.includes(".work.slow."))).toHaveLength(1);
    });
  });
});

describe("by what enqueue answered", () => {
  test("a job is cancelled, and nothing comes", async () => {
    const stage = await Stage.orchestrated(server());
    const { timer = "" } = await stage.client.enqueue({ queue: "c", jobId: "a", at: soon(60_000) });
    await stage.client.cancel(timer);
    expect(await stage.event("cancelled", "a")).toMatchObject({ reason: "cancelled" });
    expect(await waiting(stage)).toBe(0);
    await expectRefusal(stage.client.cancel(timer), "not_found", /timer a@.* does not wait/);
  });

  test("a job is rescheduled, sooner and later", async () => {
    const stage = await Stage.orchestrated(server());
    const { timer = "" } = await stage.client.enqueue({ queue: "r", jobId: "a", at: "2050-01-01T00:00:00Z" });
    const later = await stage.client.reschedule(timer, { at: "2060-01-01T00:00:00Z" });
    expect(later).toEqual({ runId: "a", timer: "a@20600101T000000Z" });
    await expectRefusal(stage.client.reschedule(timer, { delay: 0 }), "not_found", /does not wait/);
    await stage.client.reschedule(later.timer, { delay: "100ms" });
    const seen = await stage.attempts("r");
    await until(() => expect(seen.map(({ runId }) => runId)).toEqual(["a"]));
    await until(async () => expect(await waiting(stage)).toBe(0));
  });

  test("what is no such id is refused, and what is no time", async () => {
    const stage = await Stage.orchestrated(server());
    await expectRefusal(stage.client.cancel("a"), "invalid", /timer: expected <id>@<time>.*got "a"/);
    await expectRefusal(stage.client.cancel("a@20261332T000000Z"), "invalid", /timer: expected <id>@<time>/);
    const neither = stage.raw.request(stage.names.api("job.reschedule"), '{"timer":"a@20400101T000000Z"}');
    expect((await neither).json()).toMatchObject({
      code: "invalid",
      message: expect.stringMatching(/at: expected one of at, delay/),
    });
    const both = stage.client.enqueue({ queue: "q", at: soon(1), delay: 1 });
    await expectRefusal(both, "invalid", /delay: expected one of at, delay, got both/);
  });
});

test("two hundred jobs, their holder gone in the middle: each comes once", async () => {
  const stage = await Stage.open(server(), { shards: 1 });
  const open = () => openOn(server(), stage.names.namespace, 1);
  const options = { leaseDuration: "9s", probe: 50 };
  const first = await startSession({ open }, "one", options);
  await until(() => expect(first.session.held).toEqual([0]));
  const second = await startSession({ open }, "two", options);
  const start = systemClock.now() + 500;
  const requests = Array.from({ length: 200 }, (_, i) => ({
    queue: "many",
    jobId: `j${i}`,
    at: new Date(start + i * 10).toISOString(),
  }));
  for await (const outcome of stage.client.enqueueMany(requests)) expect(outcome.kind).toBe("enqueued");
  const seen = await stage.attempts("many");
  await until(() => expect(seen.length).toBeGreaterThan(60));
  await first.connection.close();
  await until(() => expect(second.session.held).toEqual([0]));
  await until(() => expect(seen.length).toBeGreaterThanOrEqual(200));
  await until(async () => expect(await waiting(stage)).toBe(0));
  await stage.workIsEmpty();
  expect(seen.map(({ runId }) => runId).sort()).toEqual(requests.map(({ jobId }) => jobId).sort());
});

describe("a long wait between attempts", () => {
  const failing = { retry: { maxAttempts: 3, initialDelay: "40s", factor: 1, maxDelay: "40s" } };
  const boom = () => {
    throw new Error("boom");
  };

  test("is not spent on the queue, and the attempts go on where they were", async () => {
    const stage = await Stage.orchestrated(server());
    const seen = await stage.attempts("long", boom);
    await stage.client.enqueue({ queue: "long", jobId: "a", ...failing });
    for (const attempt of [1, 2]) {
      const message = await until(async () => {
        const [only, ...others] = await stage.messages(stage.names.timers);
        expect(only?.header.get(h.attemptsBefore)).toBe(String(attempt));
        expect(others).toEqual([]);
        return only;
      });
      await stage.workIsEmpty();
      expect(seen.map((one) => one.attempt).at(-1)).toBe(attempt);
      const at = Date.parse(message?.header.get(h.at) ?? "");
      await stage.client.reschedule(timerIdOf({ runId: "a", at }), { delay: 0 });
    }
    expect(await stage.event("dead", "a")).toMatchObject({ attempt: 3, error: "boom" });
    expect(seen.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
    expect((await stage.deadLetter("long")).header(h.attempts)).toBe("3");
    const retried = (await stage.events()).filter(({ type }) => type === "retried");
    expect(retried.map(({ data }) => data.attempt)).toEqual([1, 2]);
  });

  test("is spent there, where the key must not be free meanwhile", async () => {
    const stage = await Stage.orchestrated(server());
    const seen = await stage.attempts("long", boom);
    await stage.client.enqueue({ queue: "long", jobId: "a", unique: "k", ...failing });
    await stage.event("retried", "a");
    expect(seen).toHaveLength(1);
    expect(await stage.inWork()).toEqual([stage.names.job("long", "k")]);
    expect(await waiting(stage)).toBe(0);
    expect(await stage.client.enqueue({ queue: "long", jobId: "b", unique: "k" })).toMatchObject({
      accepted: false,
    });
  });
});
