import { describe, expect, it } from "vitest";
import { defaultRetry, delayAfter } from "../../src/core/retry.js";

describe("retry delays", () => {
  it("grow by the factor, up to the limit", () => {
    const policy = { maxAttempts: 6, initialDelayMs: 100, factor: 3, maxDelayMs: 2_000 };
    expect([1, 2, 3, 4, 5].map((attempt) => delayAfter(policy, attempt))).toEqual([
      100, 300, 900, 2_000, 2_000,
    ]);
  });

  it("end with the last attempt", () => {
    expect(delayAfter(defaultRetry, 4)).toBe(8_000);
    expect(delayAfter(defaultRetry, 5)).toBeNull();
    expect(delayAfter(defaultRetry, 6)).toBeNull();
    expect(delayAfter({ ...defaultRetry, maxAttempts: 1 }, 1)).toBeNull();
  });

  it("stay numbers whatever the factor", () => {
    const policy = { maxAttempts: 1_000, initialDelayMs: 1, factor: 1e300, maxDelayMs: 60_000 };
    expect(delayAfter(policy, 999)).toBe(60_000);
    expect(delayAfter({ ...policy, initialDelayMs: 0 }, 999)).toBe(0);
  });
});
