import { describe, expect, it } from "vitest";
import { decideSlot, MISFIRE_THRESHOLD_MS } from "../../src/core/decide.js";
import type { MisfirePolicy } from "../../src/core/schedule.js";

const NOW = 1_767_225_600_000;
const HOUR = 3_600_000;
const misfired = NOW - MISFIRE_THRESHOLD_MS;

function decide(
  misfire: MisfirePolicy,
  slot: number,
  next: number | null,
  catchUpWindowMs = HOUR,
  startDeadlineMs = 0,
): string {
  const decision = decideSlot({ misfire, catchUpWindowMs, startDeadlineMs }, slot, next, NOW);
  return "reason" in decision ? `${decision.kind}: ${decision.reason}` : decision.kind;
}

const SKIPPED = "skipped: misfire";
const MISSED = "missed: older than the catch-up window";

describe("deciding a slot", () => {
  it.each(["skip", "once", "all"] as const)("fires what is due or only late, misfire %s", (misfire) => {
    for (const slot of [NOW + 50, NOW, NOW - 1, misfired + 1])
      expect(decide(misfire, slot, null)).toBe("fire");
  });

  it("skip: skips misfires", () => {
    expect(decide("skip", misfired, null)).toBe(SKIPPED);
    expect(decide("skip", NOW - HOUR, null)).toBe(SKIPPED);
  });

  it("all: fires misfires within the window", () => {
    expect(decide("all", misfired, null)).toBe("catch up");
    expect(decide("all", NOW - HOUR, NOW)).toBe("catch up");
    expect(decide("all", NOW - HOUR - 1, NOW)).toBe(MISSED);
  });

  it("once: fires only the newest misfire", () => {
    expect(decide("once", misfired - 5, misfired)).toBe(SKIPPED);
    expect(decide("once", misfired, misfired + 1)).toBe("catch up");
    expect(decide("once", misfired, null)).toBe("catch up");
  });

  it.each(["skip", "once", "all"] as const)("misses what is older than the window, misfire %s", (misfire) => {
    expect(decide(misfire, NOW - HOUR - 1, null)).toBe(MISSED);
  });

  it("keeps a window that is shorter than the misfire threshold", () => {
    expect(decide("all", NOW - 10_000, null, 10_000)).toBe("fire");
    expect(decide("all", NOW - 10_001, null, 10_000)).toBe(MISSED);
    expect(decide("skip", NOW - 1, null, 0)).toBe(MISSED);
    expect(decide("skip", NOW, null, 0)).toBe("fire");
  });

  it.each(["skip", "once", "all"] as const)(
    "expires what can start in time no more, misfire %s",
    (misfire) => {
      expect(decide(misfire, NOW - 5_000, null, HOUR, 5_000)).toBe("fire");
      expect(decide(misfire, NOW - 5_001, null, HOUR, 5_000)).toBe("expired: start deadline");
      expect(decide(misfire, misfired - 1, null, HOUR, 5_000)).toBe("expired: start deadline");
      expect(decide(misfire, NOW - HOUR - 1, null, HOUR, 5_000)).toBe(MISSED);
    },
  );
});
