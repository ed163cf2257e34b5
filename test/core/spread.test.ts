import { describe, expect, it } from "vitest";
import { hash32, shardOf } from "../../src/core/hash.js";
import { preferredHolder } from "../../src/core/spread.js";

const SHARDS = 1_024;
const members = (count: number) => Array.from({ length: count }, (_, i) => `host-${i}-5f3a`);
const holders = (live: string[]) =>
  Array.from({ length: SHARDS }, (_, shard) => preferredHolder(shard, live) as string);

describe("spreading shards over members", () => {
  it("has nobody when there is nobody", () => {
    expect(preferredHolder(0, [])).toBeNull();
  });

  it("does not depend on the order in which members are known", () => {
    const live = members(5);
    expect(holders([...live].reverse())).toEqual(holders(live));
  });

  it.each([2, 3, 5, 10])("gives each of %i members about its share", (count) => {
    const live = members(count);
    const all = holders(live);
    for (const member of live) {
      const share = all.filter((holder) => holder === member).length;
      expect(share).toBeGreaterThan((0.7 * SHARDS) / count);
      expect(share).toBeLessThan((1.3 * SHARDS) / count);
    }
  });

  it("moves only the share of a member that leaves, and back when it returns", () => {
    const live = members(5);
    const before = holders(live);
    for (const gone of live) {
      const after = holders(live.filter((member) => member !== gone));
      before.forEach((holder, shard) => {
        if (holder === gone) expect(after[shard]).not.toBe(gone);
        else expect(after[shard]).toBe(holder);
      });
    }
  });

  it("moves only to a newcomer", () => {
    const live = members(6);
    const before = holders(live.slice(0, 5));
    const moved = holders(live).filter((holder, shard) => holder !== before[shard]);
    expect(new Set(moved)).toEqual(new Set([live[5]]));
    expect(moved.length / SHARDS).toBeCloseTo(1 / 6, 1);
  });
});

describe("hashing", () => {
  it("is FNV-1a, the same for ever", () => {
    expect(hash32("")).toBe(0x811c9dc5);
    expect(hash32("a")).toBe(0xe40c292c);
    expect(hash32("foobar")).toBe(0xbf9cf968);
  });

  it("puts ids on all shards", () => {
    const used = new Set(Array.from({ length: 1_000 }, (_, i) => shardOf(`job-${i}`, 16)));
    expect([...used].sort((a, b) => a - b)).toEqual(Array.from({ length: 16 }, (_, i) => i));
  });
});
