/** Everything by hand, with the command `nats`: what the README tells a newcomer to type. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { headers as h } from "../../src/protocol/headers.js";
import { until } from "../support/scene.js";
import type { Stage } from "../support/stage.js";
import { describeClient, stageFor } from "./suite.js";
import type { Program } from "./support/program.js";
import { natsCli } from "./support/toolchains.js";

await describeClient(natsCli, (programOn) => {
  const opened = async () => {
    const stage = await stageFor();
    return { stage, nats: programOn(stage) };
  };

  test("publishes to the front door; what cannot be read is a dead letter", async () => {
    const { stage, nats } = await opened();
    const job = ["pub", "punctual.enqueue.emails", '{"to":"ada"}'];
    await nats.text(...job, "-H", "Nats-Msg-Id:order-17", "-H", "Punctual-Max-Attempts:3");
    await nats.text("pub", "punctual.enqueue.emails", "", "-H", "Punctual-Timeout:soon");
    const [stored] = await queued(stage, 1);
    expect(stored?.json()).toEqual({ to: "ada" });
    expect(stored?.header.get(h.runId)).toBe("order-17");
    expect(stored?.header.get(h.maxAttempts)).toBe("3");
    const letter = await stage.deadLetter("emails");
    expect(letter.header(h.error)).toBe('Punctual-Timeout: expected a duration such as 30s, got "soon"');
  });

  test("publishes straight to the queue, and sees a second job under the same id refused", async () => {
    const { nats } = await opened();
    const job = ["req", "--raw", "punctual.work.emails.invoice-7", '{"to":"bob"}'];
    expect(JSON.parse(await nats.text(...job))).toMatchObject({ stream: "PUNCTUAL_WORK", seq: 1 });
    expect(JSON.parse(await nats.text(...job))).toMatchObject({
      error: { err_code: 10077, description: "maximum messages per subject exceeded" },
    });
  });

  test("finds the API, and defines a schedule", async () => {
    const { stage, nats } = await opened();
    expect(await nats.text("micro", "info", "punctual")).toContain("punctual.api.schedule.put");
    const put = (text: string) => nats.text("req", "--raw", "punctual.api.schedule.put", text);
    const schedule = '{"every":"1s","queue":"emails","payload":{"to":"ada"}}';
    expect(JSON.parse(await put(`{"id":"hello","schedule":${schedule}}`))).toMatchObject({ id: "hello" });
    expect(JSON.parse(await put('{"id":"wrong"}'))).toMatchObject({
      code: "invalid",
      issues: [{ path: "schedule" }],
    });
    const [job] = await queued(stage, 1);
    expect(job?.header.get(h.scheduleId)).toBe("hello");
  });

  test("works a queue: ack, nak and term", async () => {
    const { stage, nats } = await opened();
    await stage.ensureQueue("emails", { maxAttempts: 2 });
    await nats.text("pub", "punctual.work.emails.first", '{"to":"ada"}');
    const next = (...how: string[]) =>
      nats.text("consumer", "next", "PUNCTUAL_WORK", "work-emails", "--raw", "--timeout", "20s", ...how);
    expect(await next("--nak")).toContain('{"to":"ada"}');
    expect(await next("--ack")).toContain('{"to":"ada"}');
    await stage.workIsEmpty();
    await nats.text("pub", "punctual.work.emails.second", '{"to":"nobody"}');
    expect(await next("--term")).toContain('{"to":"nobody"}');
    await stage.workIsEmpty();
    await nats.text("pub", "punctual.work.emails.third", '{"to":"bob"}');
    await next("--nak");
    await next("--nak");
    const asking = next();
    const letter = await stage.deadLetter("emails");
    expect(letter.body).toBe('{"to":"bob"}');
    await nats.text("pub", "punctual.work.emails.last", "");
    await asking;
    await stage.workIsEmpty();
    expect(await stage.deadCount()).toBe(1);
  });

  test("enqueues and works; `punctual runs list` shows what became of it", async () => {
    const { stage, nats } = await opened();
    await nats.text("pub", "punctual.enqueue.emails", '{"to":"ada"}', "-H", "Nats-Msg-Id:welcome-ada");
    const list = async (): Promise<unknown> =>
      JSON.parse(await punctual(stage, "runs", "list", "--queue", "emails", "--json"));
    await until(async () => expect(await list()).toMatchObject([{ id: "welcome-ada", state: "queued" }]));
    const next = ["consumer", "next", "PUNCTUAL_WORK", "work-emails", "--raw"];
    await nats.text(...next, "--nak");
    await nats.text(...next);
    const done = { state: "succeeded", attempts: 2, durationMs: expect.any(Number) };
    await until(async () => expect(await list()).toMatchObject([{ id: "welcome-ada", ...done }]));
  });

  test("answers by subject, as any client can: in progress, nak with a delay, ack", async () => {
    const { stage, nats } = await opened();
    await stage.ensureQueue("emails", { ackWaitMs: 2_000 });
    await nats.text("pub", "punctual.work.emails.first", '{"to":"ada"}');
    const first = await pull(nats, 1);
    for (const _ of [1, 2, 3]) {
      await nats.text("req", "--raw", first, "+WPI"); // the server confirms
      await new Promise((resolve) => setTimeout(resolve, 1_000));
    }
    await nats.text("pub", first, "--", '-NAK {"delay": 1000000000}');
    const second = await pull(nats, 2);
    await nats.text("pub", second, "+ACK");
    await stage.workIsEmpty();
    // The number of the delivery: the first was kept in hand for longer than the ack wait, and not given to anybody.
    expect([first, second].map((reply) => reply.split(".")[4])).toEqual(["1", "2"]);
  });
});

/** The command line of the package, as it was built. */
async function punctual(stage: Stage, ...args: string[]): Promise<string> {
  const main = join(import.meta.dirname, "../../dist/cli/main.js");
  const env = { ...process.env, PUNCTUAL_SERVER: stage.server.url };
  return (await promisify(execFile)(process.execPath, [main, ...args], { env })).stdout;
}

/** Takes a job, and tells where its answers go. */
async function pull(nats: Program, inbox: number): Promise<string> {
  const listening = nats.start("sub", "--count", "1", `my.inbox.${inbox}`);
  await until(() => expect(listening.complaints).toContain("Subscribing"));
  const request = [
    "pub",
    "$JS.API.CONSUMER.MSG.NEXT.PUNCTUAL_WORK.work-emails",
    "--reply",
    `my.inbox.${inbox}`,
  ];
  await nats.text(...request, '{"batch": 1, "expires": 10000000000}');
  await listening.ended();
  return /with reply "(\$JS\.ACK\.\S+)"/.exec(listening.text)?.[1] ?? "";
}

/** Resolves with the jobs in the queue once there are so many. */
async function queued(stage: Stage, count: number) {
  return until(async () => {
    const jobs = await stage.messages(stage.names.work, stage.names.queueSubjects("emails"));
    expect(jobs).toHaveLength(count);
    return jobs;
  });
}
