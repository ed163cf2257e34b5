/**
 * What a program without an SDK has to be able to do, whatever its language. The program does the client's part and
 * prints what it saw; what became of it is looked at from outside.
 */
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { headers as h } from "../../src/protocol/headers.js";
import { startEmbeddedServer } from "../../src/runtime/embedded/server.js";
import { until } from "../support/scene.js";
import { Stage } from "../support/stage.js";
import { Program, type Running } from "./support/program.js";
import { build, missingTools, type Toolchain } from "./support/toolchain.js";

const QUEUE = "emails";
const BUILD_LIMIT_MS = 600_000;

/** The programs name everything in full, as their readers will: a server for each test, and the default namespace. */
export async function stageFor(): Promise<Stage> {
  const server = await startEmbeddedServer();
  onTestFinished(() => server.stop());
  return Stage.orchestrated(server, { namespace: "punctual" });
}

/** Skips the tests where the tools are not there, but never in CI. */
export async function describeClient(
  toolchain: Toolchain,
  tests: (start: (stage: Stage) => Program) => void,
): Promise<void> {
  const missing = process.env.CI ? [] : await missingTools(toolchain);
  const { language } = toolchain;
  if (missing.length > 0)
    console.log(`skipped: the ${language} client, as there is no ${missing.join(" and no ")}`);
  describe.skipIf(missing.length > 0)(`${language} client`, () => {
    let folder = "";
    beforeAll(async () => {
      folder = await build(toolchain);
    }, BUILD_LIMIT_MS);
    tests((stage) => {
      const env = { ...toolchain.env?.(folder), NATS_URL: stage.server.url };
      return new Program(toolchain.command(folder), env);
    });
  });
}

/** What some of the programs can do beyond that. */
export const furtherSuite = (toolchain: Toolchain): Promise<void> =>
  describeClient(toolchain, (programOn) => {
    test("waits as the backoff list of its queue says when it was silent, and is given the job again", async () => {
      const stage = await stageFor();
      await stage.ensureQueue(QUEUE, { ackWaitMs: 500, maxAttempts: 3, backoffMs: [500, 1_500] });
      const program = programOn(stage);
      for (let attempt = 1; attempt <= 2; attempt++) {
        const running = program.start("work");
        if (attempt === 1) await enqueue(stage, "silent", { to: "ada", hangs: 2 });
        await until(() => expect(attemptsOf(running)).toEqual({ "silent ada": [attempt] }));
        await running.kill();
      }
      const last = program.start("work");
      await stage.workIsEmpty();
      expect(attemptsOf(last)).toEqual({ "silent ada": [3] });
      const { config } = await stage.jsm.consumers.info(stage.names.work, stage.names.consumer(QUEUE));
      expect(config.backoff).toEqual([1e9, 2e9]);
      await until(async () => expect(await runsOf(stage)).toEqual({ silent: "succeeded, 3" }));
    });

    test("works the lane of urgent jobs alone", async () => {
      const stage = await stageFor();
      await stage.client.enqueue({ queue: QUEUE, jobId: "calm", payload: { to: "bob" } });
      await stage.client.enqueue({ queue: QUEUE, jobId: "fire", payload: { to: "ada" }, priority: "high" });
      const running = programOn(stage).start("urgent");
      await until(() => expect(running.lines).toHaveLength(1));
      expect(running.lines).toEqual([{ to: "ada", subject: stage.names.job(QUEUE, "fire", "high") }]);
      await until(async () => expect(await stage.inWork()).toEqual([stage.names.job(QUEUE, "calm")]));
    });

    test("looks at dead letters and retries them through the API", async () => {
      const stage = await stageFor();
      await stage.ensureQueue(QUEUE, { ackWaitMs: 3_000, maxAttempts: 1 });
      const worker = programOn(stage).start("work");
      await enqueue(stage, "doomed", { to: "dan", fails: 99 });
      await until(async () => expect(await stage.deadCount()).toBe(1));
      await worker.kill();
      const said = await programOn(stage).run("dead");
      const retry = expect.stringMatching(/^doomed:retry-\d+$/);
      expect(said).toMatchObject([
        { error: null, answer: { letters: [{ runId: "doomed", reason: "delivery limit reached" }] } },
        { error: null, answer: { payload: { to: "dan", fails: 99 } } },
        { error: null, answer: { runId: retry, to: "queue" } },
        { error: "404", answer: { code: "not_found" } },
      ]);
      expect(await stage.inWork()).toEqual([stage.names.job(QUEUE, "doomed")]);
    });
  });

