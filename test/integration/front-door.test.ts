/** What programs in other languages do: plain NATS, no SDK. */

import { Match, headers as messageHeaders } from "@nats-io/transport-node";
import { JSONCodec, AckPolicy as OlderAckPolicy, connect as olderConnect } from "nats";
import { describe, expect, onTestFinished, test } from "vitest";
import { headers as h } from "../../src/protocol/headers.js";
import { until } from "../support/scene.js";
import { Stage, serverOf } from "../support/stage.js";

const server = serverOf();

function publish(stage: Stage, subject: string, body: string, headers: Record<string, string> = {}) {
  const head = messageHeaders();
  for (const [name, value] of Object.entries(headers)) head.set(name, value);
  return stage.js.publish(subject, body, { headers: head });
}

describe("the front door", () => {
  test("takes a plain publish to a queue, with options as headers", async () => {
    const stage = await Stage.orchestrated(server());
    const seen = await stage.attempts("mail", ({ attempt }) => {
      if (attempt === 1) throw new Error("again");
    });
    await publish(stage, stage.names.enqueue("mail"), '{"to":"ada"}', {
      [h.msgId]: "order-77",
      [h.maxAttempts]: "3",
      [h.timeout]: "20s",
      "X-Trace": "abc",
    });
    await until(() => expect(seen.map(({ attempt }) => attempt)).toEqual([1, 2]));
    expect(seen[0]?.job).toMatchObject({
      payload: { to: "ada" },
      runId: "order-77",
      maxAttempts: 3,
      scheduleId: null,
    });
    expect(seen[0]?.job.headers["X-Trace"]).toBe("abc");
    await stage.workIsEmpty();
    await until(async () => expect(await stage.messages(stage.names.intake)).toEqual([]));
  });

  test("gives a run id where there is none, and takes a body that is not JSON as it is", async () => {
    const stage = await Stage.orchestrated(server());
    await publish(stage, stage.names.enqueue("bytes"), "plain text");
    await until(async () => expect(await stage.inWork()).toHaveLength(1));
    const [message] = await stage.messages(stage.names.work);
    expect(message?.string()).toBe("plain text");
    expect(message?.header.get(h.runId)).toMatch(/^job-1-[0-9a-z]+$/);
  });

  test("takes an option whatever the case of its name", async () => {
    const stage = await Stage.orchestrated(server());
    const options = { "nats-msg-id": "order-78", "punctual-max-attempts": "3", "PUNCTUAL-TIMEOUT": "20s" };
    const head = messageHeaders();
    for (const [name, value] of Object.entries(options)) head.append(name, value, Match.Exact);
    await stage.js.publish(stage.names.enqueue("mail"), "1", { headers: head });
    await until(async () => expect(await stage.inWork()).toEqual([stage.names.job("mail", "order-78")]));
    const [job] = await stage.messages(stage.names.work);
    expect(job?.header.get(h.maxAttempts)).toBe("3");
    expect(job?.header.get(h.timeout)).toBe("20000");
  });

  test("keeps unique jobs unique", async () => {
    const stage = await Stage.orchestrated(server());
    const subject = stage.names.enqueue("sync");
    for (const id of ["a", "b", "c"])
      await publish(stage, subject, `"${id}"`, { [h.msgId]: id, [h.unique]: id === "c" ? "two" : "one" });
    await until(async () => expect(await stage.messages(stage.names.intake)).toEqual([]));
    const key = (name: string) => stage.names.job("sync", name);
    expect((await stage.inWork()).sort()).toEqual([key("one"), key("two")]);
  });

  const refused: [string, string, Record<string, string>, RegExp][] = [
    [
      "an unusable number of attempts",
      "q",
      { [h.maxAttempts]: "many" },
      /Punctual-Max-Attempts: expected a whole number from 1 to 100, got "many"/,
    ],
    [
      "more attempts than the queue allows",
      "q",
      { [h.maxAttempts]: "6" },
      /maxAttempts: expected at most 5, the queue's limit, got 6/,
    ],
    [
      "an unusable timeout",
      "q",
      { [h.timeout]: "soon" },
      /Punctual-Timeout: expected a duration such as 30s, got "soon"/,
    ],
    [
      "an unusable key",
      "q",
      { [h.unique]: "a b" },
      /Punctual-Unique: expected 1 to 128 characters .*got "a b"/,
    ],
    [
      "an unknown priority",
      "q",
      { [h.priority]: "urgent" },
      /Punctual-Priority: expected one of high, normal, low, got "urgent"/,
    ],
    ["an unusable key", "q", { [h.key]: "a.b" }, /Punctual-Key: expected 1 to 128 characters .*got "a\.b"/],
    [
      "a period without a key",
      "q",
      { [h.uniqueFor]: "10m" },
      /Punctual-Unique-For: goes with Punctual-Unique/,
    ],
    [
      "an unusable period",
      "q",
      { [h.unique]: "k", [h.uniqueFor]: "soon" },
      /Punctual-Unique-For: expected a duration.*got "soon"/,
    ],
    [
      "too long a period",
      "q",
      { [h.unique]: "k", [h.uniqueFor]: "32d" },
      /Punctual-Unique-For: expected 1s to 31d, got "32d"/,
    ],
    ["an unusable id", "q", { [h.msgId]: "a b" }, /expected an id of .*got "a b"/],
    [
      "an option that is misspelt",
      "q",
      { "Punctual-Delya": "10m" },
      /Punctual-Delya: expected a header of Punctual/,
    ],
    ["a job to follow that is none", "q", { [h.onSuccess]: "[]" }, /Punctual-On-Success: expected an object/],
    [
      "a time that is none",
      "q",
      { [h.at]: "tomorrow" },
      /Punctual-At: expected an RFC 3339 time .*got "tomorrow"/,
    ],
    ["a day that is none", "q", { [h.at]: "2027-02-30T00:00:00Z" }, /Punctual-At: expected an RFC 3339 time/],
    [
      "a delay that is none",
      "q",
      { [h.delay]: "-1s" },
      /Punctual-Delay: expected a duration such as 30s, got "-1s"/,
    ],
    [
      "a time and a delay",
      "q",
      { [h.delay]: "1s", [h.at]: "2027-02-03T00:00:00Z" },
      /Punctual-Delay: expected one of Punctual-At, Punctual-Delay, got both/,
    ],
    [
      "an unusable deadline",
      "q",
      { [h.startDeadline]: "soon" },
      /Punctual-Start-Deadline: expected a duration/,
    ],
    [
      "unusable waits",
      "q",
      { [h.backoff]: "1s,2" },
      /Punctual-Backoff: expected <first wait>,<factor>,<longest wait>/,
    ],
    [
      "an unusable label",
      "q",
      { [h.labels]: "team" },
      /Punctual-Labels: expected labels such as team=billing/,
    ],
    [
      "a label that none may have",
      "q",
      { [h.labels]: "te am=x" },
      /Punctual-Labels: expected 1 to 63 characters/,
    ],
    ["a queue of two tokens", "q.r", {}, /queue: expected 1 to 64 characters .*got "q\.r"/],
  ];
  for (const [what, queue, headers, message] of refused) {
    test(`refuses ${what}: a dead letter says why, and nothing is queued`, async () => {
      const stage = await Stage.orchestrated(server());
      await publish(stage, stage.names.enqueue(queue), "{}", { ...headers, "X-Trace": "t" });
      const letter = await stage.deadLetter(queue);
      expect(letter.header(h.reason)).toBe("invalid");
      expect(letter.header(h.error)).toMatch(message);
      expect(letter.header("X-Trace")).toBe("t");
      expect(letter.body).toBe("{}");
      await until(async () => expect(await stage.messages(stage.names.intake)).toEqual([]));
      expect(await stage.inWork()).toEqual([]);
    });
  }

  test.each([
    ["high", "high"],
    ["normal", "work"],
    ["low", "low"],
  ])("puts a job of priority %s into its lane", async (priority, lane) => {
    const stage = await Stage.orchestrated(server());
    await publish(stage, stage.names.enqueue("q"), "{}", { [h.priority]: priority, [h.msgId]: "a" });
    await until(async () => expect(await stage.inWork()).toEqual([`${stage.names.namespace}.${lane}.q.a`]));
  });

  test("goes on after refused jobs", async () => {
    const stage = await Stage.orchestrated(server());
    for (let n = 0; n < 20; n++)
      await publish(stage, stage.names.enqueue("q"), String(n), n % 2 === 0 ? {} : { [h.timeout]: "x" });
    await until(async () => expect(await stage.inWork()).toHaveLength(10));
    await until(async () => expect(await stage.deadCount()).toBe(10));
  });
});

