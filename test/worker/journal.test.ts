import { describe, expect, test } from "vitest";
import { limits } from "../../src/protocol/limits.js";
import type { JobContext } from "../../src/worker/context.js";
import type { Progress } from "../../src/worker/progress.js";
import { Bench, HeldHandler, RUN_ID } from "./support.js";

const log = (bench: Bench) => bench.events.filter(({ type }) => type === "log");
const linesOf = (bench: Bench) => log(bench).flatMap(({ data }) => data.lines as Record<string, unknown>[]);

async function ranOnce(act: (job: JobContext) => unknown): Promise<Bench> {
  const bench = new Bench();
  await bench.start(act);
  bench.deliver();
  await bench.journal.until("ack");
  return bench;
}

describe("what a handler logs", () => {
  test("is kept with its run, before its end, though the program logs nothing", async () => {
    const bench = await ranOnce(({ log }) => {
      log.info("begun");
      log.warn({ left: 3 }, "slow");
      log.debug("not kept");
      log.child({ step: 2 }).error(new Error("no"), "failed");
    });
    expect(bench.done).toEqual(["append log", "append succeeded", "ack"]);
    expect(bench.events[0]).toMatchObject({ runId: RUN_ID, msgId: `${RUN_ID}/log/1.0/7` });
    const time = "2026-01-01T00:00:00.000Z";
    expect(bench.dataOf("log")).toMatchObject({
      attempt: 1,
      lines: [
        { level: "info", msg: "begun" },
        { level: "warn", msg: "slow", data: { left: 3 } },
        { level: "error", msg: "failed", data: { step: 2, err: { type: "Error", message: "no" } } },
      ],
    });
    expect(linesOf(bench)[0]).toEqual({ time: expect.any(String), level: "info", msg: "begun" });
    expect(String(linesOf(bench)[0]?.time)).toHaveLength(time.length);
  });

  test("is told about once a second while it runs, and the rest at the end", async () => {
    const bench = new Bench();
    const held = new HeldHandler(bench.journal);
    await bench.start(held.handle);
    bench.deliver();
    await bench.journal.until("handler");
    const say = (text: string) => held.jobs[0]?.log.info(text);
    say("one");
    bench.clock.advance(250);
    await bench.journal.until("append log");
    say("two");
    bench.clock.advance(750);
    await bench.idle();
    expect(log(bench)).toHaveLength(1);
    bench.clock.advance(250);
    await bench.journal.until("append log", 2);
    say("three");
    held.resolve();
    await bench.journal.until("ack");
    expect(linesOf(bench).map(({ msg }) => msg)).toEqual(["one", "two", "three"]);
    expect(new Set(log(bench).map(({ msgId }) => msgId)).size).toBe(3);
    expect(bench.done.slice(-3)).toEqual(["append log", "append succeeded", "ack"]);
  });

  test("is bounded by lines, and the last line says what was left out", async () => {
    const bench = await ranOnce(({ log }) => {
      for (let n = 0; n < limits.logLines + 5; n++) log.info(`line ${n}`);
    });
    const lines = linesOf(bench);
    expect(lines).toHaveLength(limits.logLines + 1);
    expect(lines.at(-2)?.msg).toBe(`line ${limits.logLines - 1}`);
    expect(lines.at(-1)).toMatchObject({ level: "warn", msg: expect.stringMatching(/^5 more lines/) });
  });

  test("is bounded by bytes, and comes in events that fit into a message", async () => {
    const bench = await ranOnce(({ log }) => {
      for (let n = 0; n < 100; n++) log.info({ n }, "x".repeat(4_000));
      log.info("small");
    });
    const sizes = log(bench).map(({ data }) => JSON.stringify(data).length);
    expect(Math.max(...sizes)).toBeLessThan(limits.logBatchBytes * 1.1);
    expect(sizes.reduce((sum, size) => sum + size)).toBeLessThan(limits.logBytes * 1.1);
    expect(linesOf(bench).at(-1)?.msg).toMatch(/^\d\d more lines/);
    expect(linesOf(bench).at(-2)?.msg).toMatch(/^x/);
  });

  test("loses the data and the end of a line that is too long", async () => {
    const bench = await ranOnce(({ log }) => log.info({ big: "ü".repeat(5_000) }, "é".repeat(3_000)));
    const [line] = linesOf(bench);
    expect(line?.data).toBeUndefined();
    expect(line?.msg).toMatch(/^é{1024}…$/);
  });

  test("is dropped when it comes after the end", async () => {
    const bench = new Bench();
    let late: JobContext | undefined;
    await bench.start((job) => {
      job.log.info("in time");
      late = job;
    });
    bench.deliver();
    await bench.journal.until("ack");
    late?.log.info("late");
    late?.progress(1);
    bench.clock.advance(5_000);
    await bench.idle();
    expect(bench.done).toEqual(["append log", "append succeeded", "ack"]);
  });

  test("is tried again when it could not be stored, under the same id", async () => {
    const bench = new Bench();
    const held = new HeldHandler(bench.journal);
    await bench.start(held.handle);
    bench.deliver();
    await bench.journal.until("handler");
    bench.broken.add("append log");
    held.jobs[0]?.log.info("one");
    bench.clock.advance(250);
    await bench.journal.until("append log failed");
    await bench.idle();
    held.jobs[0]?.log.info("two");
    bench.broken.clear();
    bench.clock.advance(1_000);
    await bench.journal.until("append log", 2);
    expect(log(bench).map(({ msgId }) => msgId)).toEqual([`${RUN_ID}/log/1.0/7`, `${RUN_ID}/log/1.1/7`]);
    expect(linesOf(bench).map(({ msg }) => msg)).toEqual(["one", "two"]);
    held.resolve();
    await bench.journal.until("ack");
  });

  test("is waited for by the end", async () => {
    const bench = new Bench();
    bench.broken.add("append log");
    await bench.start(({ log }) => log.info("one"));
    bench.deliver();
    await bench.journal.until("timer 100");
    await bench.idle();
    bench.broken.clear();
    bench.clock.advance(100);
    await bench.journal.until("ack");
    expect(bench.done).toEqual(["append log failed", "append log", "append succeeded", "ack"]);
  });

  test("does not keep the job from ending when it cannot be stored at all", async () => {
    const bench = new Bench();
    bench.broken.add("append log");
    await bench.start(({ log }) => log.info("lost"));
    bench.deliver();
    await bench.journal.until("timer 100");
    while (!bench.done.includes("ack")) {
      bench.clock.advance(5_000);
      await bench.idle();
    }
    expect(bench.done.slice(-3)).toEqual(["append log failed", "append succeeded", "ack"]);
  });
});

