import { expect, test } from "vitest";
import { SlotRecords } from "../../src/orchestrator/slot-records.js";
import { silentLogger } from "../../src/runtime/log.js";
import { ManualClock, MemoryServer, openMemoryPorts } from "../../src/testing/index.js";

test("what lands while a record takes its time is told, and so is all that lands afterwards", async () => {
  const clock = new ManualClock();
  const server = new MemoryServer({ clock, shards: 1 });
  const { runs } = openMemoryPorts(server);
  const told: number[] = [];
  const news = { onTold: ({ slot }: { slot: number }) => told.push(slot), onReported: () => {} };
  const records = new SlotRecords({ runs, clock, log: silentLogger }, { shard: 0, term: 1 }, new Map(), news);
  const land = (slot: number) => records.add({ scheduleId: "s", slot, revision: 1, firstTerm: 1 }, slot);
  server.faults.delayMs = () => 100;
  land(1);
  await clock.pass(60);
  land(2);
  await clock.pass(1_000);
  for (const slot of [3, 4]) {
    land(slot);
    await clock.pass(1_000);
  }
  expect(told).toEqual([1, 2, 3, 4]);
  records.stop();
});