describe("straight to the queue", () => {
  test("a publish under an id of one's own is a job; a second one is refused while the first is queued", async () => {
    const stage = await Stage.open(server());
    const subject = stage.names.job("direct", "job-1");
    await publish(stage, subject, '{"n":1}');
    await expect(publish(stage, subject, '{"n":2}')).rejects.toThrow(/maximum messages per subject exceeded/);
    const seen = await stage.attempts("direct");
    await until(() =>
      expect(seen).toMatchObject([{ runId: "job-1:1", job: { payload: { n: 1 }, scheduleId: null } }]),
    );
    await stage.workIsEmpty();
    await publish(stage, subject, '{"n":3}');
    await until(() => expect(seen).toHaveLength(2));
  });
});

describe("a bare worker over a plain consumer", () => {
  const bare = async (maxAttempts: number) => {
    const stage = await Stage.orchestrated(server());
    await stage.ensureQueue("bare", { maxAttempts, ackWaitMs: 1_000 });
    const consumer = await stage.js.consumers.get(stage.names.work, stage.names.consumer("bare"));
    const next = async () => {
      const message = await consumer.next({ expires: 10_000 });
      if (message === null) throw new Error("the queue is empty");
      return message;
    };
    return { stage, next };
  };

  test("acknowledges, and gives back", async () => {
    const { stage, next } = await bare(3);
    const { runId } = await stage.client.enqueue({ queue: "bare", payload: 5 });
    const first = await next();
    expect({ body: first.json(), id: first.headers?.get(h.runId) }).toEqual({ body: 5, id: runId });
    first.nak();
    const second = await next();
    expect(second.info.deliveryCount).toBe(2);
    await second.ackAck();
    expect(await stage.inWork()).toEqual([]);
    expect(await stage.deadCount()).toBe(0);
  });

  test("at the delivery limit: the job is in DEAD with payload and headers, then gone from WORK", async () => {
    const { stage, next } = await bare(2);
    const { runId } = await stage.client.enqueue({
      queue: "bare",
      payload: { n: 1 },
      headers: { "X-Trace": "t" },
    });
    (await next()).nak();
    (await next()).nak();
    // The server notices when someone asks for more.
    const consumer = await stage.js.consumers.get(stage.names.work, stage.names.consumer("bare"));
    const asking = consumer.next({ expires: 5_000 });
    const letter = await stage.deadLetter("bare");
    await stage.workIsEmpty();
    expect(letter.body).toBe('{"n":1}');
    expect(letter.header("X-Trace")).toBe("t");
    expect(letter.header(h.runId)).toBe(runId);
    expect(letter.header(h.reason)).toBe("delivery limit reached");
    expect(letter.header(h.attempts)).toBe("2");
    expect(await stage.event("dead", runId)).toMatchObject({ reason: "delivery limit reached" });
    expect((await stage.client.enqueue({ queue: "bare", jobId: "next" })).accepted).toBe(true);
    await (await asking)?.ackAck();
  });

  test("that dies in silence loses nothing: another gets the job after the ack wait", async () => {
    const { stage, next } = await bare(3);
    await stage.client.enqueue({ queue: "bare", jobId: "orphan" });
    await next();
    const again = await next();
    expect(again.headers?.get(h.runId)).toBe("orphan");
    expect(again.info.deliveryCount).toBe(2);
    await again.ackAck();
  });
});

