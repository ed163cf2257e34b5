import { pino } from "pino";
import { describe, expect, test } from "vitest";
import { AbortReason } from "../../src/worker/attempt.js";
import { Bench, HeldHandler, RUN_ID } from "./support.js";

async function heldJob(bench: Bench) {
  const held = new HeldHandler(bench.journal);
  const worker = await bench.start(held.handle);
  bench.deliver();
  await bench.journal.until("handler");
  const reason = () => held.jobs[0]?.signal.reason as AbortReason;
  return { held, worker, reason };
}

describe("a deadline", () => {
  test("aborts what is still running, with a reason that says so", async () => {
    const bench = new Bench();
    const { held, worker, reason } = await heldJob(bench);
    const stopped = worker.drain(700);
    await bench.journal.until("timer 700");
    bench.clock.advance(699);
    expect(bench.done).not.toContain("aborted");
    bench.clock.advance(1);
    await bench.journal.until("aborted");
    expect(reason()).toBeInstanceOf(AbortReason);
    expect(reason()).toMatchObject({ why: "stopped", code: "unavailable" });
    held.reject(new Error("stopped halfway"));
    await stopped;
    expect(bench.done.slice(-2)).toEqual(["append retried", "nak 0"]);
    expect(bench.clock.pending).toBe(0);
  });

  test("that comes later is heeded when it is earlier", async () => {
    const bench = new Bench();
    const { held, worker } = await heldJob(bench);
    const stopped = worker.stop();
    await bench.journal.until("pull ended");
    expect(worker.stop({ deadlineMs: 40 })).toBe(stopped);
    bench.clock.advance(40);
    await bench.journal.until("aborted");
    held.reject("ended");
    await stopped;
    expect(bench.done.slice(-2)).toEqual(["append retried", "nak 0"]);
    expect(bench.clock.pending).toBe(0);
  });
});

describe("the signal's reason", () => {
  test("tells a timeout", async () => {
    const bench = new Bench();
    const held = new HeldHandler(bench.journal);
    await bench.start(held.handle);
    bench.deliver({ headers: { "Punctual-Run-Id": RUN_ID, "Punctual-Timeout": "90" } });
    await bench.journal.until("handler");
    bench.clock.advance(90);
    expect(held.jobs[0]?.signal.reason).toMatchObject({ why: "timeout", code: "timeout" });
    held.resolve();
  });
});

describe("a run that is cancelled", () => {
  test("is not tried again, though its worker was about to give it back", async () => {
    const bench = new Bench();
    const { held, worker } = await heldJob(bench);
    const stopped = worker.stop({ deadlineMs: 0 });
    await bench.journal.until("timer 0");
    bench.clock.advance(0);
    await bench.journal.until("aborted");
    bench.cancel(RUN_ID);
    bench.cancel(RUN_ID);
    held.reject(new Error("stopped halfway"));
    await stopped;
    expect(bench.done.slice(-2)).toEqual(["append cancelled", "ack"]);
    expect(bench.events.map(({ type }) => type)).toEqual(["cancelled"]);
  });
});

describe("an event loop that was blocked", () => {
  const warnings = async (stallMs: number) => {
    const bench = new Bench();
    const lines: Record<string, unknown>[] = [];
    bench.ports.log = pino({ level: "warn" }, { write: (text) => lines.push(JSON.parse(text)) });
    const worker = await bench.start(() => {});
    bench.clock.advance(1_000);
    bench.clock.stall(stallMs);
    bench.clock.advance(1_000);
    await worker.stop();
    return lines;
  };

  test("for more than half the ack wait is a warning", async () => {
    const [line, ...more] = await warnings(15_500);
    expect(line).toMatchObject({ queue: "mail", worker: "w1", ackWaitMs: 30_000 });
    expect(line?.blockedMs).toBeGreaterThan(15_000);
    expect(line?.msg).toMatch(/the event loop was blocked/);
    expect(more).toEqual([]);
  });

  test("for less is none", async () => {
    expect(await warnings(14_000)).toEqual([]);
  });
});

test("labels are shown among the members, and bad ones are refused", async () => {
  const bench = new Bench();
  bench.ports.members = bench.membership();
  await bench.start(() => {}, { labels: { gpu: "yes", zone: "eu-1" } });
  expect(bench.members[0]).toMatchObject({ queues: ["mail"], labels: { gpu: "yes", zone: "eu-1" } });
  const start = async () => bench.start(() => {}, { labels: { "no good": "x" } });
  await expect(start()).rejects.toThrow(/worker options: labels.*expected 1 to 63 characters/);
});
