import { describe, expect, expectTypeOf, test } from "vitest";
import { z } from "zod";
import { headers as h } from "../../src/protocol/headers.js";
import { limits } from "../../src/protocol/limits.js";
import { NonRetryableError } from "../../src/worker/errors.js";
import { Bench, firedHeaders, HeldHandler, RUN_ID } from "./support.js";

const failing = (error: unknown) => () => {
  throw error;
};

describe("a job that is done with", () => {
  test.each([
    ["succeeded", () => 1, "ack"],
    ["died", failing(new NonRetryableError("no")), "term: not retryable"],
  ])(
    "and %s is only acknowledged when it is delivered again, as by a server that was killed",
    async (_, handler, end) => {
      const bench = new Bench();
      await bench.start(handler);
      bench.deliver();
      await bench.journal.until(end);
      await bench.idle();
      const before = bench.done.length;
      for (const attempt of [1, 2]) bench.deliver({ attempt });
      await bench.idle();
      expect(bench.done.slice(before)).toEqual(["ack", "ack"]);
      expect(bench.done.filter((line) => line === "has")).toEqual([]);
    },
  );

  test("is another one when it was stored at another time, or given back", async () => {
    const bench = new Bench();
    await bench.start(({ attempt }) => {
      if (attempt === 1) throw new Error("not yet");
    });
    bench.deliver();
    await bench.journal.until("nak 1000");
    await bench.idle();
    bench.deliver({ attempt: 2 });
    await bench.journal.until("ack");
    await bench.idle();
    bench.deliver({ storedLate: 1 });
    await bench.journal.until("nak 1000", 2);
  });
});

describe("a job that succeeds", () => {
  test("is acknowledged after its success is stored", async () => {
    const bench = new Bench();
    await bench.start(() => ({ sent: 3 }));
    bench.deliver();
    await bench.journal.until("ack");
    expect(bench.done).toEqual(["append succeeded", "ack"]);
    const place = { queue: "mail", worker: "w1" };
    expect(bench.dataOf("succeeded")).toEqual({ attempt: 1, durationMs: 0, ...place, result: { sent: 3 } });
  });

  test("tells the handler all there is to know", async () => {
    const bench = new Bench();
    const held = new HeldHandler(bench.journal);
    await bench.start(held.handle);
    bench.deliver({
      payload: { to: "a" },
      attempt: 2,
      headers: { ...firedHeaders, [h.maxAttempts]: "3", X: "y" },
    });
    await bench.journal.until("handler");
    const job = held.jobs[0];
    expect(job).toMatchObject({ payload: { to: "a" }, runId: RUN_ID, scheduleId: "nightly", attempt: 2 });
    expect(job).toMatchObject({ fireTime: new Date("2026-01-01T00:00:00Z"), maxAttempts: 3, queue: "mail" });
    expect(job?.headers.X).toBe("y");
    expect(job?.log.bindings()).toMatchObject({ runId: RUN_ID, attempt: 2 });
  });

  test("measures how long it took", async () => {
    const bench = new Bench();
    const held = new HeldHandler(bench.journal);
    await bench.start(held.handle);
    bench.deliver();
    await bench.journal.until("handler");
    bench.clock.advance(1_250);
    held.resolve();
    await bench.journal.until("ack");
    expect(bench.dataOf("succeeded")).toMatchObject({ attempt: 1, durationMs: 1_250 });
  });

  test("has its start told, once, when it is not soon over", async () => {
    const bench = new Bench();
    const held = new HeldHandler(bench.journal);
    await bench.start(held.handle);
    bench.deliver();
    await bench.journal.until("handler");
    bench.clock.advance(500);
    held.resolve();
    await bench.journal.until("ack");
    expect(bench.done.slice(-3)).toEqual(["append started", "append succeeded", "ack"]);
    expect(bench.events[0]).toEqual({
      runId: RUN_ID,
      type: "started",
      msgId: `${RUN_ID}/started/1/7`,
      data: { attempt: 1, queue: "mail", worker: "w1" },
    });
  });

  test.each([
    ["too long", "x".repeat(limits.errorLength)],
    [
      "circular",
      (() => {
        const a: unknown[] = [];
        a.push(a);
        return a;
      })(),
    ],
    ["not JSON", () => 1],
  ])("drops a result that is %s", async (_what, result) => {
    const bench = new Bench();
    await bench.start(() => result);
    bench.deliver();
    await bench.journal.until("ack");
    expect(bench.dataOf("succeeded")).not.toHaveProperty("result");
  });

  test("is run although its start cannot be stored", async () => {
    const bench = new Bench();
    bench.broken.add("append started");
    const held = new HeldHandler(bench.journal);
    await bench.start(held.handle);
    bench.deliver();
    await bench.journal.until("handler");
    bench.clock.advance(250);
    await bench.journal.until("append started failed");
    held.resolve();
    await bench.journal.until("ack");
    expect(bench.done.slice(-3)).toEqual(["append started failed", "append succeeded", "ack"]);
  });

  test("waits for a store that does not answer, in progress all the while", async () => {
    const bench = new Bench();
    bench.broken.add("append succeeded");
    await bench.start(() => {}, { heartbeatMs: 100 });
    bench.deliver();
    await bench.journal.until("timer 100", 2);
    bench.clock.advance(100);
    await bench.journal.until("timer 200");
    expect(bench.done).toEqual(["append succeeded failed", "working", "append succeeded failed"]);
    bench.broken.clear();
    bench.clock.advance(200);
    await bench.journal.until("ack");
  });

  test("is left to be delivered again when its success cannot be stored at all", async () => {
    const bench = new Bench();
    bench.broken.add("append succeeded");
    const worker = await bench.start(() => {});
    bench.deliver();
    for (let tries = 1; worker.runningCount > 0; tries++) {
      await bench.journal.until("append succeeded failed", tries);
      await bench.idle();
      bench.clock.advance(5_000);
    }
    expect(bench.clock.monotonic()).toBeGreaterThan(55_000);
    expect(bench.done).not.toContain("ack");
    expect(bench.done.some((line) => line.startsWith("nak") || line.startsWith("term"))).toBe(false);
  });
});

