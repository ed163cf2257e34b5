/** The systems that are compared: what each is, where it keeps its jobs, and how durably. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type HistoryLevel, historyLevels } from "../../../src/core/queue.js";
import { Fleet } from "../../../src/demo/fleet.js";
import { type EmbeddedServer, startEmbeddedServer } from "../../../src/runtime/embedded/server.js";
import { version } from "../../../src/version.js";
import { orchestratorProgram } from "../../support/processes.js";
import type { MeasureName } from "./options.js";
import { Program } from "./program.js";
import { type PeerServer, startPostgres, startRedis } from "./servers.js";

/** `floor`: what the server and the machine can do, with no job system. */
export type Role = "Punctual" | "peer" | "floor";

export interface System {
  readonly name: string;
  /** Its store, and what an acknowledged job survives. */
  readonly store: string;
  readonly role: Role;
  /** What it is measured in. */
  readonly measures: readonly MeasureName[];
  /** Starts one of its programs. */
  start(): Promise<Program>;
  /** The processes that hold its jobs, to tell their memory. */
  holders(): Record<string, number>;
}

export interface Systems {
  readonly all: readonly System[];
  /** Starts Punctual's orchestrator, which only jobs for later need. */
  orchestrate(): Promise<void>;
  /** Why a system is missing. */
  readonly missing: readonly string[];
  stop(): Promise<void>;
}

const EVERYTHING: readonly MeasureName[] = ["enqueue", "drain", "delayed", "instant", "spread", "consumers"];
const NAMESPACE = "bench";
const FLOOR = "JetStream alone";
const peersFolder = fileURLToPath(new URL("../peers/", import.meta.url));

/** @param wanted beginnings of names; empty: all */
export async function startSystems(wanted: readonly string[]): Promise<Systems> {
  const missing: string[] = [];
  const isWanted = (name: string) =>
    wanted.length === 0 || wanted.some((start) => name.toLowerCase().startsWith(start.toLowerCase()));
  const nats = await startEmbeddedServer({});
  const servers: PeerServer[] = [];
  const all: System[] = [];
  const fleet = new Fleet();
  const holders: Record<string, number> = { "nats-server": nats.pid };
  const orchestrate = async () => {
    if (!all.some(({ role }) => role === "Punctual")) return;
    const program = orchestratorProgram(nats.url, "bench", NAMESPACE);
    const { pid } = await fleet.spawn("orchestrator", program, { onLine: () => {} });
    holders.orchestrator = pid;
  };
  const stop = async () => {
    await fleet.stop();
    await Promise.all(servers.map((server) => server.stop()));
    await nats.stop();
  };
  try {
    if (isWanted("Punctual"))
      all.push(...historyLevels.map((level) => punctualOn(nats, level, () => holders)));
    if (isWanted(FLOOR)) all.push(jetstreamOn(nats));
    const names = ["BullMQ", "pg-boss", "graphile-worker", "tracker"].filter(isWanted);
    if (names.length > 0 && !installPeers()) missing.push(`${names.join(", ")}: cannot be installed`);
    else {
      if (names.includes("BullMQ")) {
        const redis = await startRedis();
        if (redis === null) missing.push("BullMQ: there is no redis-server here");
        else all.push(bullmqOn(redis));
        if (redis !== null) servers.push(redis);
      }
      const onPostgres = names.filter((name) => name !== "BullMQ");
      const postgres = onPostgres.length > 0 ? await startPostgres() : null;
      if (postgres !== null) {
        servers.push(postgres);
        all.push(...onPostgres.map((name) => postgresSystem(name, postgres)));
      } else if (onPostgres.length > 0)
        missing.push(`${onPostgres.join(", ")}: there is no PostgreSQL here, or no user to run it`);
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return { all, missing, orchestrate, stop };
}

/** What is told of each run is a large part of what a run costs. */
const OF_LEVEL: Readonly<Record<HistoryLevel, readonly MeasureName[]>> = {
  off: ["enqueue", "drain", "consumers", "instant", "spread"],
  outcome: ["drain"],
  full: EVERYTHING,
};

const storeOf = ({ version: server }: EmbeddedServer): string =>
  `nats-server ${server}, one node, file storage, default sync: survives kill -9, not a power failure`;

function punctualOn(nats: EmbeddedServer, history: HistoryLevel, holders: System["holders"]): System {
  return {
    name: `Punctual ${version}, history ${history}`,
    store: storeOf(nats),
    role: "Punctual",
    measures: OF_LEVEL[history],
    start: () => Program.start("./punctual.ts", [nats.url, NAMESPACE, history]),
    holders,
  };
}

function jetstreamOn(nats: EmbeddedServer): System {
  return {
    name: FLOOR,
    store: `${storeOf(nats)}; no history, no retries, no timers: the producer itself waits until jobs are due`,
    role: "floor",
    measures: ["enqueue", "drain", "instant", "spread"],
    start: () => Program.start("./jetstream.ts", [nats.url]),
    holders: () => ({ "nats-server": nats.pid }),
  };
}

function bullmqOn({ url, version: server, pid }: PeerServer): System {
  return {
    name: `BullMQ ${versionOf("bullmq")}`,
    store: `${server}, AOF everysec: survives kill -9, a power failure but for the last second`,
    role: "peer",
    measures: EVERYTHING.filter((measure) => measure !== "consumers"),
    start: () => Program.start("../peers/bullmq.ts", [url]),
    holders: () => ({ "redis-server": pid }),
  };
}

function postgresSystem(name: string, { url, version: server }: PeerServer): System {
  const isTracker = name === "tracker";
  return {
    name: isTracker ? "tracker table, locked row" : `${name} ${versionOf(name)}`,
    store: `${server}, fsync at every commit: survives a power failure`,
    role: "peer",
    measures: isTracker ? ["consumers"] : EVERYTHING,
    start: () => Program.start(`../peers/${name}.ts`, [url]),
    holders: () => ({}),
  };
}

function versionOf(name: string): string {
  return JSON.parse(readFileSync(`${peersFolder}node_modules/${name}/package.json`, "utf8")).version;
}

/** They have a package and a lock file of their own: whoever installs Punctual gets none of them. */
function installPeers(): boolean {
  if (existsSync(`${peersFolder}node_modules/.package-lock.json`)) return true;
  console.error("installing the peers (test/bench/peers) …");
  try {
    execFileSync("npm", ["ci", "--omit=dev"], { cwd: peersFolder, stdio: ["ignore", "ignore", "inherit"] });
    return true;
  } catch {
    return false;
  }
}
