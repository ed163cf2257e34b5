import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Firing } from "../../src/core/lease.js";
import { WaitingLine } from "../../src/core/overlap.js";
import { type OverlapPolicy, takesTurns } from "../../src/core/overlap-policy.js";

const firing = (slot: number): Firing => ({ scheduleId: "a", slot, revision: 1, firstTerm: 1 });
const rule = (overlap: OverlapPolicy, bufferLimit = 100) => ({ overlap, bufferLimit, maxConcurrent: 1 });

/** The first waits, as do the others. */
function blocked(...slots: number[]): { line: WaitingLine; firings: Firing[] } {
  const line = new WaitingLine();
  const firings = slots.map(firing);
  for (const each of firings) line.offer(each);
  line.block();
  return { line, firings };
}

describe("runs that take turns", () => {
  it("are those of every policy but allow and skip", () => {
    expect(takesTurns({ overlap: "allow" }) || takesTurns({ overlap: "skip" })).toBe(false);
    for (const overlap of ["buffer-one", "buffer-all", "cancel-other", "terminate-other"] as const)
      expect(takesTurns({ overlap })).toBe(true);
  });

  it("go one at a time, in the order of their slots, however they come", () => {
    const slots = fc.uniqueArray(fc.nat(50), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(slots, fc.array(fc.boolean()), (all, refusals) => {
        const line = new WaitingLine();
        const [first, ...rest] = all.map(firing) as [Firing, ...Firing[]];
        expect(line.offer(first)).toBe(true);
        for (const each of rest) expect(line.offer(each)).toBe(false);
        const gone: number[] = [];
        let sending: Firing | null = first;
        while (sending !== null) {
          expect(line.next).toBeNull();
          if (refusals.pop() === true) line.block();
          else {
            gone.push(sending.slot);
            line.remove(sending);
          }
          sending = line.next;
          if (sending !== null) expect(line.offer(sending)).toBe(true);
        }
        const later = rest.map(({ slot }) => slot).sort((a, b) => a - b);
        if (refusals.length > 0) expect(gone).toEqual([first.slot, ...later]);
        expect(gone).toHaveLength(all.length);
      }),
    );
  });
});

describe("a run that is being published", () => {
  it("is not held, however often it comes to be published: it may be in WORK by now", () => {
    const { line, firings } = blocked(1, 2);
    const [first, second] = firings as [Firing, Firing];
    expect(line.offer(first)).toBe(true);
    expect(line.offer(first)).toBe(false);
    expect(line.holds(first)).toBe(false);
    expect(line.holds(second)).toBe(true);
    line.block();
    expect(line.holds(first)).toBe(true);
    expect(line.holds(firing(3))).toBe(false);
  });
});

describe("a buffer", () => {
  it.each([
    ["buffer-one", 100, [1], "overlap: the buffer is full"],
    ["buffer-all", 2, [1, 2], "overlap: the buffer is full"],
    ["cancel-other", 100, [3], "overlap: a later run takes its place"],
    ["terminate-other", 100, [3], "overlap: a later run takes its place"],
  ] as const)("of %s (limit %d) keeps %j of three", (overlap, limit, kept, reason) => {
    const { line, firings } = blocked(1, 2, 3);
    const dropped = line.trim(rule(overlap, limit));
    expect(firings.filter((each) => line.holds(each)).map(({ slot }) => slot)).toEqual(kept);
    expect(new Set(dropped.map((each) => each.reason))).toEqual(new Set([reason]));
    expect(dropped).toHaveLength(3 - kept.length);
    expect(line.next?.slot).toBe(kept[0]);
  });

  it("drops nothing while the first is on its way: it may well be published", () => {
    const line = new WaitingLine();
    for (const slot of [1, 2, 3]) line.offer(firing(slot));
    expect(line.trim(rule("buffer-one"))).toEqual([]);
    expect(line.size).toBe(3);
  });

  it("is open again when the first has gone", () => {
    const { line, firings } = blocked(1, 2);
    line.remove(firings[0] as Firing);
    expect(line.isBlocked).toBe(false);
    expect(line.trim(rule("buffer-one"))).toEqual([]);
  });
});
