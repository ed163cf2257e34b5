/** Benchmarks: `npm run bench -- fire`, `-- history`, `-- jobs`, `-- time`. Each prints what it measured, on which machine, in one run. */
import { cpus, totalmem } from "node:os";

const benches: Record<string, () => Promise<{ runBench(args: readonly string[]): Promise<void> }>> = {
  fire: () => import("./fire.js"),
  history: () => import("./history.js"),
  jobs: () => import("./jobs.js"),
  time: () => import("./time.js"),
};

const name = process.argv[2] ?? "";
const bench = benches[name];
if (bench === undefined) {
  console.error(`expected one of: ${Object.keys(benches).join(", ")}; got ${JSON.stringify(name)}`);
  process.exit(2);
}
const [cpu] = cpus();
console.log(
  `machine: ${cpus().length} × ${cpu?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}`,
);
await (await bench()).runBench(process.argv.slice(3));
