/**
 * Chaos: `npm run chaos -- --rounds 30`.
 *
 * Three orchestrators fire 60 schedules a second. In each round the one that holds the most shards is killed with
 * -9 at a fire instant, or in every third round stopped for longer than its lease and then let go on. The
 * independent check of the demo judges all slots of all rounds. Exit status 1 if anything was missed or doubled.
 */
import { parseArgs } from "node:util";
import { connect, type Punctual } from "../../src/connect.js";
import { Audit, type Receipt } from "../../src/demo/audit.js";
import { Fleet, type FleetProcess } from "../../src/demo/fleet.js";
import { ShardWatch } from "../../src/demo/takeover.js";
import { startEmbeddedServer } from "../../src/runtime/embedded/server.js";
import { orchestratorProgram, pause, receivingWorker } from "../support/processes.js";

const { values } = parseArgs({ options: { rounds: { type: "string", default: "30" } } });
const rounds = Number(values.rounds);
if (!Number.isInteger(rounds) || rounds < 1)
  throw new Error(`--rounds: expected a whole number, got ${values.rounds}`);

const LEASE_MS = 3_000;
const SCHEDULES = 60;

const server = await startEmbeddedServer({});
const fleet = new Fleet();
const audit = new Audit();
const takeovers: number[] = [];
let started = 0;

try {
  process.exitCode = await run();
} finally {
  fleet.killAll();
  await server.stop();
}

async function run(): Promise<number> {
  const punctual = await connect({ servers: server.url, name: "chaos" });
  const orchestrators = await Promise.all([1, 2, 3].map(() => startOrchestrator()));
  const onLine = (line: string) => {
    if (line.startsWith("{")) audit.receive(JSON.parse(line) as Receipt);
  };
  await Promise.all([1, 2].map((n) => fleet.spawn(`worker-${n}`, receivingWorker(server.url), { onLine })));
  await putSchedules(punctual);
  const shards = await ShardWatch.over(punctual);
  await pause(2_000);
  for (let round = 1; round <= rounds; round++) await play(round, punctual, shards, orchestrators);
  const until = Date.now();
  for (let waited = 0; waited < 15_000 && audit.missing(until).length > 0; waited += 100) await pause(100);
  await pause(1_000);
  await fleet.stop();
  await punctual.close();
  const { examples, ...verdict } = audit.verdict(until);
  for (const example of examples) console.log(example);
  console.log(JSON.stringify({ rounds, ...verdict, takeoverMs: Math.max(0, ...takeovers) }));
  return verdict.missed === 0 && verdict.doubled === 0 ? 0 : 1;
}

function startOrchestrator(): Promise<FleetProcess> {
  const name = `orchestrator-${++started}`;
  return fleet.spawn(name, orchestratorProgram(server.url, name), { onLine: () => {} });
}

async function putSchedules(punctual: Punctual): Promise<void> {
  for (let i = 0; i < SCHEDULES; i++) {
    const id = `every-${i}`;
    // Half of them at the full second, half spread over it.
    const phase = i % 2 === 0 ? 0 : Math.floor((i * 1_000) / SCHEDULES);
    await punctual.client.schedules.put(id, { every: 1_000, phase, overlap: "allow" });
    audit.add({ id, everyMs: 1_000, phaseMs: phase, from: Date.now() });
  }
}

async function play(
  round: number,
  punctual: Punctual,
  shards: ShardWatch,
  orchestrators: FleetProcess[],
): Promise<void> {
  const [holder, count] = [...shards.counts()].sort(([, a], [, b]) => b - a)[0] as [string, number];
  const member = (await punctual.members()).find(({ id }) => id === holder);
  const index = orchestrators.findIndex(({ pid }) => pid === member?.pid);
  const victim = orchestrators[index] as FleetProcess;
  await pause(1_000 - (Date.now() % 1_000) + Math.floor(Math.random() * 8) - 3);
  const takeover = shards.takeoverFrom(holder);
  const stops = round % 3 === 0;
  victim.kill(stops ? "SIGSTOP" : "SIGKILL");
  const ms = Math.round(await takeover);
  if (stops) {
    await pause(LEASE_MS);
    victim.kill("SIGCONT");
  } else {
    takeovers.push(ms);
    orchestrators[index] = await startOrchestrator();
  }
  console.log(
    `round ${round}: ${stops ? "SIGSTOP" : "SIGKILL"} ${victim.name} (${count} shards), taken over in ${ms} ms`,
  );
  await pause(2_000);
}
