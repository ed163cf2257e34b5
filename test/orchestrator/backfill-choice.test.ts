/** A backfill that takes its time meets slots that were not over when it began. */
import { describe, expect, it } from "vitest";
import type { Backfill } from "../../src/core/backfill.js";
import { emptyLease, LAST_ID, type LeaseRecord } from "../../src/core/lease.js";
import { chooseSlots, pastOf } from "../../src/orchestrator/backfill-choice.js";
import { Definitions } from "../../src/orchestrator/definitions.js";
import { silentLogger } from "../../src/runtime/log.js";
import { ManualClock, MemoryServer, openMemoryPorts } from "../../src/testing/index.js";
import { definition, START } from "../contract/given.js";

const SLOT = START - 3_600_000;
const decided = { ...emptyLease(START), cursor: { time: START, id: LAST_ID } };

async function world(change: Partial<LeaseRecord>) {
  const server = new MemoryServer({ clock: new ManualClock(START), shards: 1 });
  const ports = openMemoryPorts(server);
  const made = await ports.schedules.write("s", definition(), 0);
  if (made.kind !== "stored") throw new Error(made.kind);
  const definitions = new Definitions(1, server.names, silentLogger);
  await definitions.follow(ports.schedules);
  const compiled = [...definitions.of(0)][0];
  if (compiled === undefined) throw new Error("the schedule is not known");
  const backfill: Backfill = {
    ...{ scheduleId: "s", revision: made.revision, from: SLOT, to: SLOT, reprocess: "none" },
    ...{ backwards: false, rate: { count: 10, periodMs: 1_000 }, state: "running", cursor: null, batch: [] },
    ...{ notBefore: 0, slots: 1, queued: 0, passedBy: 0, missed: 0, createdAt: START, changedAt: START },
  };
  const begun = await ports.leases.write(0, { ...decided, ...change }, 0);
  if (begun.kind !== "stored") throw new Error(begun.kind);
  return {
    ports,
    past: () => pastOf(ports, backfill, compiled.schedule),
    choose: (past: Awaited<ReturnType<typeof pastOf>>) => chooseSlots(ports, backfill, compiled, past),
    settle: () => ports.leases.write(0, decided, begun.revision),
  };
}

const entry = { scheduleId: "s", slot: SLOT, revision: 1, firstTerm: 1 };
const report = {
  scheduleId: "s",
  from: SLOT,
  to: SLOT,
  count: 1,
  outcome: "skipped",
  reason: "overlap",
} as const;

describe("a slot that was not over when the past was read", () => {
  it("is not run a second time when it has fired meanwhile: the past is read again", async () => {
    const { ports, past, choose, settle } = await world({ firing: [entry] });
    const before = await past();
    expect(await choose(before)).toEqual({ slots: [], isHeldUp: true });
    const fired = [{ scheduleId: "s", slot: SLOT, seq: null }];
    await ports.runs.appendSlots({ shard: 0, term: 1, msgId: "slots.0/1/0", fired });
    await settle();
    expect(await choose(before)).toEqual({ slots: [], isHeldUp: true });
    expect(await choose(await past())).toEqual({ slots: [{ slot: SLOT, runs: false }], isHeldUp: false });
  });

  it("is held up while it is not told that it was skipped", async () => {
    const { past, choose } = await world({ reports: [report] });
    expect(await choose(await past())).toEqual({ slots: [], isHeldUp: true });
  });
});
