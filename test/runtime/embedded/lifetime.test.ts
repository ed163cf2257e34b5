/** What becomes of the server when the process that started it ends, each time seen from another process. */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { describe, expect, onTestFinished, test } from "vitest";
import { findBinary } from "../../../src/runtime/embedded/binary.js";
import { startEmbeddedServer } from "../../../src/runtime/embedded/server.js";
import { temporaryFolder } from "./fakes.js";

const binary = await findBinary({ installers: [] }).catch(() => undefined);

interface Owner {
  process: ChildProcessByStdio<Writable, Readable, null>;
  server: { url: string; pid: number; dataDir: string };
  /** The next line it prints. */
  line(): Promise<string>;
}

async function startOwner(dataDir: string, mode = ""): Promise<Owner> {
  const script = join(import.meta.dirname, "fixtures", "owner.ts");
  const args = ["--import", "tsx", script, dataDir, mode];
  const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const line = async () => String((await lines.next()).value);
  return { process: child, server: JSON.parse(await line()), line };
}

/** A connection to the server, whose end tells the end of the server. */
async function connectTo(url: string): Promise<Socket> {
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  await once(socket, "data");
  return socket.on("error", () => {});
}

describe.skipIf(binary === undefined)("the server ends", { timeout: 30_000 }, () => {
  test("when its owner exits, and a temporary folder goes with it", async () => {
    const owner = await startOwner("-");
    const socket = await connectTo(owner.server.url);
    const ended = Promise.all([once(socket, "close"), once(owner.process, "exit")]);
    owner.process.stdin.write("exit\n");
    await ended;
    expect(existsSync(owner.server.dataDir)).toBe(false);
  });

  test.each(["SIGTERM", "SIGINT", "SIGHUP"] as const)("when its owner dies of %s", async (signal) => {
    const owner = await startOwner("-");
    const socket = await connectTo(owner.server.url);
    const ended = Promise.all([once(socket, "close"), once(owner.process, "exit")]);
    owner.process.kill(signal);
    const [, exit] = await ended;
    expect(exit).toEqual([null, signal]);
    expect(existsSync(owner.server.dataDir)).toBe(false);
  });

  test("only after its owner has drained, when that one handles the signal", async () => {
    const owner = await startOwner("-", "drain");
    const socket = await connectTo(owner.server.url);
    owner.process.kill("SIGINT");
    expect(await owner.line()).toBe("draining");
    socket.write("CONNECT {}\r\nPING\r\n");
    expect(String(await once(socket, "data"))).toMatch(/\+OK|PONG/);
    const ended = Promise.all([once(socket, "close"), once(owner.process, "exit")]);
    owner.process.stdin.write("drained\n");
    const [, exit] = await ended;
    expect(exit).toEqual([0, null]);
  });

  test("at the next start on its folder, when its owner was killed and could not end it", async () => {
    const dataDir = await temporaryFolder();
    const owner = await startOwner(dataDir);
    const socket = await connectTo(owner.server.url);
    const closed = once(socket, "close");
    owner.process.kill("SIGKILL");
    await once(owner.process, "exit");
    const next = await startEmbeddedServer({ dataDir });
    onTestFinished(() => next.stop());
    await closed;
    expect(next.pid).not.toBe(owner.server.pid);
  });
});