describe("a job that fails", () => {
  test.each([
    [1, 500],
    [2, 1_500],
    [3, 4_000],
  ])("attempt %i is put back for %i ms, by the job's own policy", async (attempt, delayMs) => {
    const bench = new Bench();
    await bench.start(failing(new Error("no route")));
    bench.deliver({ attempt, headers: { ...firedHeaders, [h.backoff]: "500,3,4000" } });
    await bench.journal.until(`nak ${delayMs}`);
    expect(bench.done.slice(-2)).toEqual(["append retried", `nak ${delayMs}`]);
    expect(bench.dataOf("retried")).toMatchObject({ attempt, error: "no route", delayMs });
  });

  test("goes to the dead letters after the last attempt, and only then is removed", async () => {
    const bench = new Bench();
    await bench.start(failing(new Error("no route")));
    bench.deliver({ attempt: 5, payload: [1] });
    await bench.journal.until("term: the last attempt failed");
    expect(bench.done.slice(-3)).toEqual(["bury", "append dead", "term: the last attempt failed"]);
    expect(bench.letters[0]).toMatchObject({ queue: "mail", subject: "punctual.work.mail.nightly", seq: 7 });
    expect(bench.letters[0]).toMatchObject({
      attempts: 5,
      reason: "the last attempt failed",
      error: "no route",
    });
    expect(bench.letters[0]?.stack).toMatch(/^Error\n {4}at /);
    expect(new TextDecoder().decode(bench.letters[0]?.body)).toBe("[1]");
    expect(bench.dataOf("dead")).toMatchObject({
      attempt: 5,
      reason: "the last attempt failed",
      error: "no route",
    });
  });

  test("stays where it is until its dead letter is stored", async () => {
    const bench = new Bench();
    bench.broken.add("bury");
    await bench.start(failing(new NonRetryableError("gone")));
    bench.deliver();
    await bench.journal.until("timer 100");
    expect(bench.done).toEqual(["bury failed"]);
    bench.broken.clear();
    bench.clock.advance(100);
    await bench.journal.until("term: not retryable");
    expect(bench.done.slice(-3)).toEqual(["bury", "append dead", "term: not retryable"]);
  });

  test("has no more attempts than its job or its queue allows", async () => {
    const bench = new Bench();
    await bench.start(failing("no"));
    bench.deliver({ seq: 1, attempt: 2, headers: { ...firedHeaders, [h.maxAttempts]: "2" } });
    bench.deliver({ seq: 2, attempt: 5, headers: { ...firedHeaders, [h.maxAttempts]: "50" } });
    await bench.journal.until("term: the last attempt failed", 2);
  });

  test("is put back although the event cannot be stored", async () => {
    const bench = new Bench();
    bench.broken.add("append retried");
    await bench.start(failing("no"));
    bench.deliver();
    await bench.journal.until("nak 1000");
  });

  test.each([
    ["NonRetryableError", new NonRetryableError("gone")],
    ["an error that says so", Object.assign(new Error("gone"), { retryable: false })],
  ])("with %s is not tried again", async (_what, error) => {
    const bench = new Bench();
    await bench.start(failing(error));
    bench.deliver();
    await bench.journal.until("term: not retryable");
    expect(bench.letters[0]).toMatchObject({ reason: "not retryable", error: "gone", attempts: 1 });
  });

  test("keeps no more of an error than fits", async () => {
    const bench = new Bench();
    await bench.start(failing(new NonRetryableError("x".repeat(100_000))));
    bench.deliver();
    await bench.journal.until("term: not retryable");
    expect(bench.letters[0]?.error).toHaveLength(limits.errorLength);
    expect(bench.letters[0]?.stack?.length).toBeLessThan(limits.errorLength);
  });
});

