import { expect, it } from "vitest";
import type { FiredSlot, RunEvent } from "../../src/core/ports.js";
import { decodeFired } from "../../src/protocol/fired-record.js";
import { until } from "../support/until.js";
import { job, tombstone } from "./given.js";
import type { MakePorts } from "./ports.js";
import { describePort } from "./suite.js";

const RUN = "nightly:20260101T000000Z";
const NEXT = "nightly:20260102T000000Z";

function event(type: string, more: Partial<RunEvent> = {}): RunEvent {
  return { runId: RUN, type, msgId: `${RUN}/${type}/1`, data: { attempt: 1 }, ...more };
}

export function describeRunLog(name: string, make: MakePorts): void {
  describePort(`run log over ${name}`, make, (on) => {
    it("knows nothing at first", async () => {
      const { one } = on();
      expect(await one.runs.has(RUN, "started")).toBe(false);
      expect(await one.runs.hasAny(RUN)).toBe(false);
      expect(await one.runs.lastSequence()).toBe(0);
    });

    it("knows an event, by its run and type, over any connection, at once", async () => {
      const { one, other } = on();
      await one.runs.append(event("started"));
      expect(await other.runs.has(RUN, "started")).toBe(true);
      expect(await other.runs.has(RUN, "succeeded")).toBe(false);
      expect(await other.runs.has(NEXT, "started")).toBe(false);
      expect(await other.runs.hasAny(RUN)).toBe(true);
      expect(await other.runs.hasAny(NEXT)).toBe(false);
      expect(await other.runs.lastSequence()).toBe(1);
    });

    it("takes a repeat without complaint, and keeps one", async () => {
      const { one, other } = on();
      await one.runs.append(event("started"));
      await one.runs.append(event("started"));
      await other.runs.append(event("started"));
      expect(await one.runs.lastSequence()).toBe(1);
      await one.runs.append(event("started", { msgId: `${RUN}/started/2` }));
      expect(await one.runs.lastSequence()).toBe(2);
    });

    it("takes ends of runs, many in one record, and a repeat without complaint", async () => {
      const { one, other } = on();
      const ends = [
        { runId: "job-1", seq: 1, attempt: 1, durationMs: 0.5 },
        { runId: "job-2", seq: 2, attempt: 3, durationMs: 7, result: { sent: 3 } },
      ];
      const record = { queue: "mail", worker: "w1", msgId: "job-1/ends/1/1", ends };
      await one.runs.appendEnds(record);
      await other.runs.appendEnds(record);
      expect(await one.runs.lastSequence()).toBe(1);
    });

    it("takes timers that were fired, many in one record, for a reader of their queue", async () => {
      const { one, other, names } = on();
      await one.runs.appendFired({ queue: "mail", timers: [7, 9] });
      await other.runs.appendFired({ queue: "other", timers: [8] });
      await other.runs.appendFired({ queue: "mail", timers: [10] });
      const { first: from, last: to } = await one.reader.bounds();
      const told: number[] = [];
      await one.reader.read({ from, to, since: 0, subject: names.fired("mail") }, ({ body }) =>
        told.push(...decodeFired(new TextDecoder().decode(body))),
      );
      expect(told).toEqual([7, 9, 10]);
    });

    const slots = (...fired: [string, number, number | null][]) =>
      fired.map(([scheduleId, slot, seq]) => ({ scheduleId, slot, seq }));
    const record = (shard: number, number: number, fired: FiredSlot[]) => ({
      shard,
      term: 3,
      msgId: `slots.${shard}/3/${number}`,
      fired,
    });

    it("gives the slot records of a shard after a sequence, and the sequence of the last", async () => {
      const { one, other } = on();
      expect(await one.runs.slotsAfter(0, 0)).toEqual({ fired: [], last: 0 });
      const [first, second] = [slots(["a", 1_000, 7], ["b", 1_000, null]), slots(["a", 2_000, 9])];
      await one.runs.appendSlots(record(0, 0, first));
      await one.runs.append(event("started"));
      await one.runs.appendSlots(record(0, 1, second));
      expect(await other.runs.slotsAfter(0, 0)).toEqual({ fired: [...first, ...second], last: 3 });
      expect(await other.runs.slotsAfter(0, 1)).toEqual({ fired: second, last: 3 });
      expect(await other.runs.slotsAfter(0, 3)).toEqual({ fired: [], last: 3 });
    });

    it("lets its reader do something after each slot record, and stop", async () => {
      const { one } = on();
      for (const number of [0, 1, 2]) await one.runs.appendSlots(record(0, number, slots(["a", number, 7])));
      let read = 0;
      await one.runs.slotsAfter(0, 1, async () => void read++);
      expect(read).toBe(2);
      const stop = () => Promise.reject(new Error("enough"));
      await expect(one.runs.slotsAfter(0, 0, stop)).rejects.toThrow("enough");
    });

    it("keeps the slot records of shards apart", async () => {
      const { one } = on();
      await one.runs.appendSlots(record(0, 0, slots(["a", 1_000, 7])));
      await one.runs.appendSlots(record(1, 0, slots(["b", 1_000, 8])));
      expect(await one.runs.slotsAfter(1, 0)).toEqual({ fired: slots(["b", 1_000, 8]), last: 2 });
    });

    it("takes a repeat of a slot record without complaint, and keeps one", async () => {
      const { one, other } = on();
      await one.runs.appendSlots(record(0, 0, slots(["a", 1_000, 7])));
      await other.runs.appendSlots(record(0, 0, slots(["a", 1_000, 7])));
      expect(await one.runs.lastSequence()).toBe(1);
    });

    it("is told by the server of a job that no schedule fired, and of nothing else in WORK", async () => {
      const { names, one } = on();
      const stored = [
        await one.work.publish(job(names, "order-17", { msgId: "order-17" })),
        await one.work.publish(job(names, "nightly.1", { msgId: `${RUN}/1` })),
        await one.work.publish(tombstone(names, NEXT, 1)),
        await one.work.publish(job(names, "order-18", { msgId: "order-18" })),
      ];
      expect(stored.map(({ kind }) => kind)).toEqual(["stored", "stored", "stored", "stored"]);
      await until(async () => (await one.runs.lastSequence()) >= 2);
      expect(await one.runs.lastSequence()).toBe(2);
      expect(await one.runs.hasAny(RUN)).toBe(false);
    });
  });
}
