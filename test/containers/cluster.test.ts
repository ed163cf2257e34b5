import { jetstream, jetstreamManager, RetentionPolicy } from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Cluster, startCluster } from "./support/cluster.js";
import { dockerIsMissing } from "./support/docker.js";

describe.skipIf(await dockerIsMissing())("the three-node cluster of deploy/", () => {
  let cluster: Cluster;
  let nc: NatsConnection;

  beforeAll(async () => {
    cluster = await startCluster();
    nc = await connect({ servers: cluster.hostUrls, maxReconnectAttempts: -1, reconnectTimeWait: 100 });
  });

  afterAll(async () => {
    await nc?.close();
    await cluster?.close();
  });

  test("a replicated stream outlives its leader, acknowledged messages and all", async () => {
    const jsm = await jetstreamManager(nc);
    await jsm.streams.add({
      name: "S",
      subjects: ["s.>"],
      num_replicas: 3,
      retention: RetentionPolicy.Workqueue,
    });
    const js = jetstream(nc, { timeout: 10_000 });
    for (let i = 0; i < 10; i++) await js.publish(`s.${i}`, "before");

    const leader = await cluster.streamLeader("S");
    await leader.kill();
    await cluster.ready(2);
    const successor = await cluster.streamLeader("S");
    expect(successor.name).not.toBe(leader.name);
    const { seq } = await js.publish("s.after", "after", { retries: 20 });

    await leader.start();
    await cluster.ready();
    // Read from the leader: a node that has just come back may answer for the stream's state, out of date.
    for (let i = 1; i <= seq; i++) expect(await jsm.streams.getMessage("S", { seq: i })).not.toBeNull();
    expect(seq).toBe(11);
  });

  test("a node cut off from the others comes back under the same address", async () => {
    const node = cluster.nodes.find(({ hostUrl }) => !nc.getServer().endsWith(new URL(hostUrl).host))!;
    await node.cut();
    await expect(
      fetch(`${node.monitorUrl}/healthz`, { signal: AbortSignal.timeout(1_000) }),
    ).rejects.toThrow();
    await node.join();
    await cluster.ready();
  });

  test("a frozen node is not healthy until it thaws", async () => {
    const [node] = cluster.nodes;
    await node!.pause();
    await expect(
      fetch(`${node!.monitorUrl}/healthz`, { signal: AbortSignal.timeout(1_000) }),
    ).rejects.toThrow();
    await node!.unpause();
    await cluster.ready();
  });
});
