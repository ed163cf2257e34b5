import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ScheduleSpec } from "../../../src/core/schedule.js";
import { compileSpec as compileSeeded, fireTimesBetween } from "../../../src/core/time/fire-times.js";

const compileSpec = (spec: ScheduleSpec) => compileSeeded(spec, "nightly");
const every = (everyMs: number, phaseMs = 0) => compileSpec({ kind: "every", everyMs, phaseMs });

describe("every", () => {
  it("fires at phase, phase + every, …, strictly after the start", () => {
    const times = every(1000, 250);
    expect(times.next(0)).toBe(250);
    expect(times.next(249)).toBe(250);
    expect(times.next(250)).toBe(1250);
    expect(times.next(251.5)).toBe(1250);
    expect(times.next(-1)).toBe(250);
    expect(times.next(-750)).toBe(250);
    expect(times.next(-751)).toBe(-750);
  });

  it("fires at every millisecond", () => {
    expect(every(1).next(41)).toBe(42);
  });

  it("is the first instant that is congruent to the phase", () => {
    const max = 8_640_000_000_000_000;
    const cases = fc.integer({ min: 1, max }).chain((everyMs) =>
      fc.record({
        everyMs: fc.constant(everyMs),
        phaseMs: fc.integer({ min: 0, max: everyMs - 1 }),
        start: fc.integer({ min: -max, max: max - 1 }),
      }),
    );
    fc.assert(
      fc.property(cases, ({ everyMs, phaseMs, start }) => {
        const big = (n: number) => BigInt(n);
        const steps = (big(start) - big(phaseMs) + big(everyMs) * big(max)) / big(everyMs) - big(max) + 1n;
        const expected = big(phaseMs) + steps * big(everyMs);
        const next = every(everyMs, phaseMs).next(start);
        expect(next === null ? null : big(next)).toBe(expected > big(max) ? null : expected);
      }),
      { numRuns: 500 },
    );
  });
});

describe("at", () => {
  it("fires once", () => {
    const times = compileSpec({ kind: "at", at: 5000 });
    expect(times.next(4999)).toBe(5000);
    expect(times.next(5000)).toBeNull();
    expect(times.next(Number.NaN)).toBeNull();
  });
});

describe("cron", () => {
  it("fires by the line in its zone", () => {
    const times = compileSpec({ kind: "cron", expression: "0 9 * * *", timeZone: "Asia/Tokyo" });
    expect(times.next(1)).toBe(86_400_000);
  });
});

describe("refusals", () => {
  it.each<[ScheduleSpec, string]>([
    [
      { kind: "every", everyMs: 0, phaseMs: 0 },
      "everyMs: expected a whole number of milliseconds, at least 1, got 0",
    ],
    [{ kind: "every", everyMs: 1.5, phaseMs: 0 }, "at least 1, got 1.5"],
    [{ kind: "every", everyMs: Number.NaN, phaseMs: 0 }, "at least 1, got NaN"],
    [{ kind: "every", everyMs: Number.POSITIVE_INFINITY, phaseMs: 0 }, "got Infinity"],
    [
      { kind: "every", everyMs: 10, phaseMs: 10 },
      "phaseMs: expected a whole number of milliseconds from 0 to 9",
    ],
    [{ kind: "every", everyMs: 10, phaseMs: -1 }, "got -1"],
    [{ kind: "every", everyMs: 10, phaseMs: 0.5 }, "got 0.5"],
    [{ kind: "at", at: Number.NaN }, "at: expected a whole number of milliseconds since 1970, got NaN"],
    [{ kind: "at", at: Number.POSITIVE_INFINITY }, "got Infinity"],
    [{ kind: "at", at: 8.64e15 + 1 }, "got 8640000000000001"],
    [{ kind: "cron", expression: "0 0 * * *", timeZone: "Foo/Bar" }, "timeZone: expected an IANA time zone"],
    [{ kind: "cron", expression: "0 0 * *", timeZone: "UTC" }, "expression: column 8: expected 5 fields"],
    [
      { kind: "calendar" } as unknown as ScheduleSpec,
      'kind: expected "cron", "every", "at", "rrule", "opening" or "composite", got "calendar"',
    ],
  ])("%j", (spec, message) => {
    expect(() => compileSpec(spec)).toThrow(message);
    expect(() => compileSpec(spec)).toThrow(expect.objectContaining({ code: "invalid" }));
  });
});

describe("fireTimesBetween", () => {
  const times = every(10);
  it("leaves out the start and includes the end", () => {
    expect(fireTimesBetween(times, 10, 40, 100)).toEqual([20, 30, 40]);
  });

  it("stops at the limit, at the end of the fire times, and at once when there is nothing", () => {
    expect(fireTimesBetween(times, 0, 1000, 2)).toEqual([10, 20]);
    expect(fireTimesBetween(times, 0, 1000, 0)).toEqual([]);
    expect(fireTimesBetween(times, 10, 5, 10)).toEqual([]);
    expect(fireTimesBetween(compileSpec({ kind: "at", at: 7 }), 0, 1000, 10)).toEqual([7]);
  });
});
