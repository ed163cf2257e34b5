/** Input that is refused: each kind with a message of its own, and nothing half-done is left. */
import { describe, expect, test } from "vitest";
import { connect } from "../../src/connect.js";
import type { EnqueueRequest } from "../../src/protocol/enqueue-input.js";
import type { ScheduleInput } from "../../src/protocol/schedule-input.js";
import type { WorkerOptions } from "../../src/worker/options.js";
import { connected, expectRefusal, freshNamespace, Stage, serverOf } from "../support/stage.js";

const server = serverOf();
const large = "x".repeat(1_100_000);

type Case<T> = [what: string, input: T, path: string, message: RegExp];

const schedules: Case<unknown>[] = [
  [
    "unknown queue name characters",
    { every: "1s", queue: "e mail" },
    "schedule.queue",
    /schedule\.queue: expected 1 to 64 characters of A-Z.*got "e mail"/,
  ],
  ["a queue name with a dot", { every: "1s", queue: "a.b" }, "schedule.queue", /got "a\.b"/],
  [
    "an unknown time zone",
    { cron: "0 3 * * *", timeZone: "Mars/Olympus" },
    "timeZone",
    /timeZone: expected .*got "Mars\/Olympus"/,
  ],
  [
    "a cron line that is none",
    { cron: "every morning" },
    "cron",
    /^cron: column 14: expected 5 fields .*got 2 fields in "every morning"/,
  ],
  ["a cron line with a wrong field", { cron: "61 * * * *" }, "cron", /61/],
  ["a cron line that can never fire", { cron: "0 0 30 2 *" }, "cron", /(never|expected a time to come)/],
  [
    "a time that is past",
    { at: "2020-01-01T00:00:00Z" },
    "at",
    /at: expected a time to come, got none after now/,
  ],
  [
    "a time without an offset",
    { at: "2099-01-01 00:00" },
    "schedule.at",
    /expected an RFC 3339 time with offset .*got "2099-01-01 00:00"/,
  ],
  [
    "no time at all",
    { queue: "q" },
    "schedule",
    /expected one of cron, every, at, rrule, include, got 0 of them/,
  ],
  [
    "two times",
    { every: "1s", cron: "* * * * *" },
    "schedule",
    /expected one of cron, every, at, rrule, include, got 2 of them/,
  ],
  ["an interval that is none", { every: "often" }, "schedule.every", /expected a duration .*got "often"/],
  ["an interval of nothing", { every: 0 }, "schedule.every", /expected at least 1 ms/],
  ["an unknown field", { every: "1s", colour: "red" }, "schedule", /unknown field "colour"/],
  [
    "an unknown policy",
    { every: "1s", overlap: "maybe" },
    "schedule.overlap",
    /expected one of "allow"\|"skip"\|.*, got "maybe"/,
  ],
  [
    "a reserved header",
    { every: "1s", headers: { "Nats-Msg-Id": "x" } },
    "schedule.headers.Nats-Msg-Id",
    /reserved/,
  ],
  ["a header of two lines", { every: "1s", headers: { a: "1\r\nb: 2" } }, "schedule.headers.a", /one line/],
  [
    "more attempts than the queue allows",
    { every: "1s", retry: { maxAttempts: 6 } },
    "retry.maxAttempts",
    /expected at most 5, the queue's limit, got 6/,
  ],
  [
    "a payload that is too large",
    { every: "1s", payload: large },
    "payload",
    /payload: expected at most \d+ bytes, got 1100002|too large/,
  ],
];

describe("a schedule with", () => {
  for (const [what, input, path, message] of schedules) {
    test(`${what} is refused`, async () => {
      const stage = await Stage.orchestrated(server());
      const error = await expectRefusal(
        stage.client.schedules.put("s", input as ScheduleInput),
        "invalid",
        message,
      );
      if (what !== "a payload that is too large")
        expect(error.issues.map((issue) => issue.path)).toContain(path);
      await expectRefusal(stage.client.schedules.get("s"), "not_found", /s does not exist/);
      expect(await stage.messages(stage.names.schedules.stream)).toEqual([]);
    });
  }

  test("a payload that the API could carry, but not with its headers, is refused with its limit", async () => {
    const stage = await Stage.orchestrated(server());
    const put = stage.client.schedules.put("s", { every: "1s", payload: "x".repeat(1_040_000) });
    const error = await expectRefusal(put, "invalid", /payload: expected at most 1032192 bytes, got 1040002/);
    expect(error.issues).toMatchObject([{ path: "payload" }]);
  });

  test("an id that is none is refused", async () => {
    const stage = await Stage.orchestrated(server());
    for (const id of ["", "a b", "a.b", ">", "x".repeat(129)]) {
      const error = await expectRefusal(
        stage.client.schedules.put(id, { every: "1s" }),
        "invalid",
        /id: expected 1 to 128/,
      );
      expect(error.issues).toMatchObject([{ path: "id" }]);
    }
  });
});

