import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { jitterOf } from "../../../src/core/time/bounds.js";

describe("jitter", () => {
  it("is from nothing to its limit, and ends before the next slot", () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.nat(),
        fc.option(fc.integer({ min: 1, max: 10_000 })),
        fc.nat(10_000),
        (id, slot, gap, jitterMs) => {
          const next = gap === null ? null : slot + gap;
          const delay = jitterOf(id, slot, next, jitterMs);
          expect(Number.isInteger(delay)).toBe(true);
          expect(delay).toBeGreaterThanOrEqual(0);
          expect(delay).toBeLessThanOrEqual(jitterMs);
          if (next !== null) expect(slot + delay).toBeLessThan(next);
          expect(jitterOf(id, slot, next, jitterMs)).toBe(delay);
        },
      ),
    );
  });

  it("is spread over the whole of it, from slot to slot and from id to id", () => {
    const HOUR = 3_600_000;
    const bySlot = Array.from({ length: 1_000 }, (_, i) =>
      jitterOf("nightly", i * HOUR, (i + 1) * HOUR, 10_000),
    );
    const byId = Array.from({ length: 1_000 }, (_, i) => jitterOf(`job-${i}`, 0, HOUR, 10_000));
    for (const delays of [bySlot, byId]) {
      const perTenth = Array.from(
        { length: 10 },
        (_, k) => delays.filter((ms) => Math.floor(ms / 1_001) === k).length,
      );
      expect(Math.min(...perTenth)).toBeGreaterThan(60);
      expect(Math.max(...perTenth)).toBeLessThan(140);
    }
  });

  it("stays the same", () => {
    expect(jitterOf("nightly", Date.UTC(2026, 10, 25), null, 3_600_000)).toBe(2_841_899);
  });
});
