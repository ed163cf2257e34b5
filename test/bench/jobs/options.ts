/** What a run of the benchmark measures, and how much of it. */
import { parseArgs } from "node:util";

export const measures = ["enqueue", "drain", "delayed", "instant", "spread", "consumers"] as const;
export type MeasureName = (typeof measures)[number];

export interface Sizes {
  rounds: number;
  /** Jobs in a round of enqueueing and of working. */
  jobs: number;
  /** Jobs due later: Punctual's, and those of a peer. */
  delayed: number;
  delayedAtPeers: number;
  /** Jobs due at one instant, or within ten seconds. */
  due: number;
  consumers: readonly number[];
  /** Jobs for all consumers together. */
  consumed: number;
}

const FULL: Sizes = {
  rounds: 3,
  jobs: 100_000,
  delayed: 1_000_000,
  delayedAtPeers: 100_000,
  due: 10_000,
  consumers: [1, 10, 100, 1_000],
  consumed: 2_000,
};

const QUICK: Sizes = {
  rounds: 1,
  jobs: 10_000,
  delayed: 20_000,
  delayedAtPeers: 20_000,
  due: 2_000,
  consumers: [1, 10, 100],
  consumed: 1_000,
};

export interface JobsOptions {
  sizes: Sizes;
  only: readonly MeasureName[];
  /** Beginnings of the names of the systems; empty: all. */
  arms: readonly string[];
  json: boolean;
}

export const usage = `npm run bench -- jobs [options]
  --quick              small sizes, one round
  --rounds <n>         rounds of each measure (default 3)
  --only <a,b>         of ${measures.join(", ")}
  --arms <a,b>         systems whose names begin so (default: all that can be had)
  --json               one JSON object on standard output instead of tables`;

/** @throws Error that names the option */
export function readOptions(args: readonly string[]): JobsOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: "boolean", default: false },
      rounds: { type: "string" },
      only: { type: "string" },
      arms: { type: "string" },
      json: { type: "boolean", default: false },
    },
  });
  const sizes = values.quick ? QUICK : FULL;
  const rounds = Number(values.rounds ?? sizes.rounds);
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new Error(`--rounds: expected a whole number from 1 on, got ${values.rounds}`);
  const only = listOf(values.only).map((name) => {
    const known = measures.find((measure) => measure === name);
    if (known === undefined)
      throw new Error(`--only: expected some of ${measures.join(", ")}, got ${JSON.stringify(name)}`);
    return known;
  });
  return {
    sizes: { ...sizes, rounds },
    only: only.length === 0 ? measures : only,
    arms: listOf(values.arms),
    json: values.json,
  };
}

const listOf = (text = ""): string[] => text.split(",").filter((item) => item !== "");
