/** Workers and producers at a leaf node without JetStream, which work a queue of the hub. */
import { connect as connectRaw } from "@nats-io/transport-node";
import { expect, onTestFinished, test } from "vitest";
import { startEmbeddedServer } from "../../src/runtime/embedded/server.js";
import { freePort, SHARED, startLeaf } from "../support/leaf.js";
import { until } from "../support/scene.js";
import { connected, Stage } from "../support/stage.js";

async function linked() {
  const port = await freePort();
  const extraConfig = `${SHARED}\nleafnodes { listen: "127.0.0.1:${port}" }`;
  const hub = await startEmbeddedServer({ extraConfig });
  onTestFinished(() => hub.stop());
  return { hub, leaf: await startLeaf(port, hub.url) };
}

test("a leaf node tells of a cluster that is none, and its jobs go to the hub and come back", async () => {
  const { hub, leaf } = await linked();
  const raw = await connectRaw({ servers: leaf });
  onTestFinished(() => raw.close());
  expect(raw.info).toMatchObject({ server_name: "shop-7", cluster: "shop-7" });
  expect(raw.info?.jetstream).toBeFalsy();
  const stage = await Stage.orchestrated(hub);
  const { namespace } = stage.names;
  const shop = await connected({ servers: leaf, namespace });
  const seen: string[] = [];
  const worker = await shop.work("mail", {}, ({ payload }) => void seen.push(String(payload)));
  onTestFinished(() => worker.stop());
  await stage.client.enqueue({ queue: "mail", payload: "from the hub" });
  await shop.client.enqueue({ queue: "mail", payload: "from the leaf node" });
  raw.publish(`${namespace}.enqueue.mail`, '"by the front door"');
  await shop.client.schedules.put("often", { every: "200ms", queue: "mail", payload: "of a schedule" });
  await until(() => {
    const expected = ["by the front door", "from the hub", "from the leaf node", "of a schedule"];
    expect([...new Set(seen)].sort()).toEqual(expected);
  });
  await stage.client.schedules.pause("often");
});

test("an orchestrator at a leaf node decides what fires", async () => {
  const { hub, leaf } = await linked();
  const stage = await Stage.open(hub);
  const shop = await connected({ servers: leaf, namespace: stage.names.namespace });
  const orchestrator = await shop.orchestrate();
  onTestFinished(() => orchestrator.stop());
  const seen = await stage.attempts("mail");
  await stage.client.schedules.put("often", { every: "200ms", queue: "mail" });
  await until(() => expect(seen.length).toBeGreaterThan(1));
});
