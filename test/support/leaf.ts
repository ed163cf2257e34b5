/** A leaf node without JetStream: a nats-server process of its own that is linked to a hub. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "@nats-io/transport-node";
import { onTestFinished } from "vitest";
import { findBinary } from "../../src/runtime/embedded/binary.js";
import { until } from "./until.js";

export async function freePort(): Promise<number> {
  const listener = createServer().listen(0, "127.0.0.1");
  await once(listener, "listening");
  const address = listener.address();
  listener.close();
  await once(listener, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** Requests to JetStream go through between hub and leaf node. */
export const SHARED = 'default_js_domain: { "$G": "" }';

/** @returns its URL, when it is linked */
export async function startLeaf(hubPort: number, hubUrl: string): Promise<string> {
  const [port, folder, { path }] = await Promise.all([
    freePort(),
    mkdtemp(join(tmpdir(), "leaf-")),
    findBinary(),
  ]);
  const remotes = `leafnodes { remotes: [ { url: "nats-leaf://127.0.0.1:${hubPort}" } ] }`;
  const config = [`listen: "127.0.0.1:${port}"`, 'server_name: "shop-7"', SHARED, remotes].join("\n");
  await writeFile(join(folder, "leaf.conf"), config);
  const child = spawn(path, ["-c", join(folder, "leaf.conf")], { stdio: "ignore" });
  onTestFinished(async () => {
    child.kill("SIGKILL");
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    await rm(folder, { recursive: true });
  });
  const url = `nats://127.0.0.1:${port}`;
  await until(() => isLinked(url, hubUrl));
  return url;
}

/** Whether a request finds its way from the one to the other. */
async function isLinked(url: string, hubUrl: string): Promise<boolean> {
  const hub = await connect({ servers: hubUrl });
  const leaf = await connect({ servers: url, reconnect: false }).catch(() => null);
  try {
    hub.subscribe("linked", { callback: (_error, message) => void message.respond() });
    await hub.flush();
    return (
      leaf !== null &&
      (await leaf
        .request("linked", "", { timeout: 500 })
        .then(() => true)
        .catch(() => false))
    );
  } finally {
    await Promise.all([hub.close(), leaf?.close()]);
  }
}