describe("a payload", () => {
  const schema = z.object({ to: z.string(), copies: z.number().default(1) });

  test("has the type and the defaults of the schema", async () => {
    const bench = new Bench();
    const seen: unknown[] = [];
    await bench.start(
      (job) => {
        expectTypeOf(job.payload).toEqualTypeOf<{ to: string; copies: number }>();
        seen.push(job.payload);
      },
      { schema },
    );
    bench.deliver({ payload: { to: "a" } });
    await bench.journal.until("ack");
    expect(seen).toEqual([{ to: "a", copies: 1 }]);
  });

  test("that is invalid goes to the dead letters with the issues, not into the handler", async () => {
    const bench = new Bench();
    const held = new HeldHandler(bench.journal);
    await bench.start(held.handle, { schema });
    bench.deliver({ payload: { to: 5 } });
    await bench.journal.until("term: invalid payload");
    expect(held.jobs).toEqual([]);
    expect(bench.done).toEqual(["bury", "append dead", "term: invalid payload"]);
    expect(bench.letters[0]?.error).toBe("payload: to: expected a text, got 5");
    expect(bench.dataOf("dead")?.issues).toEqual([{ path: "to", message: "expected a text, got 5" }]);
  });

  test.each([
    ["{", 'payload: expected JSON, got "{"'],
    ["", "payload: expected an object, got null"],
  ])("of %j is said to be wrong", async (body, error) => {
    const bench = new Bench();
    await bench.start(() => {}, { schema });
    bench.deliver({ body });
    await bench.journal.until("term: invalid payload");
    expect(bench.letters[0]?.error).toBe(error);
  });

  test("that is empty is null", async () => {
    const bench = new Bench();
    const held = new HeldHandler(bench.journal);
    await bench.start(held.handle);
    bench.deliver({ body: "" });
    await bench.journal.until("handler");
    expect(held.jobs[0]?.payload).toBeNull();
  });
});

describe("a run that is cancelled", () => {
  test("aborts, ends as cancelled and is not tried again", async () => {
    const bench = new Bench();
    const held = new HeldHandler(bench.journal);
    await bench.start(held.handle);
    bench.deliver();
    await bench.journal.until("handler");
    expect(held.jobs[0]?.signal.aborted).toBe(false);
    bench.cancel("another:20260101T000000Z");
    expect(held.jobs[0]?.signal.aborted).toBe(false);
    bench.cancel(RUN_ID);
    expect(held.jobs[0]?.signal.reason).toMatchObject({
      why: "cancelled",
      code: "conflict",
      message: "the run was cancelled",
    });
    held.reject(held.jobs[0]?.signal.reason);
    await bench.journal.until("ack");
    expect(bench.done).toEqual(["handler", "aborted", "append cancelled", "ack"]);
    expect(bench.dataOf("cancelled")).toMatchObject({ attempt: 1, queue: "mail", worker: "w1" });
  });

  test("has succeeded when its handler finished all the same", async () => {
    const bench = new Bench();
    const held = new HeldHandler(bench.journal);
    await bench.start(held.handle);
    bench.deliver();
    await bench.journal.until("handler");
    bench.cancel(RUN_ID);
    held.resolve("done");
    await bench.journal.until("ack");
    expect(bench.done.filter((line) => line.startsWith("append"))).toEqual(["append succeeded"]);
  });

  test("is given up when its handler does not heed the signal", async () => {
    const bench = new Bench();
    const held = new HeldHandler(bench.journal);
    await bench.start(held.handle, { abortGraceMs: 100 });
    bench.deliver();
    await bench.journal.until("handler");
    bench.cancel(RUN_ID);
    await bench.journal.until("timer 100");
    bench.clock.advance(100);
    await bench.journal.until("append cancelled");
  });

  test("before its handler began never begins", async () => {
    const bench = new Bench();
    await bench.start(() => bench.journal.add("handler"));
    bench.deliver({ storedLate: 60_000 });
    bench.cancel(RUN_ID);
    await bench.journal.until("ack");
    expect(bench.done).not.toContain("handler");
    expect(bench.done).toContain("append cancelled");
  });
});

