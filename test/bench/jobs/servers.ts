/** The servers of the peers: started on free ports with temporary data, ended by their pid. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { chown, mkdtemp, rm } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { pause } from "./serve.js";

export interface PeerServer {
  readonly url: string;
  readonly version: string;
  readonly pid: number;
  stop(): Promise<void>;
}

const READY_WITHIN_MS = 30_000;
const HOST = "127.0.0.1";

/** Null when there is no redis-server here. */
export async function startRedis(): Promise<PeerServer | null> {
  const binary = find("redis-server", []);
  if (binary === null) return null;
  const dir = await mkdtemp(join(tmpdir(), "punctual-bench-redis-"));
  const port = await freePort();
  const options = { port, bind: HOST, dir, appendonly: "yes", appendfsync: "everysec", save: "" };
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const version = /v=(\S+)/.exec(execFileSync(binary, ["--version"]).toString())?.[1] ?? "";
  return start({ binary, args, dir, port, url: `redis://${HOST}:${port}`, version: `Redis ${version}` });
}

/** Null when there is no PostgreSQL here, or nobody but root to run it. */
export async function startPostgres(): Promise<PeerServer | null> {
  const folders = postgresFolders();
  const binary = find("postgres", folders);
  const initdb = find("initdb", folders);
  if (binary === null || initdb === null) return null;
  const owner = ownerOfPostgres();
  if (owner === null) return null;
  const dir = await mkdtemp(join(tmpdir(), "punctual-bench-postgres-"));
  if (owner !== "ourselves") await chown(dir, owner.uid, owner.gid);
  execFileSync(initdb, ["-D", dir, "-U", "postgres", "--auth=trust", "-E", "UTF8"], {
    ...(owner !== "ourselves" && owner),
    cwd: dir,
    stdio: "ignore",
  });
  const port = await freePort();
  const settings = {
    port,
    listen_addresses: HOST,
    unix_socket_directories: dir,
    max_connections: 1_200,
    shared_buffers: "1GB",
    max_wal_size: "4GB",
    fsync: "on",
    synchronous_commit: "on",
  };
  const args = [
    "-D",
    dir,
    ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
  ];
  const version = /([\d.]+)/.exec(execFileSync(binary, ["--version"]).toString())?.[1] ?? "";
  const url = `postgres://postgres@${HOST}:${port}/postgres`;
  return start({ binary, args, dir, port, url, version: `PostgreSQL ${version}`, owner });
}

type Owner = "ourselves" | { uid: number; gid: number };

interface Launch {
  binary: string;
  args: readonly string[];
  dir: string;
  port: number;
  url: string;
  version: string;
  owner?: Owner;
}

async function start({
  binary,
  args,
  dir,
  port,
  url,
  version,
  owner = "ourselves",
}: Launch): Promise<PeerServer> {
  const child = spawn(binary, args, { ...(owner !== "ourselves" && owner), cwd: dir, stdio: "ignore" });
  const killed = () => child.kill("SIGKILL");
  process.once("exit", killed);
  const stop = async () => {
    process.off("exit", killed);
    await end(child);
    await rm(dir, { recursive: true, force: true });
  };
  try {
    await untilReady(child, port);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, version, pid: child.pid as number, stop };
}

/** SIGINT is PostgreSQL's fast end, and Redis takes it as well. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGINT");
  const timer = setTimeout(() => child.kill("SIGKILL"), 10_000);
  await ended;
  clearTimeout(timer);
}

async function untilReady(child: ChildProcess, port: number): Promise<void> {
  const until = performance.now() + READY_WITHIN_MS;
  while (!(await answers(port))) {
    if (child.exitCode !== null) throw new Error(`${child.spawnfile} ended at once (${child.exitCode})`);
    if (performance.now() > until) throw new Error(`${child.spawnfile} was not ready in time`);
    await pause(50);
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, HOST);
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, HOST, () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

/** Debian keeps PostgreSQL's programs out of the path. */
function postgresFolders(): string[] {
  const root = "/usr/lib/postgresql";
  if (!existsSync(root)) return [];
  return readdirSync(root)
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => join(root, version, "bin"));
}

function find(name: string, folders: readonly string[]): string | null {
  const path = (process.env.PATH ?? "").split(delimiter);
  return [...folders, ...path].map((folder) => join(folder, name)).find((file) => existsSync(file)) ?? null;
}

/** PostgreSQL does not run as root: then it is the user that its package made. */
function ownerOfPostgres(): Owner | null {
  if (process.getuid?.() !== 0) return "ourselves";
  try {
    const idOf = (flag: string) => Number(execFileSync("id", [flag, "postgres"]).toString());
    return { uid: idOf("-u"), gid: idOf("-g") };
  } catch {
    return null;
  }
}
