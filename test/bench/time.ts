/**
 * Fire times: how many a second, side by side with cron-parser and croner, and what a million schedules and the
 * worst lines cost. One process, one core.
 */
import { CronExpressionParser } from "cron-parser";
import { Cron } from "croner";
import { compileSpec } from "../../src/core/time/fire-times.js";

const START = Date.parse("2026-01-01T00:00:00Z");
const END = Date.parse("2031-01-01T00:00:00Z");
const MEASURE_MS = 1_000;

/** The fire time after an instant. */
type Next = (after: number) => number;

const engines: Record<string, (line: string, timeZone: string) => Next> = {
  punctual: (expression, timeZone) => {
    const times = compileSpec({ kind: "cron", expression, timeZone }, "");
    return (after) => times.next(after) as number;
  },
  // Parsed once; it goes on from where it is, which is the fastest it can do.
  "cron-parser": (line, tz) => {
    const parsed = CronExpressionParser.parse(line, { tz, currentDate: new Date(START) });
    return (after) => {
      if (after === START) parsed.reset(new Date(START));
      return parsed.next().getTime();
    };
  },
  croner: (line, timezone) => {
    const cron = new Cron(line, { timezone, paused: true });
    return (after) => (cron.nextRun(new Date(after)) as Date).getTime();
  },
};

/** Fire times a second, one after the other through five years and again. */
function perSecond(next: Next): number {
  const run = (ms: number): number => {
    const until = performance.now() + ms;
    let count = 0;
    let at = START;
    for (; count % 64 !== 0 || performance.now() < until; count++) {
      at = next(at);
      if (at > END) at = START;
    }
    return count / (ms / 1000);
  };
  run(MEASURE_MS / 4); // warms up
  return run(MEASURE_MS);
}

function compare(): void {
  const cases: [name: string, line: string, zone: string][] = [
    ["daily, Europe/Berlin", "30 2 * * *", "Europe/Berlin"],
    ["five minutes, Europe/Berlin", "*/5 * * * *", "Europe/Berlin"],
    ["weekdays, America/New_York", "0 9 * * 1-5", "America/New_York"],
    ["daily, UTC", "30 2 * * *", "UTC"],
    ["five minutes, UTC", "*/5 * * * *", "UTC"],
  ];
  console.log(`next fire times a second, on one core${" ".repeat(11)}${Object.keys(engines).join("  ")}`);
  for (const [name, line, zone] of cases) {
    const rates = Object.values(engines).map((engine) => rounded(perSecond(engine(line, zone))));
    console.log(`  ${`${name}: ${line}`.padEnd(46)}${rates.join("  ")}`);
  }
}

/** A million schedules of a thousand lines: compiled, and asked for their first fire time. */
function plan(name: string, lines: readonly string[]): void {
  const zones = ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "UTC"];
  const began = performance.now();
  let found = 0;
  for (let i = 0; i < 1_000_000; i++) {
    const expression = lines[i % lines.length] as string;
    const timeZone = zones[i % zones.length] as string;
    const times = compileSpec({ kind: "cron", expression, timeZone }, `schedule-${i}`);
    if (times.next(START) !== null) found++;
  }
  if (found !== 1_000_000) throw new Error(`${found} of 1,000,000 have a fire time`);
  console.log(`a million schedules, ${name}: ${((performance.now() - began) / 1000).toFixed(2)} s`);
}

/** The first answer of a line in zones that nobody has asked about before: the median. */
function worst(line: string, zones: readonly string[], after: string, gap?: "skip"): void {
  const dst = gap === undefined ? undefined : { gap };
  const answers = zones.map((timeZone) => {
    const began = performance.now();
    const at = compileSpec({ kind: "cron", expression: line, timeZone, dst }, "").next(Date.parse(after));
    return { at, tookMs: performance.now() - began };
  });
  const { at, tookMs } = middle(answers, (answer) => answer.tookMs);
  const answer = at === null ? "never" : new Date(at).toISOString().slice(0, 10);
  console.log(`  ${`${line} after ${after}: ${answer}`.padEnd(50)}${tookMs.toFixed(2)} ms`);
}

/** Never, as all is excluded: with an empty table, and with a full one. */
function allExcluded(line: string, excluded: string, timeZones: readonly string[]): void {
  const after = Date.parse("2026-01-01");
  const took = timeZones.map((timeZone) => {
    const cron = (expression: string) => ({ kind: "cron", expression, timeZone }) as const;
    const parts = { include: [cron(line)], exclude: [cron(excluded)], spreadMs: 0, jitterMs: 0 };
    const times = compileSpec({ kind: "composite", ...parts }, "");
    return [0, 1].map(() => {
      const began = performance.now();
      if (times.next(after) !== null) throw new Error(`${line} without ${excluded} fires`);
      return performance.now() - began;
    }) as [number, number];
  });
  const [empty] = middle(took, ([first]) => first);
  const [, full] = middle(took, ([, second]) => second);
  console.log(`  ${`${line} without ${excluded}`.padEnd(50)}${empty.toFixed(2)} ms, ${full.toFixed(2)} ms`);
}

/** The median of them, by a number. */
const middle = <T>(items: readonly T[], by: (item: T) => number): T =>
  [...items].sort((a, b) => by(a) - by(b))[items.length >> 1] as T;

const rounded = (value: number): string => Math.round(value).toLocaleString("en-US").padStart(11);

export async function runBench(): Promise<void> {
  console.log("the first answer in a zone, with an empty table");
  worst("0 12 * * *", ["Asia/Seoul", "America/Lima", "Africa/Lagos"], "2026-01-01");
  worst("0 0 29 2 *", ["America/Bogota", "America/Sao_Paulo", "America/Denver"], "2096-03-01");
  // Never: each of its times is one that the zone skips.
  worst("30 2 ? 3 7L", ["Europe/Rome", "Europe/Vienna", "Europe/Madrid"], "2026-01-01", "skip");
  console.log("never, as all is excluded: with an empty table, with a full one");
  allExcluded("* * * * *", "* * * * *", ["Europe/Paris", "America/Chicago", "Asia/Beirut"]);
  allExcluded("0 9 * * 1-5", "* * * * 1-5", ["Europe/Oslo", "America/Toronto", "Africa/Cairo"]);
  const minutes = Array.from({ length: 1_000 }, (_, i) => `${i % 60} ${(i / 60) | 0} * * ${i % 7}`);
  plan("of 1,000 lines", minutes);
  plan("each at its own hashed time (H H * * *)", ["H H * * *"]);
  compare();
}
