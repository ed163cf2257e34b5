import { expect, it } from "vitest";
import type { Report } from "../../src/core/lease.js";
import { START } from "./given.js";
import type { MakePorts } from "./ports.js";
import { describePort } from "./suite.js";

export function describeSlotLedger(name: string, make: MakePorts): void {
  describePort(`the ledger of slots over ${name}`, make, (on) => {
    const report = (scheduleId: string, outcome: Report["outcome"], from: number, to = from): Report => ({
      ...{ scheduleId, outcome, reason: "overlap", from, to, count: 1 + (to - from) / 1_000 },
    });

    it("tells nothing at first, and that nothing was dropped", async () => {
      expect(await on().other.ledger.told(0)).toEqual({ fired: [], reports: [], keptFrom: null });
    });

    it("tells what was fired, of all shards, as often as it was told", async () => {
      const { one, other } = on();
      const fired = (scheduleId: string, slot: number, seq: number | null = null) => ({
        scheduleId,
        slot,
        seq,
      });
      await one.runs.appendSlots({
        shard: 0,
        term: 1,
        msgId: "0",
        fired: [fired("a", START, 3), fired("b", START)],
      });
      await one.runs.appendSlots({ shard: 1, term: 2, msgId: "1", fired: [fired("c", START + 1, 4)] });
      await one.runs.appendSlots({ shard: 1, term: 3, msgId: "2", fired: [fired("c", START + 1, 5)] });
      const told = await other.ledger.told(0);
      expect(told.fired).toEqual([
        fired("a", START, 3),
        fired("b", START),
        fired("c", START + 1, 4),
        fired("c", START + 1, 5),
      ]);
      expect(told.reports).toEqual([]);
    });

    it("tells what was skipped, missed and expired, of all shards", async () => {
      const { one, other } = on();
      const first = [
        report("a", "skipped", START),
        report("a", "missed", START + 1_000, START + 5_000),
        report("b", "expired", START),
      ];
      const second = [report("c", "skipped", START)];
      await one.runs.appendSlots({ shard: 0, term: 1, msgId: "0", fired: [], reports: first });
      await one.runs.appendSlots({ shard: 1, term: 1, msgId: "1", fired: [], reports: second });
      expect(await other.ledger.told(0)).toEqual({
        fired: [],
        reports: [...first, ...second],
        keptFrom: null,
      });
    });

    it("leaves out what was told before", async () => {
      const { one, other, clock } = on();
      await one.runs.appendSlots({
        shard: 0,
        term: 1,
        msgId: "0",
        fired: [{ scheduleId: "a", slot: START, seq: 1 }],
      });
      expect((await other.ledger.told(clock.now() + 3_600_000)).fired).toEqual([]);
    });
  });
}