describe("progress", () => {
  test("is told about once a second, the newest only, and the last one before the end", async () => {
    const bench = new Bench();
    const held = new HeldHandler(bench.journal);
    await bench.start(held.handle);
    bench.deliver();
    await bench.journal.until("handler");
    const job = held.jobs[0] as JobContext;
    job.progress(0.1);
    job.progress(0.2);
    bench.clock.advance(250);
    await bench.journal.until("append progress");
    job.progress(0.5);
    job.progress({ done: 7, of: 9 });
    held.resolve();
    await bench.journal.until("ack");
    const told = bench.events.filter(({ type }) => type === "progress");
    expect(told.map(({ data }) => data)).toEqual([
      { attempt: 1, value: 0.2 },
      { attempt: 1, value: { done: 7, of: 9 } },
    ]);
    expect(bench.done.slice(-3)).toEqual(["append progress", "append succeeded", "ack"]);
  });

  test("is what it was when it was told", async () => {
    const bench = await ranOnce(({ progress }) => {
      const state = { done: 1 };
      progress(state);
      state.done = 2;
    });
    expect(bench.dataOf("progress")).toMatchObject({ value: { done: 1 } });
  });

  test.each([
    [1.01, "1.01"],
    [-0.5, "-0.5"],
    [Number.NaN, "NaN"],
    [undefined, "nothing"],
    [{ text: "x".repeat(limits.progressBytes) }, '{"text":"x'],
  ])("refuses %j", async (value, shown) => {
    const bench = new Bench();
    let message = "";
    await bench.start((job) => {
      try {
        job.progress(value as Progress);
      } catch (error) {
        message = (error as Error).message;
      }
    });
    bench.deliver();
    await bench.journal.until("ack");
    const expected = "progress: expected a number from 0 to 1, or JSON of at most 1024 bytes, got ";
    expect(message.startsWith(expected + shown)).toBe(true);
    expect(bench.done).toEqual(["append succeeded", "ack"]);
  });
});
