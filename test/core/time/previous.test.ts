import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compileSpec } from "../../../src/core/time/fire-times.js";
import { previousFireTime } from "../../../src/core/time/previous.js";
import { every, once } from "../given.js";

const cron = (expression: string, timeZone = "UTC") =>
  compileSpec({ kind: "cron", expression, timeZone }, "a");
const NOON = Date.UTC(2026, 10, 24, 12);

describe("the fire time before another", () => {
  it.each([
    ["0 12 * * *", Date.UTC(2026, 10, 23, 12)],
    ["* * * * *", NOON - 60_000],
    ["* * * * * *", NOON - 1_000],
    ["0 12 24 11 *", Date.UTC(2025, 10, 24, 12)],
    ["0 12 24 * tue", Date.UTC(2026, 10, 17, 12)],
  ])("%s", (expression, before) => {
    expect(previousFireTime(cron(expression), NOON)).toBe(before);
  });

  it("may be eight years ago", () => {
    const leap = cron("0 0 29 2 *");
    expect(previousFireTime(leap, Date.UTC(1904, 1, 29))).toBe(Date.UTC(1896, 1, 29));
  });

  it("is none for a single time, and for the first of a few", () => {
    expect(previousFireTime(once(NOON), NOON)).toBeNull();
    expect(previousFireTime(once(NOON), NOON + 5)).toBe(NOON);
  });

  it("is the one whose next is the slot", () => {
    const slot = fc.integer({ min: 0, max: 2_000_000_000_000 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 400 * 86_400_000 }), fc.nat(), slot, (ms, phase, at) => {
        const times = every(ms, phase % ms);
        const next = times.next(at) as number;
        expect(previousFireTime(times, next)).toBe(next - ms);
      }),
    );
    const lines = fc.constantFrom("*/7 * * * *", "30 2 * * *", "5,10 0 1,15 * *", "0 0 * * fri");
    fc.assert(
      fc.property(lines, slot, (line, at) => {
        const times = cron(line, "Europe/Berlin");
        const next = times.next(at) as number;
        const before = previousFireTime(times, next) as number;
        expect(before).toBeLessThan(next);
        expect(times.next(before)).toBe(next);
      }),
      { numRuns: 300 },
    );
  });
});
