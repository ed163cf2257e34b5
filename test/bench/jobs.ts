/**
 * Jobs: Punctual side by side with BullMQ, pg-boss and graphile-worker, in one run on one machine, and with JetStream
 * alone. Every system has a producer and a worker, a process each, and its own server, but for JetStream alone, which has
 * Punctual's; all share the machine.
 */
import {
  acceptDelayed,
  atOneInstant,
  type Contender,
  enqueueAndDrain,
  manyConsumers,
  spreadOut,
  type Table,
} from "./jobs/measures.js";
import { type JobsOptions, type MeasureName, readOptions, usage } from "./jobs/options.js";
import type { Program } from "./jobs/program.js";
import { type Systems, startSystems } from "./jobs/systems.js";
import { printTable } from "./jobs/table.js";

export async function runBench(args: readonly string[]): Promise<void> {
  const options = optionsOf(args);
  const systems = await startSystems(options.arms);
  const programs: Program[] = [];
  try {
    const contenders: Contender[] = [];
    for (const system of systems.all) {
      const [producer, worker] = await Promise.all([system.start(), system.start()]);
      programs.push(producer, worker);
      contenders.push({ system, producer, worker });
    }
    if (!options.json) introduce(systems, options);
    const tables = await measure(contenders, systems, options);
    if (options.json) console.log(JSON.stringify(report(systems, options, tables)));
  } finally {
    await Promise.all(programs.map((program) => program.stop()));
    await systems.stop();
  }
}

function optionsOf(args: readonly string[]): JobsOptions {
  try {
    return readOptions(args);
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${usage}`);
    process.exit(2);
  }
}

async function measure(
  contenders: readonly Contender[],
  systems: Systems,
  { sizes, only, json }: JobsOptions,
): Promise<Table[]> {
  const tables: Table[] = [];
  const tell = (...told: Table[]) => {
    const asked = told.filter(({ measure: name }) => only.includes(name));
    tables.push(...asked);
    if (!json) for (const table of asked) printTable(table);
  };
  const those = (...names: MeasureName[]) => {
    const asked = names.filter((name) => only.includes(name));
    return contenders.filter(({ system }) => asked.some((name) => system.measures.includes(name)));
  };
  if (those("enqueue", "drain").length > 0)
    tell(...(await enqueueAndDrain(those("enqueue", "drain"), sizes)));
  if (those("consumers").length > 0) tell(await manyConsumers(those("consumers"), sizes));
  if (those("instant", "spread", "delayed").length > 0) await systems.orchestrate();
  if (those("instant").length > 0) tell(await atOneInstant(those("instant"), sizes));
  if (those("spread").length > 0) tell(await spreadOut(those("spread"), sizes));
  if (those("delayed").length > 0) tell(await acceptDelayed(those("delayed"), sizes));
  return tables;
}

function introduce({ all, missing }: Systems, { sizes }: JobsOptions): void {
  for (const { name, store } of all) console.log(`${name}: ${store}`);
  for (const why of missing) console.log(`left out: ${why}`);
  const rounds = sizes.rounds === 1 ? "one round" : `${sizes.rounds} rounds, the systems in turn`;
  console.log(`${rounds}; throughput: the best, lateness: the median`);
}

function report({ all, missing }: Systems, { sizes }: JobsOptions, tables: readonly Table[]) {
  const systems = all.map(({ name, store }) => ({ name, store }));
  return { systems, missing, sizes, tables };
}
