import { expect, it } from "vitest";
import { START } from "./given.js";
import type { MakePorts } from "./ports.js";
import { describePort } from "./suite.js";

export function describeSlotLedger(name: string, make: MakePorts): void {
  describePort(`the ledger of slots over ${name}`, make, (on) => {
    const append = (runId: string, type: string, data: Record<string, unknown>) =>
      on().one.runs.append({ runId, type, msgId: `${runId}/${type}`, data });
    const report = (scheduleId: string, from: number, to = from) => ({
      ...{ scheduleId, reason: "overlap", from: new Date(from).toISOString() },
      ...{ to: new Date(to).toISOString(), count: 1 + (to - from) / 1_000 },
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

    it("tells what was skipped, missed and expired, and passes over what is no report on slots", async () => {
      await append("a:1", "skipped", report("a", START));
      await append("a:2", "missed", report("a", START + 1_000, START + 5_000));
      await append("b:1", "expired", report("b", START));
      await append("j", "skipped", { reason: "a job with this id or key is queued or running" });
      await append("a:3", "succeeded", report("a", START));
      const { reports, fired } = await on().other.ledger.told(0);
      const at = { scheduleId: "a", reason: "overlap", from: START, to: START, count: 1 };
      expect([...reports].sort((a, b) => (a.outcome < b.outcome ? -1 : 1))).toEqual([
        { ...at, outcome: "expired", scheduleId: "b" },
        { ...at, outcome: "missed", from: START + 1_000, to: START + 5_000, count: 5 },
        { ...at, outcome: "skipped" },
      ]);
      expect(fired).toEqual([]);
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