export const clientSuite = (toolchain: Toolchain): Promise<void> =>
  describeClient(toolchain, (programOn) => {
    test("enqueues, through the front door and straight to the queue", async () => {
      const stage = await stageFor();
      const said = await programOn(stage).run("enqueue");
      expect(said).toEqual([
        { duplicate: true },
        { refused: expect.stringMatching("maximum messages per subject exceeded") },
      ]);
      await until(async () => expect(await stage.messages(stage.names.intake)).toEqual([]));
      const jobs = (await stage.messages(stage.names.work)).map((message) => ({
        key: message.subject.slice(stage.names.job(QUEUE, "").length),
        to: message.json<{ to: string }>().to,
        runId: message.header?.get(h.runId) ?? "",
        attempts: message.header?.get(h.maxAttempts) ?? "",
        tenant: message.header?.get("X-Tenant") ?? "",
      }));
      const nothing = { attempts: "", tenant: "" };
      const made = expect.stringMatching(/^job-\d+-[0-9a-z]+$/);
      expect(jobs.sort((a, b) => (a.to < b.to ? -1 : 1))).toEqual([
        { key: "welcome-ada", to: "ada", runId: "welcome-ada", attempts: "3", tenant: "acme" },
        { ...nothing, key: made, to: "bob", runId: made },
        { ...nothing, key: "invoice-7", to: "cyd", runId: "" },
      ]);
    });

    test("enqueues for later, by a delay and at a time", async () => {
      const stage = await stageFor();
      const before = Date.now();
      const [said] = await programOn(stage).run("later");
      expect(Date.parse(String(said?.at))).toBeGreaterThan(before);
      const jobs = await until(async () => {
        const queued = await stage.messages(stage.names.work, stage.names.queueSubjects(QUEUE));
        expect(queued).toHaveLength(2);
        return queued;
      });
      expect(jobs.map((message) => message.json<{ to: string }>().to).sort()).toEqual(["ada", "bob"]);
      for (const { time } of jobs) expect(time.getTime()).toBeGreaterThanOrEqual(before + 2_000);
      expect(await stage.deadCount()).toBe(0);
    });

    test("defines a schedule through the API, and is told what is wrong with another", async () => {
      const stage = await stageFor();
      const said = await programOn(stage).run("schedule");
      expect(said).toMatchObject([
        { error: null, answer: { id: "hello", revision: expect.any(Number), schedule: { every: "1s" } } },
        { error: "400", answer: { code: "invalid", issues: [{ path: "cron" }] } },
      ]);
      const [job] = await until(async () => {
        const jobs = await stage.messages(stage.names.work, stage.names.queueSubjects(QUEUE));
        expect(jobs).toHaveLength(1);
        return jobs;
      });
      expect(job?.json()).toEqual({ to: "ada" });
      expect(job?.header.get(h.scheduleId)).toBe("hello");
    });

    test("works a queue: ack, nak with a delay, in progress, term; retries and dead letters follow", async () => {
      const stage = await stageFor();
      await stage.ensureQueue(QUEUE, { ackWaitMs: 3_000, maxAttempts: 3 });
      const running = programOn(stage).start("work");
      await enqueue(stage, "slow", { to: "ada", seconds: 5 });
      // Behind the slow one: a client that fetches more than it works on would let it go stale.
      await enqueue(stage, "behind", { to: "bob" });
      await enqueue(stage, "flaky", { to: "cyd", fails: 2 });
      await enqueue(stage, "hopeless", { to: "nobody" });
      await enqueue(stage, "doomed", { to: "dan", fails: 99 });
      await stage.js.publish(stage.names.job(QUEUE, "bare"), '{"to":"eve"}');
      await stage.workIsEmpty();

      expect(attemptsOf(running)).toEqual({
        "slow ada": [1],
        "behind bob": [1],
        "flaky cyd": [1, 2, 3],
        "hopeless nobody": [1],
        "doomed dan": [1, 2, 3],
        "null eve": [1],
      });
      const letters = await stage.messages(stage.names.dead);
      expect(letters).toHaveLength(1);
      const [letter] = letters;
      expect(letter?.json()).toEqual({ to: "dan", fails: 99 });
      expect(letter?.header.get(h.runId)).toBe("doomed");
      expect(letter?.header.get(h.reason)).toBe("delivery limit reached");
      expect(letter?.header.get(h.attempts)).toBe("3");

      await until(async () =>
        expect(await runsOf(stage)).toEqual({
          slow: "succeeded, 1",
          behind: "succeeded, 1",
          flaky: "succeeded, 3",
          hopeless: "failed, 1",
          doomed: "dead, 3",
          bare: "succeeded, 1",
        }),
      );
    });

    test("that is killed at work loses nothing: another one gets the job after the ack wait", async () => {
      const stage = await stageFor();
      await stage.ensureQueue(QUEUE, { ackWaitMs: 2_000, maxAttempts: 3 });
      const program = programOn(stage);
      const first = program.start("work");
      await enqueue(stage, "orphan", { to: "ada", hangs: 1 });
      await until(() => expect(first.lines).toHaveLength(1));
      await first.kill();
      const second = program.start("work");
      await stage.workIsEmpty();
      expect(attemptsOf(first)).toEqual({ "orphan ada": [1] });
      expect(attemptsOf(second)).toEqual({ "orphan ada": [2] });
    });
  });

async function enqueue(stage: Stage, jobId: string, payload: Record<string, string | number>): Promise<void> {
  await stage.client.enqueue({ queue: QUEUE, jobId, payload });
}

/** How the runs ended and after how many attempts, by the key of their job. */
async function runsOf(stage: Stage): Promise<Record<string, string>> {
  const runs: Record<string, string> = {};
  // A job that has no run id of its own is told by its key and its place in the stream.
  for await (const { id, state, attempts } of stage.client.runs.list({ queue: QUEUE }))
    runs[id.replace(/:\d+$/, "")] = `${state}, ${attempts}`;
  return runs;
}

/** The attempts that a worker told of, by run and recipient. */
function attemptsOf({ lines }: Running): Record<string, unknown[]> {
  const attempts: Record<string, unknown[]> = {};
  for (const { runId, to, attempt } of lines) {
    const key = `${runId} ${to}`;
    attempts[key] = [...(attempts[key] ?? []), attempt];
  }
  return attempts;
}
