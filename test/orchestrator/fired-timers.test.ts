import { expect, test } from "vitest";
import type { FiredRecord } from "../../src/core/fired-record.js";
import { FiredMemory, FiredTimers } from "../../src/orchestrator/fired-timers.js";
import { silentLogger } from "../../src/runtime/log.js";
import { ManualClock } from "../../src/testing/index.js";

function scene({ memory = new FiredMemory(), takesMs = 0, refusals = 0 } = {}) {
  const clock = new ManualClock(0);
  const stored: { at: number; record: FiredRecord }[] = [];
  const appendFired = async (record: FiredRecord) => {
    if (takesMs > 0) await new Promise<void>((resolve) => clock.after(takesMs, resolve));
    if (refusals-- > 0) throw new Error("refused");
    stored.push({ at: clock.now(), record });
  };
  const fired = new FiredTimers({ runs: { appendFired }, clock, log: silentLogger }, memory);
  return { clock, stored, fired, memory };
}

test("what is fired at a time is told in one record for each queue, a moment later", async () => {
  const { clock, stored, fired } = scene();
  for (const seq of [7, 8]) fired.add("mail", seq);
  fired.add("other", 9);
  await clock.pass(49);
  expect(stored).toEqual([]);
  await clock.pass(1);
  expect(stored).toEqual([
    { at: 50, record: { queue: "mail", timers: [7, 8] } },
    { at: 50, record: { queue: "other", timers: [9] } },
  ]);
  await clock.pass(1_000);
  expect(stored).toHaveLength(2);
});

test("what is fired while a record is being stored is told as soon as the others were", async () => {
  const { clock, stored, fired } = scene({ takesMs: 10 });
  fired.add("mail", 1);
  await clock.pass(55);
  fired.add("mail", 2);
  await clock.pass(65);
  expect(stored).toEqual([
    { at: 60, record: { queue: "mail", timers: [1] } },
    { at: 120, record: { queue: "mail", timers: [2] } },
  ]);
});

test("a record that is refused is told again, with what came since, and is known meanwhile", async () => {
  const { clock, stored, fired } = scene({ refusals: 1 });
  fired.add("mail", 1);
  await clock.pass(100);
  fired.add("mail", 2);
  expect([fired.has(1), fired.has(2), fired.has(3)]).toEqual([true, true, false]);
  await clock.pass(200);
  expect(stored).toEqual([{ at: 300, record: { queue: "mail", timers: [1, 2] } }]);
});

test("no record is larger than the server takes, however many have waited to be told", async () => {
  const { clock, stored, fired } = scene();
  for (let seq = 1; seq <= 25_000; seq++) fired.add("mail", seq);
  await clock.pass(50);
  expect(stored.map(({ record }) => record.timers.length)).toEqual([10_000, 10_000, 5_000]);
});

test("what could not be told is told by way of the next connection", async () => {
  const former = scene({ refusals: Number.POSITIVE_INFINITY });
  former.fired.add("mail", 1);
  await former.clock.pass(1_000);
  await former.fired.stop();
  const { clock, stored, fired } = scene({ memory: former.memory });
  expect(fired.has(1)).toBe(true);
  await clock.pass(50);
  expect(stored).toEqual([{ at: 50, record: { queue: "mail", timers: [1] } }]);
});

test("at the end, what is left is told at once", async () => {
  const { stored, fired } = scene();
  fired.add("mail", 1);
  await fired.stop();
  expect(stored).toEqual([{ at: 0, record: { queue: "mail", timers: [1] } }]);
});

test("the last hundred thousand are remembered", async () => {
  const { fired, memory } = scene();
  for (let seq = 1; seq <= 100_001; seq++) fired.add("mail", seq);
  expect([fired.has(1), fired.has(2), memory.untold.size]).toEqual([false, true, 100_000]);
});
