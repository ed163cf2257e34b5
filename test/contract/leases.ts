import { expect, it, onTestFinished } from "vitest";
import type { LeaseHint } from "../../src/core/ports.js";
import { Arrivals } from "../support/until.js";
import { lease } from "./given.js";
import type { MakePorts } from "./ports.js";
import { describePort } from "./suite.js";

export function describeLeaseStore(name: string, make: MakePorts): void {
  describePort(`lease store over ${name}`, make, (on) => {
    it("has no record at first", async () => {
      expect(await on().one.leases.read(3)).toBeNull();
    });

    it("reads what was written, over any connection, at once", async () => {
      const { one, other } = on();
      const record = lease({
        view: 7,
        cursor: { time: 1_767_225_600_123, id: "a-1" },
        runsFrom: 4,
        firing: [{ scheduleId: "nightly", slot: 1_767_225_600_000, revision: 5, firstTerm: 1 }],
        reports: [{ scheduleId: "x", outcome: "skipped", reason: 'say "ü"', from: 1, to: 2, count: 2 }],
      });
      const outcome = await one.leases.write(3, record, 0);
      if (outcome.kind !== "stored") throw new Error(outcome.kind);
      const expected = { value: record, revision: outcome.revision };
      expect(await other.leases.read(3)).toEqual(expected);
      expect(await one.leases.read(3)).toEqual(expected);
      expect(await one.leases.read(30)).toBeNull();
    });

    it("keeps what is released: holder null", async () => {
      const { leases } = on().one;
      await leases.write(0, lease({ holder: null }), 0);
      expect((await leases.read(0))?.value.holder).toBeNull();
    });

    it("stores only on the revision that is there", async () => {
      const { leases } = on().one;
      const first = await leases.write(1, lease(), 0);
      if (first.kind !== "stored") throw new Error(first.kind);
      expect(await leases.write(1, lease({ term: 2 }), 0)).toEqual({ kind: "lost" });
      const second = await leases.write(1, lease({ term: 2 }), first.revision);
      if (second.kind !== "stored") throw new Error(second.kind);
      expect(second.revision).toBeGreaterThan(first.revision);
      expect(await leases.write(1, lease({ term: 3 }), first.revision)).toEqual({ kind: "lost" });
      expect((await leases.read(1))?.value.term).toBe(2);
    });

    it("does not create over an expectation of something older", async () => {
      expect(await on().one.leases.write(1, lease(), 9)).toEqual({ kind: "lost" });
    });

    it("lets exactly one of many writers with one revision in", async () => {
      const { one, other } = on();
      let revision = 0;
      for (let round = 1; round <= 10; round++) {
        const tries = Array.from({ length: 8 }, (_, i) =>
          (i % 2 === 0 ? one : other).leases.write(2, lease({ term: round, nonce: `${i}` }), revision),
        );
        const outcomes = await Promise.all(tries);
        const stored = outcomes.filter((outcome) => outcome.kind === "stored");
        expect(stored).toHaveLength(1);
        expect(outcomes.filter((outcome) => outcome.kind === "lost")).toHaveLength(7);
        const winner = outcomes.findIndex((outcome) => outcome.kind === "stored");
        const read = await one.leases.read(2);
        expect(read?.value.nonce).toBe(`${winner}`);
        revision = read?.revision as number;
      }
    });

    it("keeps shards apart", async () => {
      const { leases } = on().one;
      const outcomes = await Promise.all([1, 11, 111].map((shard) => leases.write(shard, lease(), 0)));
      expect(outcomes.map((outcome) => outcome.kind)).toEqual(["stored", "stored", "stored"]);
    });

    it("watches: every record, then every change", async () => {
      const { one, other } = on();
      const first = await one.leases.write(4, lease({ holder: "a" }), 0);
      if (first.kind !== "stored") throw new Error(first.kind);
      const hints = new Arrivals<LeaseHint>();
      const watch = await other.leases.watch((hint) => hints.add(hint));
      onTestFinished(() => watch.stop());
      expect(await hints.next()).toEqual({ shard: 4, holder: "a", term: 1, revision: first.revision });
      const second = await one.leases.write(4, lease({ holder: null, term: 2 }), first.revision);
      if (second.kind !== "stored") throw new Error(second.kind);
      expect(await hints.next()).toEqual({ shard: 4, holder: null, term: 2, revision: second.revision });
      await one.leases.write(12, lease({ holder: "b" }), 0);
      expect(await hints.next()).toMatchObject({ shard: 12, holder: "b" });
    });

    it("watches an empty store, and is silent after its stop", async () => {
      const { one, other } = on();
      const hints = new Arrivals<LeaseHint>();
      const ended = new Arrivals<LeaseHint>();
      const watch = await other.leases.watch((hint) => hints.add(hint));
      onTestFinished(() => watch.stop());
      const short = await other.leases.watch((hint) => ended.add(hint));
      await short.stop();
      await one.leases.write(5, lease(), 0);
      expect(await hints.next()).toMatchObject({ shard: 5 });
      expect(ended.all).toEqual([]);
    });
  });
}
