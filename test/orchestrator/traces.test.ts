import { expect, it } from "vitest";
import { Traces } from "../../src/orchestrator/traces.js";
import { ManualClock, MemoryServer, openMemoryPorts } from "../../src/testing/index.js";
import { START } from "../contract/given.js";

it("keeps the lease while it reads: a run that waited for long has many records to look through", async () => {
  const { runs } = openMemoryPorts(new MemoryServer({ clock: new ManualClock(START), shards: 1 }));
  for (let number = 0; number < 3; number++)
    await runs.appendSlots({ shard: 0, term: 1, msgId: `slots.0/1/${number}`, fired: [] });
  let renewals = 0;
  await new Traces(runs, 0, 0, new Map()).refresh(async () => void renewals++);
  expect(renewals).toBe(3);
});
