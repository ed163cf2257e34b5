/**
 * Faults of every kind, one after another, on one cluster under load. After each the independent check judges all
 * slots since the start, and at the very end once more, when nothing can come any more.
 */
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type Cluster, startCluster } from "./support/cluster.js";
import { Deployment, names } from "./support/deployment.js";
import { dockerIsMissing } from "./support/docker.js";

const LEASE_MS = 3_000;
const NOTHING_WRONG = { missed: 0, doubled: 0, examples: [] };

describe.skipIf(await dockerIsMissing())("three orchestrators miss nothing and double nothing when", () => {
  let cluster: Cluster;
  let deployment: Deployment;

  beforeAll(async () => {
    cluster = await startCluster();
    deployment = await Deployment.on(cluster);
  });

  afterEach(async ({ task }) => {
    if (task.result?.state === "fail" && deployment !== undefined)
      console.error(`what everyone has printed is in ${await deployment.saveLogs()}`);
  });

  afterAll(async () => {
    await deployment?.close();
    await cluster?.close();
  });

  test.for([1, 2])("the one with the most shards is killed at a fire instant (%i)", async () => {
    const victim = await deployment.busiest();
    await beforeFullSecond();
    await victim.kill();
    try {
      await deployment.takenOverFrom(victim);
    } finally {
      await victim.start();
    }
    await expectNothingWrong();
  });

  test("one is stopped for longer than its lease, and wakes", async () => {
    const victim = await deployment.busiest();
    await beforeFullSecond();
    await victim.pause();
    try {
      await pause(LEASE_MS);
      await deployment.takenOverFrom(victim);
    } finally {
      await victim.unpause();
    }
    await expectNothingWrong();
  });

  test("one is cut off for longer than its lease, and joins again", async () => {
    const victim = await deployment.busiest();
    await beforeFullSecond();
    await victim.cut();
    try {
      await pause(LEASE_MS);
      await deployment.takenOverFrom(victim);
    } finally {
      await victim.join();
    }
    await expectNothingWrong();
  });

  test.for([
    ["jobs", names.work],
    ["leases", names.leases.stream],
    ["schedules", names.schedules.stream],
  ] as const)("the node that leads the stream of %s is killed", async ([, stream]) => {
    const leader = await cluster.streamLeader(stream);
    await beforeFullSecond();
    await leader.kill();
    try {
      await cluster.ready(2);
      await deployment.put(2);
    } finally {
      await leader.start();
    }
    await cluster.ready();
    await expectNothingWrong();
  });

  test("all of that has happened, and every job is over", async () => {
    expect(await deployment.lastVerdict()).toEqual({ ...NOTHING_WRONG, deadLetters: 0 });
  });

  /** All take part again, and no slot since the start was missed or doubled. */
  async function expectNothingWrong(): Promise<void> {
    await deployment.spread();
    expect(await deployment.verdict()).toEqual(NOTHING_WRONG);
  }
});

/** Just so long that an order to the daemon comes into force at about the full second. */
async function beforeFullSecond(): Promise<void> {
  await pause(1_000 - (Date.now() % 1_000) - Math.floor(Math.random() * 60));
}
