import { expect, it } from "vitest";
import type { Backfill } from "../../src/core/backfill.js";
import { Arrivals } from "../support/until.js";
import { START } from "./given.js";
import type { MakePorts } from "./ports.js";
import { describePort } from "./suite.js";

const backfill = (more: Partial<Backfill> = {}): Backfill => ({
  ...{ scheduleId: "s", revision: 1, from: START, to: START + 1, reprocess: "none", backwards: false },
  ...{ rate: { count: 10, periodMs: 1_000 }, state: "running", cursor: null, batch: [], notBefore: 0 },
  ...{ slots: 2, queued: 0, passedBy: 0, missed: 0, createdAt: START, changedAt: START },
  ...more,
});

export function describeBackfillStore(name: string, make: MakePorts): void {
  describePort(`backfill store over ${name}`, make, (on) => {
    it("has none at first", async () => {
      const { one } = on();
      expect(await one.backfills.get("b1")).toBeNull();
      expect(await one.backfills.list()).toEqual([]);
    });

    it("writes if the revision is still the same, and tells when not", async () => {
      const { one, other } = on();
      const made = await one.backfills.write("b1", backfill(), 0);
      if (made.kind !== "stored") throw new Error(made.kind);
      expect(await other.backfills.write("b1", backfill({ queued: 9 }), 0)).toEqual({ kind: "lost" });
      const next = await other.backfills.write("b1", backfill({ cursor: START }), made.revision);
      if (next.kind !== "stored") throw new Error(next.kind);
      expect(await one.backfills.write("b1", backfill(), made.revision)).toEqual({ kind: "lost" });
      const expected = { value: backfill({ cursor: START }), revision: next.revision };
      expect(await one.backfills.get("b1")).toEqual(expected);
      await one.backfills.write("b2", backfill({ scheduleId: "t" }), 0);
      const listed = (await other.backfills.list()).sort((a, b) => (a.id < b.id ? -1 : 1));
      expect(listed.map(({ id, backfill: { scheduleId } }) => [id, scheduleId])).toEqual([
        ["b1", "s"],
        ["b2", "t"],
      ]);
    });

    it("tells a watcher of what is there, and of every change", async () => {
      const { one, other } = on();
      const made = await one.backfills.write("b1", backfill(), 0);
      const seen = new Arrivals<[string, number]>();
      const watch = await other.backfills.watch((id, { queued }) => seen.add([id, queued]));
      expect(await seen.next()).toEqual(["b1", 0]);
      if (made.kind !== "stored") throw new Error(made.kind);
      await one.backfills.write("b1", backfill({ queued: 1 }), made.revision);
      expect(await seen.next()).toEqual(["b1", 1]);
      await watch.stop();
    });
  });
}
