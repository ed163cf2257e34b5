/**
 * The properties with seeds that nobody has tried: `npm run fuzz -- time [--for 5m] [--seed N]`. A failure prints
 * its seed and how to see it again; the exit status is 1.
 */
import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import { parseDuration } from "../../src/protocol/duration.js";

const suites: Record<string, () => Promise<{ fuzz(options: FuzzOptions): boolean }>> = {
  time: () => import("./time.js"),
};

export interface FuzzOptions {
  seed: number;
  /** Rounds go on until then, by `performance.now()`; one is always run. */
  untilMs: number;
}

function refuse(message: string): never {
  console.error(message);
  process.exit(2);
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { for: { type: "string" }, seed: { type: "string" } },
});
const suite = suites[positionals[0] ?? ""];
if (suite === undefined)
  refuse(`expected one of: ${Object.keys(suites).join(", ")}; got ${JSON.stringify(positionals[0] ?? "")}`);
// With a seed alone, one round: that is how a failure is seen again.
const forMs = parseDuration(values.for ?? (values.seed === undefined ? "1m" : "0s"));
if (forMs === null) refuse(`--for: expected a duration such as 5m, got ${JSON.stringify(values.for)}`);
if (values.seed !== undefined && !/^-?\d{1,10}$/.test(values.seed))
  refuse(`--seed: expected a whole number, got ${JSON.stringify(values.seed)}`);
const seed = values.seed === undefined ? randomInt(2 ** 31) : Number(values.seed);
const ok = (await suite()).fuzz({ seed, untilMs: performance.now() + forMs });
process.exit(ok ? 0 : 1);
