import { describe, expect, it } from "vitest";
import { followerId, isDue, newGroup, noted } from "../../src/core/chain.js";
import { isRunId } from "../../src/protocol/names.js";

describe("the run that follows", () => {
  it("is named after the first of the chain", () => {
    expect(followerId("mail-7")).toBe("mail-7:then");
    expect(followerId("mail-7:then")).toBe("mail-7:then-2");
    expect(followerId("mail-7:then-2")).toBe("mail-7:then-3");
  });

  it("has an id that can be one, however long that of the run is, and another for another run", () => {
    const ids = new Set<string>();
    for (const first of ["a", "b"].map((last) => "x".repeat(159) + last)) {
      let id = first;
      for (let depth = 0; depth < 8; depth++) {
        id = followerId(id);
        expect(isRunId(id)).toBe(true);
        ids.add(id);
      }
    }
    expect(ids.size).toBe(16);
  });
});

describe("a group", () => {
  it("is due when all members are over, and stays as it is from then on", () => {
    const half = noted(newGroup("g", 2, "{}", 0), 0, true);
    expect(isDue(half)).toBe(false);
    const again = noted(half, 0, false);
    expect(again.failed.count).toBe(0);
    const full = noted(half, 1, false);
    expect([isDue(full), full.failed.count]).toEqual([true, 1]);
    expect(noted(full, 0, false)).toBe(full);
  });
});