describe("a job with a start deadline", () => {
  const deadline = { ...firedHeaders, [h.startDeadline]: "2026-01-01T00:00:05.000Z" };

  test("that is past is expired, not run", async () => {
    const bench = new Bench();
    await bench.start(() => bench.journal.add("handler"));
    bench.clock.advance(5_001);
    bench.deliver({ headers: deadline });
    await bench.journal.until("ack");
    expect(bench.done.filter((line) => line !== "has")).toEqual(["append expired", "ack"]);
    expect(bench.dataOf("expired")).toMatchObject({
      reason: "start deadline",
      startDeadline: "2026-01-01T00:00:05.000Z",
    });
  });

  test("that is just reached is run", async () => {
    const bench = new Bench();
    await bench.start(() => bench.journal.add("handler"));
    bench.clock.advance(5_000);
    bench.deliver({ headers: deadline });
    await bench.journal.until("append succeeded");
    expect(bench.done).toContain("handler");
  });

  test.each(["started", "retried"])("goes on after it when it was %s before", async (type) => {
    const bench = new Bench();
    bench.known.add(type);
    await bench.start(() => bench.journal.add("handler"));
    bench.clock.advance(60_000);
    bench.deliver({ attempt: 2, headers: deadline });
    await bench.journal.until("append succeeded");
    expect(bench.done).toContain("handler");
  });

  test("is expired also when a worker had it before and never began", async () => {
    const bench = new Bench();
    await bench.start(() => bench.journal.add("handler"));
    bench.clock.advance(60_000);
    bench.deliver({ attempt: 2, headers: deadline });
    await bench.journal.until("append expired");
    expect(bench.done).not.toContain("handler");
  });
});

describe("a message that came late or again", () => {
  test.each(["succeeded", "dead", "expired", "cancelled"])(
    "of a run that is %s is acknowledged without running",
    async (type) => {
      const bench = new Bench();
      bench.known.add(type);
      await bench.start(() => bench.journal.add("handler"));
      bench.deliver({ storedLate: 1_001 });
      await bench.journal.until("ack");
      expect(bench.done).toEqual(["has", "has", "has", "has", "ack"]);
    },
  );

  test("of a run that is not over is run", async () => {
    const bench = new Bench();
    bench.known.add("started");
    await bench.start(() => {});
    bench.deliver({ storedLate: 60_000 });
    await bench.journal.until("append succeeded");
  });

  test("in time for the first time asks nobody", async () => {
    const bench = new Bench();
    bench.known.add("succeeded");
    await bench.start(() => {});
    bench.deliver({ storedLate: 1_000 });
    await bench.journal.until("append succeeded");
    expect(bench.done).not.toContain("has");
  });

  test("again, after an acknowledgement that was lost, is not run twice", async () => {
    const bench = new Bench();
    bench.known.add("succeeded");
    await bench.start(() => bench.journal.add("handler"));
    bench.deliver({ attempt: 6 });
    await bench.journal.until("ack");
    expect(bench.done).not.toContain("handler");
  });

  test.each([
    ["now", {}],
    ["for a time", { [h.fireTime]: "2026-01-01T00:00:00Z", [h.trigger]: "timer" }],
  ])("of a job that was enqueued %s is run: its id may have been used before", async (_, headers) => {
    const bench = new Bench();
    bench.known.add("succeeded");
    await bench.start(() => bench.journal.add("handler"));
    bench.deliver({ attempt: 2, storedLate: 60_000, headers: { [h.runId]: "order-7", ...headers } });
    await bench.journal.until("ack");
    expect(bench.done).toContain("handler");
  });

  test("is not run as long as nobody can say", async () => {
    const bench = new Bench();
    bench.broken.add("has");
    await bench.start(() => bench.journal.add("handler"));
    bench.deliver({ storedLate: 60_000 });
    await bench.journal.until("timer 100");
    expect(bench.done).not.toContain("handler");
    bench.broken.clear();
    bench.clock.advance(100);
    await bench.journal.until("append succeeded");
  });

  test("with its attempts used up, by workers that were lost, goes to the dead letters", async () => {
    const bench = new Bench();
    await bench.start(() => bench.journal.add("handler"));
    bench.deliver({ attempt: 3, headers: { ...firedHeaders, [h.maxAttempts]: "2" } });
    await bench.journal.until("term: attempts used up");
    expect(bench.letters[0]?.error).toMatch(/attempt 3 of at most 2/);
    expect(bench.done).not.toContain("handler");
  });

  test("while it is still running here is not run beside itself", async () => {
    const bench = new Bench();
    const held = new HeldHandler(bench.journal);
    const worker = await bench.start(held.handle);
    bench.deliver();
    await bench.journal.until("handler");
    bench.deliver({ attempt: 2 });
    await bench.journal.until("working");
    expect(worker.runningCount).toBe(1);
    held.reject(new Error("no"));
    await bench.journal.until("nak 2000");
    expect(held.jobs).toHaveLength(1);
  });
});

