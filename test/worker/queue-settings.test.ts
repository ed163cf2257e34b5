import { expect, test } from "vitest";
import { Bench, HeldHandler } from "./support.js";

const UNTIL = Date.UTC(2026, 0, 1) + 3 * 3_600_000;

test("a worker stops to pull when its queue is paused, and pulls again when it is resumed; jobs go on", async () => {
  const bench = new Bench();
  const held = new HeldHandler(bench.journal);
  await bench.start(held.handle);
  bench.deliver();
  await bench.journal.until("handler");
  bench.change({ paused: true });
  await bench.journal.until("pull ended");
  held.resolve();
  await bench.journal.until("ack");
  bench.change({ paused: true, note: "still" });
  bench.change({});
  await bench.journal.until("pull began", 2);
  expect(bench.journal.lines.filter((line) => line === "pull ended")).toHaveLength(1);
});

test("a worker of a paused queue waits, and pulls when the pause is over by itself", async () => {
  const bench = new Bench();
  bench.settings = { ...bench.settings, paused: true, pausedUntil: UNTIL };
  const worker = await bench.start(() => {});
  expect(bench.consumed).toBeUndefined();
  for (let hour = 1; hour <= 3; hour++) {
    expect(bench.consumed).toBeUndefined();
    bench.clock.advance(3_600_000);
    await bench.idle();
  }
  await bench.journal.until("pull began");
  bench.change({ paused: true });
  await bench.journal.until("pull ended");
  await worker.stop();
  expect(bench.clock.pending).toBe(0);
});

test("a pause and its end at the same moment leave one pull", async () => {
  const bench = new Bench();
  const worker = await bench.start(() => {});
  bench.change({ paused: true });
  bench.change({});
  bench.change({ paused: true });
  bench.change({});
  await worker.stop();
  const of = (line: string) => bench.journal.lines.filter((one) => one === line).length;
  expect(of("pull began")).toBe(of("pull ended"));
});

test("heartbeats follow the ack wait, the first at once", async () => {
  const bench = new Bench();
  const held = new HeldHandler(bench.journal);
  await bench.start(held.handle);
  bench.deliver();
  await bench.journal.until("handler");
  const beats = () => bench.done.filter((line) => line === "working").length;
  bench.change({ ackWaitMs: 3_000 });
  expect(beats()).toBe(1);
  bench.clock.advance(3_000);
  expect(beats()).toBe(4);
});

test("a heartbeat that no longer fits is made one that does", async () => {
  const bench = new Bench();
  const held = new HeldHandler(bench.journal);
  await bench.start(held.handle, { heartbeatMs: 10_000 });
  bench.deliver();
  await bench.journal.until("handler");
  bench.change({ ackWaitMs: 6_000 });
  bench.clock.advance(4_000);
  expect(bench.done.filter((line) => line === "working")).toHaveLength(3);
});

test("attempts of the jobs to come follow the queue", async () => {
  const bench = new Bench();
  await bench.start(() => {
    throw new Error("no");
  });
  bench.change({ maxAttempts: 1 });
  bench.deliver();
  await bench.journal.until("bury");
  expect(bench.letters).toHaveLength(1);
});
