/**
 * What firing costs.
 *
 * 1. raw: publishing to a bare work-queue stream as fast as the pipelined publisher can, nothing else
 * 2. burst: 100,000 schedules due in the same second, from that second to the last message stored in WORK
 * 3. spread: 1,000 fires a second, one in each millisecond, from fire time to handler start in a worker process
 * 4. aligned: 1,000 schedules that all fire at every full second, measured alike
 */
import { DiscardPolicy, jetstreamManager, RetentionPolicy, StorageType } from "@nats-io/jetstream";
import { connect as connectNats, nanos } from "@nats-io/transport-node";
import { defaultPolicies } from "../../src/core/policies.js";
import { defaultRetry } from "../../src/core/retry.js";
import type { ScheduleDefinition, ScheduleSpec } from "../../src/core/schedule.js";
import { Fleet } from "../../src/demo/fleet.js";
import { openPorts } from "../../src/nats/open.js";
import { Publisher } from "../../src/nats/publisher.js";
import { namesOf } from "../../src/protocol/names.js";
import { systemClock } from "../../src/runtime/clock.js";
import { type EmbeddedServer, startEmbeddedServer } from "../../src/runtime/embedded/server.js";
import { orchestratorProgram, pause, receivingWorker } from "../support/processes.js";

const BURST = 100_000;
const SPREAD = 1_000;
const MEASURE_MS = 20_000;
const BODY = new Uint8Array(128).fill(97);

export async function runBench(): Promise<void> {
  const server = await startEmbeddedServer({});
  console.log(
    `nats-server ${server.version}, one node, file storage, default sync; all processes share this machine`,
  );
  try {
    const raw = await rawLimit(server.url);
    console.log(`raw publish limit: ${format(raw)} messages a second`);
    const burst = await burstRate(server);
    const share = percent(burst, raw);
    console.log(
      `burst: ${format(BURST)} schedules due in one second: ${format(burst)} fires a second, ${share} of the raw limit`,
    );
    const spread = (i: number): ScheduleSpec => ({ kind: "every", everyMs: 1_000, phaseMs: i % 1_000 });
    console.log(`spread: 1,000 fires a second, ${await lateness(server, "spread", spread)}`);
    const aligned = (): ScheduleSpec => ({ kind: "every", everyMs: 1_000, phaseMs: 0 });
    console.log(
      `aligned: 1,000 schedules every second on the second, ${await lateness(server, "aligned", aligned)}`,
    );
  } finally {
    await server.stop();
  }
}

/** The best of three: what the machine can do, not what it did while it was busy. */
async function rawLimit(url: string): Promise<number> {
  const connection = await connectNats({ servers: url, noAsyncTraces: true });
  const jsm = await jetstreamManager(connection);
  const names = namesOf("raw");
  await jsm.streams.add(bareStream(names.work, names.laneSubjects("work")));
  const publisher = new Publisher(connection, systemClock);
  let best = 0;
  for (let round = 0; round < 3; round++) {
    const startedAt = performance.now();
    const answers: Promise<unknown>[] = [];
    for (let i = 0; i < BURST; i++) {
      const room = publisher.ready();
      if (room !== undefined) await room;
      const id = `job-${round}-${i}`;
      answers.push(publisher.publish(names.job("raw", id), { "Nats-Msg-Id": id }, BODY));
    }
    await Promise.all(answers);
    best = Math.max(best, BURST / ((performance.now() - startedAt) / 1_000));
  }
  await jsm.streams.delete(names.work);
  await connection.close();
  return best;
}

function bareStream(name: string, subjects: string) {
  const retention = RetentionPolicy.Workqueue;
  const storage = StorageType.File;
  return {
    name,
    subjects: [subjects],
    retention,
    storage,
    discard: DiscardPolicy.New,
    duplicate_window: nanos(120_000),
  };
}

async function burstRate(server: EmbeddedServer): Promise<number> {
  const namespace = "burst";
  const connection = await connectNats({ servers: server.url, noAsyncTraces: true });
  const ports = await portsOf(connection, namespace);
  await ports.queues.ensure("default", { concurrency: 5_000 });
  const due = Math.ceil((Date.now() + 40_000) / 1_000) * 1_000;
  await putAll(ports, BURST, () => ({ kind: "at", at: due }));
  const fleet = new Fleet();
  await fleet.spawn("orchestrator", orchestratorProgram(server.url, "bench", namespace), {
    onLine: () => {},
  });
  if (Date.now() > due - 2_000) throw new Error("the schedules were not loaded in time");
  await pause(due - Date.now());
  const jsm = await jetstreamManager(connection);
  const stream = namesOf(namespace).work;
  let state = (await jsm.streams.info(stream)).state;
  while (state.messages < BURST) {
    await pause(250);
    state = (await jsm.streams.info(stream)).state;
  }
  await fleet.stop();
  await jsm.streams.purge(stream);
  await connection.close();
  return BURST / ((Date.parse(state.last_ts) - due) / 1_000);
}

async function lateness(
  server: EmbeddedServer,
  namespace: string,
  specOf: (i: number) => ScheduleSpec,
): Promise<string> {
  const connection = await connectNats({ servers: server.url, noAsyncTraces: true });
  const ports = await portsOf(connection, namespace);
  await ports.queues.ensure("default", { concurrency: 5_000 });
  await putAll(ports, SPREAD, specOf);
  const fleet = new Fleet();
  let result = "";
  const onLine = (line: string) => {
    if (line.startsWith("{")) result = line;
  };
  await fleet.spawn("worker", receivingWorker(server.url, namespace, "percentiles"), { onLine });
  await fleet.spawn("orchestrator", orchestratorProgram(server.url, "bench", namespace), {
    onLine: () => {},
  });
  await pause(MEASURE_MS + 3_000);
  await fleet.stop();
  await connection.close();
  const { count, p50, p99, max } = JSON.parse(result);
  return `${format(count)} jobs: lateness p50 ${p50} ms, p99 ${p99} ms, max ${max} ms`;
}

function portsOf(connection: Awaited<ReturnType<typeof connectNats>>, namespace: string) {
  const names = namesOf(namespace);
  return openPorts(connection, {
    names,
    clock: systemClock,
    replicas: 1,
    shards: undefined,
    version: "0.0.0",
  });
}

async function putAll(
  ports: Awaited<ReturnType<typeof portsOf>>,
  count: number,
  specOf: (i: number) => ScheduleSpec,
) {
  const TOGETHER = 1_000;
  for (let from = 0; from < count; from += TOGETHER) {
    const writes = Array.from({ length: Math.min(TOGETHER, count - from) }, (_, i) =>
      ports.schedules.write(`job-${from + i}`, definition(specOf(from + i)), 0),
    );
    for (const { kind } of await Promise.all(writes))
      if (kind !== "stored") throw new Error(`a schedule was ${kind}`);
  }
}

function definition(spec: ScheduleSpec): ScheduleDefinition {
  return {
    spec,
    job: { queue: "default", payload: "a".repeat(126), headers: {}, retry: defaultRetry, timeoutMs: 0 },
    overlap: "allow",
    misfire: "all",
    catchUpWindowMs: 86_400_000,
    delivery: "at-least-once",
    ...defaultPolicies,
    paused: false,
    deleted: false,
    effectiveFrom: Date.now(),
    firstRevision: 0,
  };
}

const format = (n: number): string => Math.round(n).toLocaleString("en-US");
const percent = (part: number, whole: number): string => `${Math.round((100 * part) / whole)} %`;
