import { once } from "node:events";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { join } from "node:path";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { describe, expect, onTestFinished, test } from "vitest";
import { findBinary } from "../../../src/runtime/embedded/binary.js";
import {
  type EmbeddedServer,
  type EmbeddedServerOptions,
  startEmbeddedServer,
} from "../../../src/runtime/embedded/server.js";
import { fakeCommand, fakeServer, temporaryFolder } from "./fakes.js";

const binary = await findBinary({ installers: [] }).catch(() => undefined);

async function start(options: EmbeddedServerOptions = {}): Promise<EmbeddedServer> {
  const server = await startEmbeddedServer(options);
  onTestFinished(() => server.stop());
  return server;
}

async function connected<T>(
  server: EmbeddedServer,
  work: (connection: NatsConnection) => Promise<T>,
): Promise<T> {
  const connection = await connect({ servers: server.url });
  try {
    return await work(connection);
  } finally {
    await connection.close();
  }
}

const publish = (server: EmbeddedServer, text: string) =>
  connected(server, async (connection) => {
    const manager = await jetstreamManager(connection);
    await manager.streams.add({ name: "KEPT", subjects: ["kept"] });
    await jetstream(connection).publish("kept", text);
  });

const stored = (server: EmbeddedServer) =>
  connected(server, async (connection) => {
    const manager = await jetstreamManager(connection);
    return (await manager.streams.getMessage("KEPT", { seq: 1 }))?.string();
  });

const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe.skipIf(binary === undefined)("an embedded server", () => {
  test("starts on a free loopback port, with JetStream, and tells what it is", async () => {
    const server = await start();
    expect(server.url).toBe(`nats://127.0.0.1:${server.port}`);
    expect(server).toMatchObject({ binary: binary!.path, version: binary!.version, syncAlways: false });
    const account = await connected(server, async (connection) => {
      expect(connection.info).toMatchObject({ version: server.version, host: "127.0.0.1", jetstream: true });
      return (await jetstreamManager(connection)).getAccountInfo();
    });
    expect(account.streams).toBe(0);
  });

  test("stop ends the process and removes the temporary folder; a second stop does nothing", async () => {
    const server = await start();
    expect(existsSync(server.dataDir)).toBe(true);
    const { exited } = server;
    await Promise.all([server.stop(), server.stop()]);
    await exited;
    expect(isAlive(server.pid)).toBe(false);
    expect(existsSync(server.dataDir)).toBe(false);
    await expect(server.restart()).rejects.toMatchObject({ code: "conflict" });
  });

  test("stop leaves a given folder, and the next server finds its data", async () => {
    const dataDir = join(await temporaryFolder(), "made", "on demand");
    const first = await start({ dataDir });
    await publish(first, "over stop");
    await first.stop();
    const second = await start({ dataDir });
    expect(await stored(second)).toBe("over stop");
  });

  test("restart keeps port and data", async () => {
    const server = await start();
    const { port, pid } = server;
    await publish(server, "over restart");
    await server.restart();
    expect(server.port).toBe(port);
    expect(server.pid).not.toBe(pid);
    expect(await stored(server)).toBe("over restart");
  });

  test("a stop during a restart waits for it and leaves nothing running", async () => {
    const server = await start();
    const restarting = server.restart();
    await Promise.all([restarting, server.stop()]);
    expect(isAlive(server.pid)).toBe(false);
    expect(existsSync(server.dataDir)).toBe(false);
  });

  test("after SIGKILL it can be restarted, with its data", async () => {
    const server = await start();
    const { port } = server;
    await publish(server, "over a crash");
    expect(server.kill("SIGKILL")).toBe(true);
    expect(await server.exited).toEqual({ code: null, signal: "SIGKILL" });
    expect(server.kill("SIGKILL")).toBe(false);
    await server.restart();
    expect(server.port).toBe(port);
    expect(await stored(server)).toBe("over a crash");
  });

  test("a suspended server can be stopped", async () => {
    const server = await start();
    server.kill("SIGSTOP");
    await server.stop();
    expect(isAlive(server.pid)).toBe(false);
  });

  test("two at once have ports of their own", async () => {
    const [one, other] = await Promise.all([start(), start()]);
    expect(one.port).not.toBe(other.port);
    await publish(one, "one");
    await publish(other, "other");
    expect([await stored(one), await stored(other)]).toEqual(["one", "other"]);
  });

  test("two never share a data folder", async () => {
    const dataDir = await temporaryFolder();
    const server = await start({ dataDir });
    await expect(startEmbeddedServer({ dataDir })).rejects.toMatchObject({
      code: "conflict",
      message: expect.stringContaining(`in use by nats-server ${server.pid}`),
    });
    expect(isAlive(server.pid)).toBe(true);
  });

  test("a port in use is told with the words of the server, and nothing is left", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    onTestFinished(() => void taken.close());
    await once(taken, "listening");
    const { port } = taken.address() as AddressInfo;
    await expect(startEmbeddedServer({ port })).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringMatching(new RegExp(`ended with code 1 at its start: .*${port}.*already in use`)),
    });
  });

  test("extra configuration is used, and a mistake in it is told", async () => {
    const server = await start({ extraConfig: "max_payload: 4096" });
    await connected(server, async (connection) => expect(connection.info?.max_payload).toBe(4096));
    await expect(startEmbeddedServer({ extraConfig: "no_such_option: 1" })).rejects.toThrow(
      /unknown field "no_such_option"/,
    );
  });

  test("syncs every write where the server can, and says so where it cannot", async () => {
    const progress: string[] = [];
    const server = await start({ syncAlways: true, onProgress: (text) => progress.push(text) });
    const config = await readFile(join(server.dataDir, "nats-server.conf"), "utf8");
    expect(config.includes("sync_interval: always")).toBe(server.syncAlways);
    expect(progress.length).toBe(server.syncAlways ? 0 : 1);
  });

  test("logs to a file of one's choice", async () => {
    const logFile = join(await temporaryFolder(), "server.log");
    await start({ logFile });
    expect(await readFile(logFile, "utf8")).toContain("Server is ready");
  });
});

test("a port that is none is refused", async () => {
  await expect(startEmbeddedServer({ port: 70_000 })).rejects.toMatchObject({ code: "invalid" });
});

test("a binary that is too old is refused", async () => {
  const path = await fakeServer(await temporaryFolder(), "nats-server: v2.9.9");
  await expect(startEmbeddedServer({ binary: path })).rejects.toMatchObject({
    code: "invalid",
    message: expect.stringContaining("version 2.9.9"),
  });
});

test("a server that is never ready is given up, with its last words, and ended", async () => {
  const folder = await temporaryFolder();
  const script = `[ "$1" = --version ] && echo 'nats-server: v2.12.0' && exit 0\necho "I am $$" >&2\nexec tail -f /dev/null`;
  const stuck = await fakeCommand(folder, "nats-server", script);
  const starting = startEmbeddedServer({ binary: stuck, readyTimeoutMs: 300 });
  const error = await starting.catch((thrown: Error) => thrown);
  expect(error).toMatchObject({
    code: "timeout",
    message: expect.stringMatching(/not ready after 300 ms: I am \d+/),
  });
  expect(isAlive(Number(/I am (\d+)/.exec((error as Error).message)![1]))).toBe(false);
});