describe("the older client, nats 2.x", () => {
  const codec = JSONCodec<Record<string, unknown>>();
  const older = async (stage: Stage) => {
    const connection = await olderConnect({ servers: stage.server.url });
    onTestFinished(() => connection.close());
    return connection;
  };

  test("enqueues by the front door and works the queue", async () => {
    const stage = await Stage.orchestrated(server());
    const connection = await older(stage);
    await connection
      .jetstream()
      .publish(stage.names.enqueue("old"), codec.encode({ n: 1 }), { msgID: "old-1" });
    await until(async () => expect(await stage.inWork()).toHaveLength(1));
    const info = await (await connection.jetstreamManager()).consumers.info(
      stage.names.work,
      stage.names.consumer("old"),
    );
    expect(info.config.ack_policy).toBe(OlderAckPolicy.Explicit);
    const consumer = await connection
      .jetstream()
      .consumers.get(stage.names.work, stage.names.consumer("old"));
    const message = await consumer.next({ expires: 10_000 });
    expect(codec.decode(message?.data ?? new Uint8Array())).toEqual({ n: 1 });
    expect(message?.headers?.get(h.runId)).toBe("old-1");
    await message?.ackAck();
    expect(await stage.inWork()).toEqual([]);
  });

  test("calls the API", async () => {
    const stage = await Stage.orchestrated(server());
    const connection = await older(stage);
    const call = async (endpoint: string, request: Record<string, unknown>) =>
      codec.decode(
        (await connection.request(stage.names.api(endpoint), codec.encode(request), { timeout: 5_000 })).data,
      );
    const put = await call("schedule.put", { id: "s", schedule: { every: "1h", queue: "old" } });
    expect(put).toMatchObject({ id: "s", schedule: { every: "1h" } });
    expect(await call("job.enqueue", { queue: "old", jobId: "j" })).toEqual({
      runId: "j",
      accepted: true,
      state: "queued",
    });
    expect(await call("schedule.get", { id: "none" })).toMatchObject({ code: "not_found" });
  });
});
