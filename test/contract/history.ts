import { expect, it } from "vitest";
import type { Report } from "../../src/core/lease.js";
import { until } from "../support/until.js";
import { job } from "./given.js";
import type { MakePorts } from "./ports.js";
import { describePort } from "./suite.js";

const SLOT = Date.UTC(2026, 0, 1);
const RUN = "nightly:20260101T000000Z";

export function describeRunHistory(name: string, make: MakePorts): void {
  describePort(`run history over ${name}`, make, (on) => {
    const tell = (type: string, data: Record<string, unknown> = {}, runId = RUN) =>
      on().one.runs.append({ runId, type, msgId: `${runId}/${type}`, data });
    const shard = 3;

    it("knows nothing at first", async () => {
      const { history } = on().one;
      expect(await history.events(RUN)).toEqual([]);
      expect(await history.lastEvent(RUN)).toBeNull();
      expect(await history.lastQueued(on().names.job("default", "a"))).toBeNull();
      const outcomes = await history.outcomes({ id: "nightly", shard }, 0);
      expect(outcomes).toEqual({ fired: new Map(), reports: [] });
    });

    it("tells the events of a run in their order, and the newest", async () => {
      const { other } = on();
      await tell("started", { attempt: 1 });
      await tell("started", { attempt: 1 }, "other:20260101T000000Z");
      await tell("succeeded", { attempt: 1, durationMs: 7 });
      const events = await other.history.events(RUN);
      expect(events.map(({ type, data }) => [type, data])).toEqual([
        ["started", { attempt: 1 }],
        ["succeeded", { attempt: 1, durationMs: 7 }],
      ]);
      expect(events[0]?.at).toBeGreaterThan(0);
      expect(await other.history.lastEvent(RUN)).toEqual(events[1]);
      expect(await other.history.lastEvent(RUN, ["dead", "started"])).toEqual(events[0]);
      expect(await other.history.lastEvent(RUN, ["dead"])).toBeNull();
    });

    it("knows that a job was stored in WORK, by the server's own record", async () => {
      const { names, one, other } = on();
      const subject = names.job("default", `${RUN}:b1`, "low");
      const stored = await one.work.publish(job(names, "x", { subject }));
      if (stored.kind !== "stored") throw new Error(stored.kind);
      await one.work.remove(stored.seq);
      await until(async () => (await other.history.lastQueued(subject)) !== null);
      expect(await other.history.lastQueued(names.job("default", `${RUN}:b2`, "low"))).toBeNull();
    });

    it("knows by its message id who was last put on a subject, also when it has gone", async () => {
      const { names, one, other } = on();
      const subject = names.ticket("mail", "a", 1);
      const lastId = async (place = subject) => (await other.history.lastQueued(place))?.msgId;
      await one.work.publish({ ...job(names, "x"), subject, msgId: "x/g1" });
      await until(async () => (await lastId()) === "x/g1");
      await one.work.remove(1);
      expect(await lastId()).toBe("x/g1");
      expect(await lastId(names.ticket("mail", "a", 2))).toBeUndefined();
      await one.work.publish({ ...job(names, "y"), subject, msgId: "y/g2" });
      await until(async () => (await lastId()) === "y/g2");
    });

    it("tells what became of the slots of one schedule, and of no other", async () => {
      const { one, other } = on();
      const fired = (scheduleId: string, slot: number) => ({ scheduleId, slot, seq: 1 });
      const record = {
        shard,
        term: 1,
        msgId: "1",
        fired: [fired("nightly", SLOT), fired("other", SLOT + 1)],
      };
      await one.runs.appendSlots(record);
      await one.runs.appendSlots({ ...record, msgId: "2", fired: [fired("nightly", SLOT + 5)] });
      await one.runs.appendSlots({ ...record, shard: 4, msgId: "3", fired: [fired("nightly", SLOT + 9)] });
      const report: Report = {
        ...{ scheduleId: "nightly", outcome: "skipped", reason: "overlap" },
        ...{ from: SLOT + 10, to: SLOT + 20, count: 2 },
      };
      const reports = [report, { ...report, scheduleId: "other" }];
      await one.runs.appendSlots({ shard, term: 1, msgId: "4", fired: [], reports });
      const outcomes = await other.history.outcomes({ id: "nightly", shard }, 0);
      expect([...outcomes.fired]).toEqual([
        [SLOT, 1],
        [SLOT + 5, 1],
      ]);
      const sought = await other.history.outcomes({ id: "nightly", shard }, 0, SLOT);
      expect(sought.fired.has(SLOT)).toBe(true);
      expect(outcomes.reports).toEqual([report]);
    });

    it("reads many records, and stops at what is there", async () => {
      const { one, other } = on();
      const append = (n: number) =>
        one.runs.appendSlots({
          ...{ shard, term: 1, msgId: `m${n}` },
          fired: [{ scheduleId: "nightly", slot: SLOT + n, seq: n }],
        });
      await Promise.all(Array.from({ length: 2_500 }, (_, n) => append(n)));
      const { fired } = await other.history.outcomes({ id: "nightly", shard }, 0);
      expect(fired.size).toBe(2_500);
    });
  });
}
