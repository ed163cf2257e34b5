/**
 * The main job, seen at once: a real server, three orchestrators and two workers as processes of their own, a real
 * crontab, and an orchestrator killed half-way. Ends with a verdict that shares no code with the scheduler.
 */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { type CrontabJob, parseCrontab } from "../cli/crontab/parse.js";
import { planImport } from "../cli/crontab/plan.js";
import { connect, type Punctual } from "../connect.js";
import { startEmbeddedServer } from "../runtime/embedded/server.js";
import { Audit, type Receipt } from "./audit.js";
import { Fleet, type FleetProcess } from "./fleet.js";
import { type DemoOutput, jsonOutput, type Summary, textOutput } from "./output.js";
import { ShardWatch } from "./takeover.js";

export interface DemoOptions {
  /** How long schedules fire before the verdict. At least 5 s. */
  forMs: number;
  /** Only the summary, as one line of JSON. */
  json: boolean;
}

const ORCHESTRATORS = ["orchestrator-1", "orchestrator-2", "orchestrator-3"];
const WORKERS = ["worker-1", "worker-2"];
const CRONTAB = new URL("../../deploy/examples/crontab", import.meta.url);
/** For what was due at the very end to arrive. */
const GRACE_MS = 10_000;

/** @returns the exit status: 1 when anything was missed or doubled */
export async function runDemo(options: DemoOptions): Promise<number> {
  const output = options.json ? jsonOutput() : textOutput();
  const server = await startEmbeddedServer({ onProgress: (text) => output.say(text) });
  const fleet = new Fleet();
  let punctual: Punctual | undefined;
  try {
    output.say(`nats-server ${server.version} at ${server.url}`);
    punctual = await connect({ servers: server.url, name: "demo" });
    const { summary, examples } = await play(punctual, fleet, server.url, options.forMs, output);
    await fleet.stop();
    output.end(summary, examples);
    return summary.missed === 0 && summary.doubled === 0 ? 0 : 1;
  } finally {
    fleet.killAll();
    await punctual?.close();
    await server.stop();
  }
}

async function play(
  punctual: Punctual,
  fleet: Fleet,
  url: string,
  forMs: number,
  output: DemoOutput,
): Promise<{ summary: Summary; examples: string[] }> {
  const audit = new Audit();
  const orchestrators = await startAll(fleet, ORCHESTRATORS, (name) => [
    script("orchestrator-process"),
    url,
    name,
  ]);
  await startAll(
    fleet,
    WORKERS,
    () => [script("worker-process"), url],
    (name, line) => {
      if (!line.startsWith("{")) return;
      const receipt = JSON.parse(line) as Receipt;
      audit.receive(receipt);
      output.fired(name, receipt);
    },
  );
  output.say(`${ORCHESTRATORS.length} orchestrators and ${WORKERS.length} workers are up`);
  await importCrontab(punctual, audit, output);
  const shards = await ShardWatch.over(punctual);
  await pause(forMs / 2);
  const takeoverMs = await killBusiest(punctual, shards, orchestrators, output);
  await pause(Math.max(0, forMs / 2 - takeoverMs));
  const until = Date.now();
  await settled(audit, until);
  const { examples, ...verdict } = audit.verdict(until);
  return { summary: { ...verdict, takeoverMs: Math.round(takeoverMs) }, examples };
}

function startAll(
  fleet: Fleet,
  names: readonly string[],
  argsOf: (name: string) => string[],
  onLine: (name: string, line: string) => void = () => {},
): Promise<FleetProcess[]> {
  return Promise.all(
    names.map((name) => fleet.spawn(name, argsOf(name), { onLine: (line) => onLine(name, line) })),
  );
}

async function importCrontab(punctual: Punctual, audit: Audit, output: DemoOutput): Promise<void> {
  const path = fileURLToPath(CRONTAB);
  const jobs = parseCrontab(await readFile(path, "utf8"), {}, path);
  for (const job of jobs) {
    const { schedule } = planImport(job, null);
    await punctual.client.schedules.put(job.id, schedule);
    audit.add(auditedOf(job.id, schedule));
  }
  output.say(`${jobs.length} schedules imported from deploy/examples/crontab`);
}

function auditedOf(id: string, { cron, timeZone }: CrontabJob["schedule"]) {
  const [expression = ""] = [cron].flat();
  return { id, cron: { expression, timeZone: timeZone ?? "UTC" }, from: Date.now() };
}

async function killBusiest(
  punctual: Punctual,
  shards: ShardWatch,
  orchestrators: readonly FleetProcess[],
  output: DemoOutput,
): Promise<number> {
  const [holder, count] = [...shards.counts()].sort(([, a], [, b]) => b - a)[0] as [string, number];
  const member = (await punctual.members()).find(({ id }) => id === holder);
  const victim = orchestrators.find(({ pid }) => pid === member?.pid) as FleetProcess;
  const takeover = shards.takeoverFrom(holder);
  victim.kill("SIGKILL");
  output.say(`kill -9 ${victim.pid}: ${victim.name}, holder of ${count} shards`);
  const takeoverMs = await takeover;
  output.say(`the others have taken over its shards after ${Math.round(takeoverMs)} ms`);
  return takeoverMs;
}

/** Waits for what was due up to `until`, but not for ever. */
async function settled(audit: Audit, until: number): Promise<void> {
  while (audit.missing(until).length > 0 && Date.now() < until + GRACE_MS) await pause(100);
  await pause(500);
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const script = (name: string): string => fileURLToPath(new URL(`./${name}.js`, import.meta.url));
