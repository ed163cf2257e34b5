import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Gate, type GateLimits } from "../../src/core/gate.js";
import type { GateHead } from "../../src/core/gate-line.js";
import type { Lane } from "../../src/core/lane.js";
import { GateWorld } from "./gate-world.js";
import { excess } from "./rate-bound.js";

const rate = fc.record({
  limit: fc.integer({ min: 1, max: 20 }),
  periodMs: fc.integer({ min: 10, max: 1_000 }),
  burst: fc.integer({ min: 1, max: 5 }),
});
const limitsOf: fc.Arbitrary<GateLimits> = fc.record({
  paused: fc.constant(false),
  rate: fc.option(rate, { nil: undefined }),
  perKey: fc.option(
    fc.record({
      concurrency: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
      rate: fc.option(rate, { nil: undefined }),
      order: fc.boolean(),
    }),
    { nil: undefined },
  ),
});
const key = fc.constantFrom("a", "b", "c", null);
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ add: fc.array(key, { minLength: 1, maxLength: 30 }) }) },
  { weight: 4, arbitrary: fc.record({ passMs: fc.integer({ min: 1, max: 800 }) }) },
  { weight: 1, arbitrary: fc.record({ takeOver: fc.constant(true) }) },
  { weight: 1, arbitrary: fc.record({ fires: fc.integer({ min: 1, max: 20 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      occupy: fc.constantFrom("a~1", "b~1"),
      untilMs: fc.integer({ min: 1, max: 500 }),
    }),
  },
);
const delays = fc.infiniteStream(
  fc.record({
    runMs: fc.integer({ min: 0, max: 300 }),
    answerMs: fc.integer({ min: 0, max: 60 }),
    removeMs: fc.integer({ min: 0, max: 60 }),
  }),
);
const windows = fc.integer({ min: 130, max: 400 });
const LONG_MS = 10_000_000;

const times = (world: GateWorld, of?: string) =>
  world.ran.filter(({ head }) => of === undefined || head.key === of).map(({ from }) => from);

describe("a gate", () => {
  it("lets every job pass once, within every limit, whatever answers, ends and takeovers come when", () => {
    fc.assert(
      fc.property(
        limitsOf,
        fc.array(step, { maxLength: 12 }),
        delays,
        windows,
        (limits, steps, slow, window) => {
          const world = new GateWorld(limits, () => slow.next().value, window);
          for (const step of steps) {
            if ("add" in step) for (const key of step.add) world.add(key);
            else if ("passMs" in step) world.pass(step.passMs);
            else if ("takeOver" in step) world.takeOver();
            else if ("fires" in step) world.fire(step.fires);
            else world.occupy(step.occupy, step.untilMs);
          }
          const added = steps.flatMap((step) => ("add" in step ? step.add : [])).length;
          world.pass(LONG_MS);
          expect(world.waiting).toEqual([]);
          expect(new Set(world.ran.map(({ head }) => head.seq)).size).toBe(added);
          expect(world.ran).toHaveLength(added);
          for (const key of ["a", "b", "c"]) {
            expect(world.mostAtOnce(key)).toBeLessThanOrEqual(world.concurrency ?? added);
            if (limits.perKey?.rate) expect(excess(times(world, key), limits.perKey.rate)).toBeLessThan(1e-6);
            const seqs = world.ran.filter(({ head }) => head.key === key).map(({ head }) => head.seq);
            if (limits.perKey?.order) expect(seqs).toEqual(seqs.toSorted((a, b) => a - b));
          }
          if (limits.rate) {
            // What is to be made up for is forgotten at each takeover.
            const takeOvers = steps.filter((step) => "takeOver" in step).length;
            const surplus = Math.max(0, excess(world.fires, { ...limits.rate, burst: 0 }));
            const most = takeOvers * surplus + 1e-6;
            expect(excess(times(world), limits.rate, world.fires)).toBeLessThan(most);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});

const OPEN: GateLimits = { paused: false };
const atOnce = (runMs: number) => () => ({ runMs, answerMs: 1, removeMs: 1 });
const seqsOf = (world: GateWorld) => world.ran.map(({ head }) => head.seq);

describe("what waits", () => {
  it("passes in order where there is no limit", () => {
    const world = new GateWorld(OPEN, atOnce(10));
    for (let i = 0; i < 100; i++) world.add(i % 3 === 0 ? null : `key-${i % 7}`);
    world.pass(1_000);
    expect(seqsOf(world)).toEqual(Array.from({ length: 100 }, (_, i) => i + 1));
  });

  it("of a key that is held up keeps no other key waiting, however many there are", () => {
    const world = new GateWorld({ paused: false, perKey: { order: true } }, atOnce(10), 200);
    world.occupy("stuck~1", LONG_MS);
    for (let i = 0; i < 5_000; i++) world.add("stuck");
    for (let i = 0; i < 50; i++) world.add(`free-${i}`);
    world.pass(5_000);
    expect(world.ran.map(({ head }) => head.key)).toEqual(Array.from({ length: 50 }, (_, i) => `free-${i}`));
    expect(world.most.jobs).toBeLessThanOrEqual(200);
  });

  it("does not pass while it is paused, and all of it afterwards", () => {
    const world = new GateWorld({ paused: true }, atOnce(10));
    for (let i = 0; i < 10; i++) world.add("a");
    world.pass(60_000);
    expect(world.ran).toEqual([]);
    world.limit(OPEN);
    world.pass(60_000);
    expect(seqsOf(world)).toHaveLength(10);
  });

  it("feels new limits at once: more at a time, fewer, none, others", () => {
    const world = new GateWorld({ paused: false, perKey: { concurrency: 1, order: false } }, atOnce(1_000));
    for (let i = 0; i < 40; i++) world.add("a");
    world.pass(500);
    expect(world.ran).toHaveLength(1);
    world.limit({ paused: false, perKey: { concurrency: 3, order: false } });
    world.pass(100);
    expect(world.ran).toHaveLength(3);
    world.limit({ paused: false, perKey: { concurrency: 2, order: false } });
    world.pass(410); // the first is over, two run
    expect(world.ran).toHaveLength(3);
    world.limit({ paused: false, rate: { limit: 1, periodMs: 100, burst: 1 } });
    world.pass(1_000);
    expect(world.ran.length).toBeGreaterThanOrEqual(12);
    expect(world.ran.length).toBeLessThanOrEqual(13);
    world.limit(OPEN);
    world.pass(10);
    expect(world.ran).toHaveLength(40);
  });
});

describe("priority", () => {
  const pass = (
    lanes: readonly Lane[],
    limits: GateLimits = { paused: false, rate: RATE },
    key: string | null = null,
  ) => {
    const world = new GateWorld(limits, atOnce(1), 10_000, 10_000);
    for (const lane of lanes) world.add(key, lane);
    world.pass(LONG_MS);
    return world.ran.map(({ head }) => head);
  };
  const RATE = { limit: 1, periodMs: 100, burst: 1 };
  const many = (count: number, lane: Lane) => Array.from({ length: count }, () => lane);

  it("lets the more urgent go first, and in each lane those who wait longest", () => {
    const heads = pass(["low", "work", "low", "work", "high", "high"]);
    expect(heads.map(({ seq }) => seq)).toEqual([5, 6, 2, 4, 1, 3]);
  });

  it("starves nobody: after sixteen comes one from below", () => {
    const order = pass([...many(3, "low"), ...many(40, "high")]).map(({ lane }) => lane);
    expect(order.indexOf("low")).toBe(16);
    expect(order.indexOf("low", 17)).toBe(33);
  });

  it("does not change the order of a key", () => {
    const heads = pass(["low", "high", "work"], { paused: false, rate: RATE, perKey: { order: true } }, "a");
    expect(heads.map(({ seq }) => seq)).toEqual([1, 2, 3]);
  });
});

describe("memory", () => {
  it.each([
    ["rate", { paused: false, perKey: { rate: { limit: 1, periodMs: 3_600_000, burst: 1 }, order: false } }],
    ["order", { paused: false, perKey: { order: true } }],
  ] as const)("is bounded under an attack of a million keys: %s", (_, limits) => {
    const window = 1_000;
    const gate = new Gate<GateHead>(limits, 0, window);
    let passed = 0;
    for (let seq = 1; seq <= 1_000_000; seq++) {
      const now = seq / 10;
      if (gate.room > 0) gate.offer({ seq, key: `key-${seq}`, lane: "work" }, now);
      for (let pass = gate.next(now); pass !== null; pass = gate.next(now)) {
        gate.landed(pass, ++passed, now);
        gate.left(pass, now);
      }
      if (seq % 10_000 === 0) {
        const { jobs, keys, holders } = gate.size;
        expect(jobs).toBeLessThanOrEqual(window);
        expect(keys).toBeLessThanOrEqual(2 * window);
        expect(holders).toBeLessThanOrEqual(2 * window + 1);
      }
    }
    if (limits.perKey.order) expect(passed).toBe(1_000_000);
  });

  it("that is needed for other keys lets no key exceed its rate", () => {
    const rate = { limit: 1, periodMs: 1_000, burst: 2 };
    const world = new GateWorld({ paused: false, perKey: { rate, order: false } }, atOnce(1), 130, 50);
    for (let round = 0; round < 20; round++) {
      world.add("a");
      for (let i = 0; i < 200; i++) world.add(`other-${round}-${i}`);
      world.pass(150);
    }
    world.pass(LONG_MS);
    expect(world.waiting).toEqual([]);
    expect(world.most.keys).toBeLessThanOrEqual(260 + 50);
    expect(excess(times(world, "a"), rate)).toBeLessThan(1e-6);
  });
});

describe("a rest before the gate was opened", () => {
  const rate = { limit: 1, periodMs: 1_000, burst: 3 };
  const passing = (gate: Gate<GateHead>, now: number) => {
    let count = 0;
    while (gate.next(now) !== null) count++;
    return count;
  };

  it.each([
    [{ paused: false, rate }, 2_500, 2],
    [{ paused: false, rate }, 1e9, 3],
    [{ paused: false, rate }, 0, 0],
    [{ paused: false, perKey: { rate, order: false } }, 2_500, 2],
  ] as const)("counts: %j, %i ms", (limits, idleMs, expected) => {
    const gate = new Gate<GateHead>(limits, 100_000);
    for (let seq = 1; seq < 10; seq++) gate.offer({ seq, key: "a", lane: "work" }, 100_000);
    gate.credit(idleMs, 100_000);
    expect(passing(gate, 100_000)).toBe(expected);
  });

  it("was none when something came past the gate since, and is not to undo what is to be made up for", () => {
    const gate = new Gate<GateHead>({ paused: false, rate }, 0);
    for (let seq = 1; seq < 10; seq++) gate.offer({ seq, key: "a", lane: "work" }, 0);
    for (let i = 0; i < 5; i++) gate.bypassed(0);
    gate.credit(1e9, 0);
    expect(gate.untilNext(0)).toBe(6_000);
    expect(passing(gate, 6_000)).toBe(1);
  });

  it("does not count once something has passed", () => {
    const gate = new Gate<GateHead>({ paused: false, rate }, 0);
    for (let seq = 1; seq < 10; seq++) gate.offer({ seq, key: "a", lane: "work" }, 0);
    expect(passing(gate, 1_000)).toBe(1);
    gate.credit(1e9, 1_000);
    expect(passing(gate, 1_000)).toBe(0);
  });
});
