/** The folder a server keeps its data in: temporary or given, and never shared by two servers. */
import { execFileSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { mkdir, mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { PunctualError } from "../../core/errors.js";
import { configPath } from "./config.js";

const POLL_MS = 20;
const LEFTOVER_GRACE_MS = 10_000;

/** Which process runs on the folder, and which one started it. */
interface Holder {
  server: number;
  owner: number;
}

export interface DataFolder {
  path: string;
  /** Removed when the server is stopped. */
  temporary: boolean;
}

/**
 * Prepares a folder. Two servers on one store destroy it, so a server found running there is ended when the
 * process that started it is gone, and refused with `conflict` when it is not.
 */
export async function openDataFolder(dataDir: string | undefined): Promise<DataFolder> {
  if (dataDir === undefined) {
    return { path: await realpath(await mkdtemp(join(tmpdir(), "punctual-"))), temporary: true };
  }
  await mkdir(dataDir, { recursive: true });
  const path = await realpath(dataDir);
  const holder = readHolder(path);
  if (holder !== undefined && runsOn(holder.server, path)) {
    if (isAlive(holder.owner)) {
      throw new PunctualError(
        "conflict",
        `data folder ${path} is in use by nats-server ${holder.server}, started by process ${holder.owner}`,
      );
    }
    await endLeftover(holder.server, path);
  }
  return { path, temporary: false };
}

/** Notes who runs on the folder. */
export function recordHolder(folder: DataFolder, server: number): void {
  const holder: Holder = { server, owner: process.pid };
  writeFileSync(holderPath(folder.path), JSON.stringify(holder));
}

/** Gives the folder up, once its server has ended. */
export async function closeDataFolder(folder: DataFolder): Promise<void> {
  const target = folder.temporary ? folder.path : holderPath(folder.path);
  await rm(target, { recursive: true, force: true, maxRetries: 5 });
}

/** The same for a process that is about to exit. */
export function removeTemporaryNow(folder: DataFolder): void {
  if (folder.temporary) rmSync(folder.path, { recursive: true, force: true, maxRetries: 5 });
}

const holderPath = (path: string): string => join(path, "holder.json");

function readHolder(path: string): Holder | undefined {
  try {
    const holder = JSON.parse(readFileSync(holderPath(path), "utf8")) as Partial<Holder> | null;
    const isHolder = Number.isInteger(holder?.server) && Number.isInteger(holder?.owner);
    return isHolder ? (holder as Holder) : undefined;
  } catch {
    return undefined;
  }
}

/** A process that has ended but was not yet collected by its parent has no command line, and does not count. */
function isAlive(pid: number): boolean {
  return commandLine(pid) !== "";
}

/** Whether a process is a server on this folder; process ids are reused, so its command line must say so. */
function runsOn(pid: number, path: string): boolean {
  return commandLine(pid).includes(configPath(path));
}

function commandLine(pid: number): string {
  try {
    if (process.platform === "linux") return readFileSync(`/proc/${pid}/cmdline`, "utf8");
    return execFileSync("ps", ["-ww", "-o", "command=", "-p", String(pid)], { encoding: "utf8" });
  } catch {
    return "";
  }
}

async function endLeftover(pid: number, path: string): Promise<void> {
  const patience = AbortSignal.timeout(LEFTOVER_GRACE_MS);
  process.kill(pid, "SIGTERM");
  process.kill(pid, "SIGCONT");
  while (runsOn(pid, path)) {
    if (patience.aborted) process.kill(pid, "SIGKILL");
    await delay(POLL_MS);
  }
}
