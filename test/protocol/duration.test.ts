import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatDuration, parseDuration } from "../../src/protocol/duration.js";
import { limits } from "../../src/protocol/limits.js";

describe("durations", () => {
  it.each([
    ["250ms", 250],
    ["90s", 90_000],
    ["1h30m", 5_400_000],
    ["2d", 172_800_000],
    ["1.5h", 5_400_000],
    ["0.1s", 100],
    ["1d1h1m1s1ms", 90_061_001],
    [" 5s ", 5_000],
    ["0s", 0],
    [0, 0],
    [1_234, 1_234],
    ["366d", limits.maxDurationMs],
  ])("%j is %i ms", (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it.each(["", "5", "s", "5 s", "5S", "-5s", "1h 30m", "5s!", "5x", ".5s", "0.4ms", "367d", "1e3s", "∞"])(
    "%j is none",
    (text) => {
      expect(parseDuration(text)).toBeNull();
    },
  );

  it.each([
    -1,
    0.5,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    limits.maxDurationMs + 1,
    null,
    undefined,
    {},
    [],
    true,
  ])("%j is none", (value) => {
    expect(parseDuration(value)).toBeNull();
  });

  it.each([
    [0, "0s"],
    [250, "250ms"],
    [5_400_000, "1h30m"],
    [86_400_000, "1d"],
    [61_001, "1m1s1ms"],
  ])("%i ms is written %s", (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  it("read what was written", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: limits.maxDurationMs }), (ms) => {
        expect(parseDuration(formatDuration(ms))).toBe(ms);
      }),
    );
  });
});
