import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TokenBucket } from "../../src/core/token-bucket.js";
import { excess } from "./rate-bound.js";

const rates = fc.record({
  limit: fc.integer({ min: 1, max: 50 }),
  periodMs: fc.integer({ min: 1, max: 5_000 }),
  burst: fc.integer({ min: 1, max: 20 }),
});

const pauses = fc.oneof(fc.constantFrom(0, 1_000), fc.double({ min: 0, max: 400, noNaN: true }));

/** Something that asks for a token after a while, and what becomes of it. */
const asks = fc.array(
  fc.record({
    afterMs: pauses,
    storedMs: fc.oneof(fc.constantFrom(0, 1_000), fc.double({ min: 0, max: 300, noNaN: true })),
    answeredMs: fc.double({ min: 0, max: 300, noNaN: true }),
    isRefused: fc.boolean(),
  }),
  { maxLength: 120 },
);

interface Ask {
  afterMs: number;
  storedMs: number;
  answeredMs: number;
  isRefused: boolean;
}

/** The times at which things were stored, with answers that come when they come, and others that happen without asking. */
function run(bucket: TokenBucket, all: readonly Ask[], spent: readonly number[] = []): number[] {
  const stored: number[] = [];
  let others: { at: number; act(at: number): void }[] = spent.map((at) => ({
    at,
    act: () => bucket.spend(at),
  }));
  const passUntil = (now: number) => {
    for (const { at, act } of others.filter(({ at }) => at <= now).sort((a, b) => a.at - b.at)) act(at);
    others = others.filter(({ at }) => at > now);
  };
  let now = 0;
  for (const { afterMs, storedMs, answeredMs, isRefused } of all) {
    now += afterMs;
    passUntil(now);
    if (!bucket.take(now)) continue;
    if (!isRefused) stored.push(now + storedMs);
    const act = (at: number) => (isRefused ? bucket.giveBack(at) : bucket.settle(at));
    others.push({ at: now + storedMs + answeredMs, act });
  }
  passUntil(Number.POSITIVE_INFINITY);
  return stored;
}

