/**
 * What history costs, and what asking for it takes.
 *
 * 1. no-op jobs through queues that keep full, outcome and no history, in turn
 * 2. lists of runs with a million events in RUNS: of a queue that keeps full history, and of one that keeps outcomes
 */
import { connect as connectNats } from "@nats-io/transport-node";
import { historyLevels } from "../../src/core/queue.js";
import { connect, type Punctual } from "../../src/index.js";
import { Publisher } from "../../src/nats/publisher.js";
import { type Names, namesOf } from "../../src/protocol/names.js";
import { systemClock } from "../../src/runtime/clock.js";
import { startEmbeddedServer } from "../../src/runtime/embedded/server.js";
import { type Contender, enqueueAndDrain } from "./jobs/measures.js";
import { readOptions } from "./jobs/options.js";
import { startSystems } from "./jobs/systems.js";

const EVENTS = 1_000_000;
/** Events of a run. */
const PER_RUN = { full: 3, outcome: 1 };
const ASKED = 9;
const PAGE = 50;

export async function runBench(args: readonly string[]): Promise<void> {
  await levels(args);
  await lists("full");
  await lists("outcome");
}

async function levels(args: readonly string[]): Promise<void> {
  const { sizes } = readOptions(args);
  const systems = await startSystems(["Punctual"]);
  const contenders: Contender[] = [];
  try {
    for (const system of systems.all) {
      const [producer, worker] = await Promise.all([system.start(), system.start()]);
      contenders.push({ system, producer, worker });
    }
    const [, drained] = await enqueueAndDrain(contenders, sizes);
    const rates = historyLevels.map((level) => {
      const figure = drained?.figures.find(({ system }) => system.endsWith(level));
      return [level, figure?.values[0] ?? 0] as const;
    });
    const off = rates.find(([level]) => level === "off")?.[1] ?? 0;
    console.log(`\n${format(sizes.jobs)} no-op jobs done, the best of ${sizes.rounds}, jobs a second`);
    for (const [level, rate] of rates)
      console.log(
        `  history ${level.padEnd(8)} ${format(rate).padStart(8)}  ${Math.round((100 * rate) / off)} % of off`,
      );
  } finally {
    await Promise.all(contenders.flatMap(({ producer, worker }) => [producer.stop(), worker.stop()]));
    await systems.stop();
  }
}

async function lists(level: keyof typeof PER_RUN): Promise<void> {
  const server = await startEmbeddedServer({});
  const names = namesOf("lists");
  const punctual = await connect({ servers: server.url, namespace: names.namespace });
  try {
    await fill(server.url, names, level);
    const before = process.memoryUsage().heapUsed;
    const orchestrator = await punctual.orchestrate();
    console.log(
      `\nlists of runs, ${format(EVENTS)} events in RUNS, ${format(EVENTS / PER_RUN[level])} runs, history ${level}: ms until ${PAGE} runs are there, the median of ${ASKED}`,
    );
    console.log(`  the first question, cold             ${await timed(punctual, {}, 1)}`);
    console.log(`  the first page                       ${await timed(punctual, {})}`);
    if (level === "outcome") return await orchestrator.stop();
    console.log(`  of a queue that has one in a hundred ${await timed(punctual, { queue: "rare" })}`);
    console.log(
      `  of a queue that has none, all looked through, once ${await timed(punctual, { queue: "none" }, 1)}`,
    );
    const startedAt = performance.now();
    let count = 0;
    for await (const _ of punctual.client.runs.list({}, { pageSize: 1_000 })) count++;
    console.log(`  all ${format(count)} runs, page after page  ${format(performance.now() - startedAt)}`);
    const usedMiB = (process.memoryUsage().heapUsed - before) / 2 ** 20;
    console.log(`  memory of it all, orchestrator and all: ${Math.round(usedMiB)} MiB`);
    await orchestrator.stop();
  } finally {
    await punctual.close();
    await server.stop();
  }
}

/** As runs leave it there: queued, told to be done, acknowledged. */
async function fill(url: string, names: Names, level: keyof typeof PER_RUN): Promise<void> {
  const connection = await connectNats({ servers: url, noAsyncTraces: true });
  const publisher = new Publisher(connection, systemClock);
  const send = (subject: string, headers: Record<string, string>, data?: unknown) =>
    publisher.publish(subject, headers, Buffer.from(data === undefined ? "" : JSON.stringify(data)));
  let last: Promise<unknown> = Promise.resolve();
  for (let seq = 1; seq <= EVENTS / PER_RUN[level]; seq++) {
    const [id, queue] = [`job-${seq}`, seq % 100 === 0 ? "rare" : "mail"];
    const job = { "Punctual-Run-Id": id, "Nats-Sequence": String(seq) };
    if (level === "full") void send(names.queued(names.job(queue, id)), job);
    const told = { "Nats-Msg-Id": `${id}/succeeded/${seq}` };
    const done = { attempt: 1, durationMs: 1.5, queue, worker: "worker-1" };
    last = send(names.runEvent(id, "succeeded"), told, done);
    const room = publisher.ready();
    if (room !== undefined) await room;
    if (level === "outcome") continue;
    last = send(
      `$JS.EVENT.METRIC.CONSUMER.ACK.${names.work}.work-${queue}`,
      {},
      {
        ...{ stream_seq: seq, deliveries: 1, ack_time: 1_500_000, timestamp: new Date().toISOString() },
      },
    );
  }
  await last;
  await connection.close();
}

async function timed(punctual: Punctual, filter: { queue?: string }, times = ASKED): Promise<string> {
  const took: number[] = [];
  for (let i = 0; i < times; i++) {
    const startedAt = performance.now();
    let left = PAGE;
    for await (const _ of punctual.client.runs.list(filter, { pageSize: PAGE })) if (--left === 0) break;
    took.push(performance.now() - startedAt);
  }
  return (took.sort((a, b) => a - b)[Math.floor(times / 2)] as number).toFixed(0);
}

const format = (n: number): string => Math.round(n).toLocaleString("en-US");
