/** What was seen of runs is kept, whatever becomes of a write. */
import { expect, test } from "vitest";
import { NO_PAST, RunDigest } from "../../src/core/run-digest.js";
import { SeenRuns } from "../../src/orchestrator/seen-runs.js";
import { ManualClock, MemoryServer, openMemoryPorts } from "../../src/testing/index.js";
import { START } from "../contract/given.js";

const KEY = "schedule.nightly";
const ALL = () => true;
const failed = (failures: number) => ({ ...NO_PAST, endedAt: START + failures, failures });

function world() {
  const clock = new ManualClock(START);
  const server = new MemoryServer({ clock });
  const ports = { ...openMemoryPorts(server), clock };
  const digest = new RunDigest();
  /** What somebody who takes over knows. */
  const kept = async () => {
    const other = new RunDigest();
    await new SeenRuns(ports).load(other);
    return other;
  };
  const writes: string[] = [];
  const spoil = (fault: "lost before" | "answer lost") => {
    server.faults = {
      alertWrite: (key) => {
        writes.push(key);
        return writes.length === 1 ? fault : undefined;
      },
    };
  };
  return { clock, ports, digest, seen: new SeenRuns(ports), kept, spoil, writes };
}

test("a write that never arrived is done again", async () => {
  const { digest, seen, kept, spoil } = world();
  spoil("lost before");
  digest.takeUp(KEY, failed(2));
  await seen.save(digest, ALL);
  expect((await kept()).pastOf(KEY).failures).toBe(0);
  await seen.save(digest, ALL);
  expect((await kept()).pastOf(KEY).failures).toBe(2);
});

test("one whose answer was lost is done, and the next one goes on from there", async () => {
  const { digest, seen, kept, spoil, writes } = world();
  spoil("answer lost");
  digest.takeUp(KEY, failed(2));
  await seen.save(digest, ALL);
  await seen.save(digest, ALL);
  expect(writes).toHaveLength(1);
  digest.takeUp(KEY, failed(3));
  await seen.save(digest, ALL);
  expect((await kept()).pastOf(KEY).failures).toBe(3);
});

test("open runs, likewise", async () => {
  const { clock, digest, seen, kept, spoil } = world();
  digest.suppose({
    ...{ runId: "r", scheduleId: "nightly", queue: "mail", trigger: "schedule", seq: 1, nextAt: null },
    ...{ fireTime: START, queuedAt: START, startedAt: START, state: "running" },
  });
  await clock.pass(120_000);
  spoil("lost before");
  await seen.save(digest, ALL);
  expect([...(await kept()).open]).toEqual([]);
  await seen.save(digest, ALL);
  expect([...(await kept()).open]).toMatchObject([{ runId: "r" }]);
});
