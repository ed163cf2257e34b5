/** A nats-server process: how it is started, how one sees that it is ready, and why it is not. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, fstatSync, openSync, readFileSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { messageOf, PunctualError } from "../../core/errors.js";
import { lastLines } from "./command.js";

const POLL_MS = 10;
const PROBE_TIMEOUT_MS = 2_000;

/** How a server ended: its exit code, or the signal that killed it. */
export interface ExitStatus {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** A running server. */
export interface ServerProcess {
  pid: number;
  exited: Promise<ExitStatus>;
  /** False when it has ended already. */
  kill(signal: NodeJS.Signals): boolean;
  /** What it has logged since it was started. */
  log(): string;
}

/** What a ready server says of itself. */
export interface ServerInfo {
  port: number;
  version: string;
}

/** Starts the binary in a process group of its own, its output appended to a file. */
export async function spawnServer(binary: string, config: string, logFile: string): Promise<ServerProcess> {
  // A file and not a pipe: a server that outlives its parent must not die of writing its log.
  const log = openSync(logFile, "a");
  const start = fstatSync(log).size;
  let child: ChildProcess;
  try {
    child = spawn(binary, ["--config", config], { detached: true, stdio: ["ignore", log, log] });
    await once(child, "spawn");
  } catch (error) {
    throw new PunctualError("unavailable", `cannot start ${binary}: ${messageOf(error)}`, { cause: error });
  } finally {
    closeSync(log);
  }
  return {
    pid: child.pid!,
    exited: new Promise((resolve) => {
      child.once("exit", (code, signal) => resolve({ code, signal }));
    }),
    kill: (signal) => child.kill(signal),
    log: () => readFileSync(logFile).subarray(start).toString("utf8"),
  };
}

/** Waits until the server takes clients and has JetStream. Throws `unavailable` or `timeout` with its last words. */
export async function waitUntilReady(
  server: ServerProcess,
  portsFolder: string,
  timeoutMs: number,
): Promise<ServerInfo> {
  const stop = new AbortController();
  const patience = AbortSignal.timeout(timeoutMs);
  const ended = server.exited.then((status) => {
    throw new PunctualError(
      "unavailable",
      `nats-server ended with ${describe(status)} at its start: ${lastWords(server)}`,
    );
  });
  try {
    return await Promise.race([
      ended,
      pollReady(server, portsFolder, AbortSignal.any([stop.signal, patience])),
    ]);
  } catch (error) {
    if (!patience.aborted || error instanceof PunctualError) throw error;
    throw new PunctualError(
      "timeout",
      `nats-server was not ready after ${timeoutMs} ms: ${lastWords(server)}`,
    );
  } finally {
    stop.abort();
  }
}

/** The server tells its port in a file, not always in one piece, and its abilities to whoever connects. */
async function pollReady(
  server: ServerProcess,
  portsFolder: string,
  signal: AbortSignal,
): Promise<ServerInfo> {
  for (;;) {
    const port = await readPort(portsFolder, server.pid);
    const info = port === undefined ? undefined : await readInfo(port);
    if (port !== undefined && info !== undefined) {
      if (info.jetstream === true) return { port, version: info.version };
      throw new PunctualError("unavailable", `nats-server runs without JetStream: ${lastWords(server)}`);
    }
    await delay(POLL_MS, undefined, { signal });
  }
}

async function readPort(folder: string, pid: number): Promise<number | undefined> {
  try {
    const name = (await readdir(folder)).find((file) => file.endsWith(`_${pid}.ports`));
    if (name === undefined) return undefined;
    const ports = JSON.parse(await readFile(join(folder, name), "utf8")) as { nats?: string[] };
    const url = ports.nats?.[0];
    return url === undefined ? undefined : Number(new URL(url).port);
  } catch {
    return undefined;
  }
}

/** The INFO line a server greets every client with; `undefined` when there was none. */
async function readInfo(port: number): Promise<{ version: string; jetstream?: boolean } | undefined> {
  const socket = connect({ host: "127.0.0.1", port });
  socket.setTimeout(PROBE_TIMEOUT_MS, () => socket.destroy());
  try {
    await once(socket, "connect");
    for await (const line of createInterface({ input: socket })) {
      return JSON.parse(line.slice(line.indexOf("{"))) as { version: string; jetstream?: boolean };
    }
    return undefined;
  } catch {
    return undefined;
  } finally {
    socket.destroy();
  }
}

export function describe(status: ExitStatus): string {
  return status.signal === null ? `code ${status.code}` : status.signal;
}

/** The end of the log: what is worse than information, if there is any. */
function lastWords(server: ServerProcess): string {
  const lines = server.log().split("\n");
  const serious = lines.filter((line) => !/\[(INF|DBG|TRC)\]/.test(line)).join("\n");
  return lastLines(serious, 5) || lastLines(lines.join("\n"), 5) || "it logged nothing";
}