const jobs: Case<unknown>[] = [
  [
    "unknown queue name characters",
    { queue: "e mail" },
    "queue",
    /^enqueue: queue: expected 1 to 64 characters.*got "e mail"/,
  ],
  ["an unusable id", { jobId: "a.b" }, "jobId", /jobId: expected 1 to 128.*got "a\.b"/],
  ["an unusable key", { unique: "*" }, "unique", /unique: expected 1 to 128.*got "\*"/],
  ["an unknown field", { que: "mail" }, "", /unknown field "que"/],
  ["a payload that is no JSON", { payload: 1n }, "payload", /payload/],
  ["an unusable timeout", { timeout: -1 }, "timeout", /timeout: expected a duration .*got -1/],
  ["no attempts", { retry: { maxAttempts: 0 } }, "retry.maxAttempts", /retry\.maxAttempts: .*got 0/],
  ["a reserved header", { headers: { "Punctual-Run-Id": "x" } }, "headers.Punctual-Run-Id", /reserved/],
];

describe("a job with", () => {
  for (const [what, input, path, message] of jobs) {
    test(`${what} is refused`, async () => {
      const stage = await Stage.open(server());
      const error = await expectRefusal(stage.client.enqueue(input as EnqueueRequest), "invalid", message);
      expect(error.issues.map((issue) => issue.path)).toEqual([path]);
      expect(await stage.inWork()).toEqual([]);
    });
  }

  test("a payload that is too large is refused at once, with its size and the limit", async () => {
    const stage = await Stage.open(server());
    const enqueue = stage.client.enqueue({ payload: large });
    const error = await expectRefusal(enqueue, "invalid", /payload: expected at most \d+ bytes, got 1100002/);
    expect(error.issues).toMatchObject([{ path: "payload" }]);
    expect(await stage.inWork()).toEqual([]);
  });

  test("anything wrong does not keep the others of a batch", async () => {
    const stage = await Stage.open(server());
    const kinds: string[] = [];
    const requests = [{ jobId: "a" }, { jobId: "b c" }, { payload: large }, { jobId: "d" }];
    for await (const outcome of stage.client.enqueueMany(requests)) kinds.push(outcome.kind);
    expect(kinds).toEqual(["enqueued", "failed", "failed", "enqueued"]);
    expect(await stage.inWork()).toHaveLength(2);
  });
});

describe("a worker with", () => {
  const workers: Case<WorkerOptions & Record<string, unknown>>[] = [
    ["an unknown option", { concurency: 3 }, "", /^worker options: unknown field "concurency"$/],
    ["no concurrency", { concurrency: 0 }, "concurrency", /concurrency: .*got 0/],
    [
      "a heartbeat slower than the ack wait",
      { heartbeatMs: 10_000 },
      "heartbeatMs",
      /heartbeatMs: expected less than 10000, the ack wait of queue default, got 10000/,
    ],
  ];
  for (const [what, options, path, message] of workers) {
    test(`${what} is refused`, async () => {
      const stage = await Stage.open(server());
      const error = await expectRefusal(
        stage.punctual.work("default", options, () => {}),
        "invalid",
        message,
      );
      expect(error.issues.map((issue) => issue.path)).toEqual([path]);
    });
  }

  test("a queue name that is none is refused", async () => {
    const stage = await Stage.open(server());
    await expectRefusal(
      stage.punctual.work("a.b", {}, () => {}),
      "invalid",
      /queue: expected 1 to 64 .*got "a\.b"/,
    );
    await expectRefusal(
      stage.punctual.work("_void", {}, () => {}),
      "invalid",
      /queue: expected 1 to 64/,
    );
  });
});

describe("a namespace", () => {
  test("whose name is none is refused", async () => {
    for (const namespace of ["", "Big", "a.b", "x".repeat(33)]) {
      await expectRefusal(
        connect({ servers: server().url, namespace }),
        "invalid",
        /^namespace: expected 1 to 32 characters/,
      );
    }
  });

  test("made with another number of shards is refused", async () => {
    const namespace = freshNamespace();
    await connected({ servers: server().url, namespace, shards: 4 });
    await connected({ servers: server().url, namespace });
    const other = connect({ servers: server().url, namespace, shards: 8 });
    await expectRefusal(other, "conflict", /shards: the namespace was made with 4, .*got 8/);
  });

  test("with an unusable number of shards or replicas is refused", async () => {
    const servers = server().url;
    await expectRefusal(connect({ servers, shards: 0 }), "invalid", /options: shards: .*got 0/);
    await expectRefusal(connect({ servers, shards: 2_000 }), "invalid", /shards: .*got 2000/);
    await expectRefusal(connect({ servers, replicas: 2 }), "invalid", /replicas: expected 1, 3 or 5, got 2/);
  });

  test("with more replicas than there are servers is refused with the server's words", async () => {
    const three = connect({ servers: server().url, namespace: freshNamespace(), replicas: 3 });
    await expectRefusal(three, "unsupported", /stream .*_RUNS: .*replicas/);
  });
});
