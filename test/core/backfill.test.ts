import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Backfill, batchSize, decided, isToRun, nextSlots, settled } from "../../src/core/backfill.js";
import type { Outcomes } from "../../src/core/lookback.js";
import { every } from "./given.js";

const backfill: Backfill = {
  ...{ scheduleId: "s", revision: 1, from: 0, to: 100, reprocess: "none", backwards: false },
  ...{ rate: { count: 10, periodMs: 1_000 }, state: "running", cursor: null, batch: [], notBefore: 0 },
  ...{ slots: null, queued: 0, passedBy: 0, missed: 0, createdAt: 0, changedAt: 0 },
};

describe("the next slots", () => {
  test("begin and end with the range, both included", () => {
    expect(nextSlots({ ...backfill, from: 10, to: 30 }, every(10), 99)).toEqual([10, 20, 30]);
    expect(nextSlots({ ...backfill, from: 11, to: 29 }, every(10), 99)).toEqual([20]);
    expect(nextSlots({ ...backfill, from: 11, to: 19 }, every(10), 99)).toEqual([]);
    expect(nextSlots({ ...backfill, from: 10, to: 30, backwards: true }, every(10), 99)).toEqual([
      30, 20, 10,
    ]);
  });

  test("go on after the cursor, whatever the steps: in both directions each slot comes once", () => {
    const step = fc.integer({ min: 1, max: 7 });
    const range = fc.tuple(fc.nat(500), fc.nat(500)).map(([a, b]) => ({ from: a, to: a + b }));
    const property = (
      ms: number,
      { from, to }: { from: number; to: number },
      steps: number[],
      backwards: boolean,
    ) => {
      const all: number[] = [];
      for (let turn = 0, cursor: number | null = null; ; turn++) {
        const slots = nextSlots(
          { from, to, backwards, cursor },
          every(ms),
          steps[turn % steps.length] as number,
        );
        if (slots.length === 0) break;
        all.push(...slots);
        cursor = slots.at(-1) as number;
      }
      const expected = Array.from({ length: to + 1 }, (_, n) => n).filter((n) => n >= from && n % ms === 0);
      expect(all).toEqual(backwards ? expected.reverse() : expected);
    };
    const steps = fc.array(step, { minLength: 1, maxLength: 5 });
    fc.assert(fc.property(fc.integer({ min: 1, max: 50 }), range, steps, fc.boolean(), property));
  });
});

describe("which slots run again", () => {
  const report = {
    scheduleId: "s",
    reason: "overlap",
    outcome: "skipped" as const,
    from: 20,
    to: 30,
    count: 2,
  };
  const outcomes: Outcomes = { fired: new Map([[10, 1]]), reports: [report] };
  const last = (type: string) => ({ type, at: 0, data: {} });
  test.each([
    // slot, last event, none, failed, all
    [0, null, true, true, true], // nothing is known
    [10, null, false, false, true], // fired, and nobody tells how it went
    [10, "succeeded", false, false, true],
    [10, "started", false, false, true],
    [10, "retried", false, false, true],
    [10, "dead", false, true, true],
    [10, "expired", false, true, true],
    [20, "skipped", false, true, true],
    [25, null, false, true, true], // within a report
    [30, null, false, true, true],
    [31, null, true, true, true],
    [0, "missed", false, true, true],
    [0, "succeeded", false, false, true], // the slot record is gone, the event is not
  ])("slot %i, last event %s: none %s, failed %s, all %s", (slot, type, none, failed, all) => {
    const event = type === null ? null : last(type);
    expect(isToRun("none", slot, outcomes, event)).toBe(none);
    expect(isToRun("failed", slot, outcomes, event)).toBe(failed);
    expect(isToRun("all", slot, outcomes, event)).toBe(all);
  });
});

test.each([
  [10, 1_000, 10],
  [30, 60_000, 1],
  [600, 60_000, 10],
  [1_000, 1_000, 200],
  [1, 3_600_000, 1],
])("%i in %i ms are decided %i at a time", (count, periodMs, size) => {
  expect(batchSize({ count, periodMs }, 200)).toBe(size);
});

describe("a step", () => {
  test("passes slots and holds those that are to run, and lets the rate go by", () => {
    const slots = [10, 20, 30].map((slot) => ({ slot, runs: slot !== 20 }));
    const next = decided(backfill, slots, 5_000);
    expect(next).toMatchObject({
      cursor: 30,
      batch: [10, 30],
      passedBy: 1,
      notBefore: 5_200,
      state: "running",
    });
    const after = settled(next, { queued: 1, missed: 0, open: [30] }, 6_000);
    expect(after).toMatchObject({ cursor: 30, batch: [30], queued: 1, changedAt: 6_000 });
  });

  test("without slots is the end", () => {
    expect(decided({ ...backfill, cursor: 90 }, [], 1)).toMatchObject({
      state: "done",
      cursor: 90,
      batch: [],
    });
  });
});