describe("a job without a run id", () => {
  test.each([
    ["order-7", "order-7:12"],
    ["a.b/c ü", "a-b-c--:12"],
    ["-x", "x:12"],
    ["ü", "job:12"],
  ])("%s has one from its place in the queue", async (key, runId) => {
    const bench = new Bench();
    await bench.start(() => {});
    bench.deliver({ seq: 12, key, headers: {} });
    await bench.journal.until("ack");
    expect(bench.events.map((event) => event.runId)).toEqual([runId]);
  });
});

describe("a timeout", () => {
  const headers = { ...firedHeaders, [h.timeout]: "500" };

  test("aborts the signal and fails the attempt", async () => {
    const bench = new Bench();
    const held = new HeldHandler(bench.journal);
    await bench.start(held.handle);
    bench.deliver({ headers });
    await bench.journal.until("handler");
    bench.clock.advance(499);
    expect(bench.done).not.toContain("aborted");
    bench.clock.advance(1);
    const signal = held.jobs[0]?.signal;
    expect(signal?.reason).toMatchObject({ code: "timeout", message: "timed out after 500 ms" });
    held.reject(signal?.reason);
    await bench.journal.until("nak 1000");
    expect(bench.dataOf("retried")).toMatchObject({ error: "timed out after 500 ms" });
  });

  test("keeps what the handler says to it", async () => {
    const bench = new Bench();
    const held = new HeldHandler(bench.journal);
    await bench.start(held.handle);
    bench.deliver({ headers });
    await bench.journal.until("handler");
    bench.clock.advance(500);
    held.reject(new Error("3 of 9 rows written"));
    await bench.journal.until("append retried");
    expect(bench.dataOf("retried")?.error).toBe("timed out after 500 ms; 3 of 9 rows written");
  });

  test("drops a result that comes too late", async () => {
    const bench = new Bench();
    const held = new HeldHandler(bench.journal);
    await bench.start(held.handle);
    bench.deliver({ headers });
    await bench.journal.until("handler");
    bench.clock.advance(500);
    held.resolve("done");
    await bench.journal.until("nak 1000");
    expect(bench.done).not.toContain("append succeeded");
  });

  test("ends the attempt of a handler that ignores the signal, after a grace", async () => {
    const bench = new Bench();
    const held = new HeldHandler(bench.journal);
    await bench.start(held.handle, { abortGraceMs: 2_000 });
    bench.deliver({ headers });
    await bench.journal.until("handler");
    bench.clock.advance(500);
    bench.clock.advance(2_000);
    await bench.journal.until("nak 1000");
    held.resolve();
    expect(bench.dataOf("retried")).toMatchObject({ error: "timed out after 500 ms" });
  });

  test("leaves no timer behind when it is not needed", async () => {
    const bench = new Bench();
    await bench.start(() => {});
    const before = bench.clock.pending;
    bench.deliver({ headers });
    await bench.journal.until("ack");
    expect(bench.clock.pending).toBe(before);
  });
});