describe("a token bucket", () => {
  it("lets no more than burst and rate allow be stored in any stretch of time, however late answers come", () => {
    fc.assert(
      fc.property(rates, asks, (rate, all) => {
        expect(excess(run(new TokenBucket(rate, 0), all), rate)).toBeLessThan(1e-6);
      }),
    );
  });

  it("begins empty, and so holds the bound over a takeover", () => {
    fc.assert(
      fc.property(rates, asks, asks, (rate, first, second) => {
        const before = run(new TokenBucket(rate, 0), first);
        const takeover = Math.max(0, ...before);
        const after = run(new TokenBucket(rate, 0), second).map((at) => takeover + at);
        expect(excess([...before, ...after], rate)).toBeLessThan(1e-6);
      }),
    );
  });

  it("gives what it is asked for: burst at once after a rest, and then one by one", () => {
    const bucket = new TokenBucket({ limit: 10, periodMs: 1_000, burst: 3 }, 0);
    expect(bucket.take(0)).toBe(false);
    expect(bucket.untilNext(0)).toBe(100);
    const taken = [1_000, 1_000, 1_000, 1_000].map((at) => bucket.take(at));
    expect(taken).toEqual([true, true, true, false]);
    for (let i = 0; i < 3; i++) bucket.settle(1_000);
    expect(bucket.untilNext(1_000)).toBe(100);
    expect(bucket.take(1_099)).toBe(false);
    expect(bucket.take(1_100)).toBe(true);
  });

  it("waits no longer than it says", () => {
    fc.assert(
      fc.property(rates, fc.double({ min: 0, max: 10_000, noNaN: true }), (rate, now) => {
        const bucket = new TokenBucket(rate, 0);
        while (bucket.take(now)) bucket.settle(now);
        expect(bucket.take(now + bucket.untilNext(now))).toBe(true);
      }),
    );
  });

  it("does not fill up behind what is unsettled", () => {
    const bucket = new TokenBucket({ limit: 1, periodMs: 10, burst: 1 }, 0);
    expect(bucket.take(10)).toBe(true);
    expect(bucket.untilNext(1_000)).toBe(Number.POSITIVE_INFINITY);
    expect(bucket.take(1_000)).toBe(false);
    bucket.settle(1_000);
    expect(bucket.untilNext(1_000)).toBe(10);
  });

  it("takes back what was not used", () => {
    const bucket = new TokenBucket({ limit: 1, periodMs: 1_000, burst: 1 }, 0);
    bucket.take(1_000);
    bucket.giveBack(1_001);
    expect(bucket.take(1_001)).toBe(true);
  });

  it("is full when it is as one that nobody ever touched", () => {
    const bucket = new TokenBucket({ limit: 1, periodMs: 10, burst: 2 }, 0);
    expect([bucket.isFull(19), bucket.isFull(20)]).toEqual([false, true]);
    bucket.take(20);
    expect(bucket.isFull(1_000)).toBe(false);
    bucket.settle(1_000);
    expect([bucket.isFull(1_000), bucket.isFull(1_010)]).toEqual([false, true]);
  });

  it("keeps what was saved when the limit changes, as far as there is room", () => {
    const bucket = new TokenBucket({ limit: 1, periodMs: 10, burst: 5 }, 0);
    bucket.change({ limit: 1, periodMs: 1_000_000, burst: 2 }, 50);
    expect([bucket.take(50), bucket.take(50), bucket.take(50)]).toEqual([true, true, false]);
  });

  it("gives a token only when it keeps the bound together with all that has not asked", () => {
    const low = fc.record({
      limit: fc.integer({ min: 1, max: 5 }),
      periodMs: fc.integer({ min: 100, max: 1_000 }),
      burst: fc.integer({ min: 1, max: 3 }),
    });
    const crowd = fc.record({ afterMs: pauses, count: fc.integer({ min: 1, max: 5 }) });
    fc.assert(
      fc.property(low, asks, fc.array(crowd, { maxLength: 30 }), (rate, all, crowds) => {
        const bucket = new TokenBucket(rate, 0);
        let now = 0;
        const spent = crowds.flatMap(({ afterMs, count }) => {
          now += afterMs;
          return Array<number>(count).fill(now);
        });
        const atOnce = all.map((ask) => ({ ...ask, storedMs: 0 }));
        const asked = run(bucket, atOnce, spent);
        expect(excess(asked, rate, spent)).toBeLessThan(1e-6);
      }),
    );
  });

  it("says how long it takes to make up for what was spent, however much that is", () => {
    const bucket = new TokenBucket({ limit: 100, periodMs: 1_000, burst: 10 }, 0);
    for (let i = 0; i < 1_000_000; i++) bucket.spend(100);
    const wait = bucket.untilNext(100);
    expect(wait).toBeCloseTo(999_991 * 10, 3);
    expect(bucket.take(100 + wait - 1)).toBe(false);
    expect(bucket.take(101 + wait)).toBe(true);
    expect(bucket.take(101 + wait)).toBe(false);
  });

  it("does not forget what was spent when a token is settled, or given back", () => {
    const bucket = new TokenBucket({ limit: 1, periodMs: 10, burst: 2 }, 0);
    expect([bucket.take(20), bucket.take(20)]).toEqual([true, true]);
    for (let i = 0; i < 3; i++) bucket.spend(20);
    expect(bucket.untilNext(20)).toBe(Number.POSITIVE_INFINITY); // the two may still be on their way
    bucket.settle(20);
    expect(bucket.untilNext(20)).toBe(40);
    bucket.giveBack(20);
    expect(bucket.untilNext(20)).toBe(30);
  });

  it("keeps what is to be made up for when the limit changes, and makes up for it at the new rate", () => {
    const bucket = new TokenBucket({ limit: 1, periodMs: 1_000, burst: 1 }, 0);
    for (let i = 0; i < 9; i++) bucket.spend(0);
    bucket.change({ limit: 10, periodMs: 1_000, burst: 5 }, 0);
    expect(bucket.untilNext(0)).toBe(1_000);
  });

  it("is not moved by a time from before", () => {
    const bucket = new TokenBucket({ limit: 1, periodMs: 10, burst: 1 }, 100);
    expect(bucket.take(50)).toBe(false);
    expect(bucket.take(109)).toBe(false);
    expect(bucket.take(110)).toBe(true);
  });
});
