/** Fire times against the rule, croner and cron-parser. */
import fc from "fast-check";
import { agreementIn, everyZone, type TimeProperty, timeProperties } from "../core/time/oracle/properties.js";
import type { FuzzOptions } from "./main.js";

/** Round after round, each with the next seed; false at the first failure. */
export function fuzz({ seed, untilMs }: FuzzOptions): boolean {
  let runs = 0;
  let rounds = 0;
  do {
    const roundSeed = seed + rounds;
    console.log(`round ${rounds + 1}, seed ${roundSeed}`);
    for (const property of [...timeProperties, zoneOf(roundSeed)]) {
      if (!holds(property, roundSeed)) return false;
      runs += property.runs;
    }
    rounds++;
  } while (performance.now() < untilMs);
  console.log(`${runs.toLocaleString("en-US")} cases in ${rounds} rounds, none failed`);
  return true;
}

/** One zone in each round, for long. */
function zoneOf(seed: number): TimeProperty {
  const zone = everyZone[Math.abs(seed) % everyZone.length]!;
  return { name: `croner agrees in ${zone}`, runs: 500, property: agreementIn("croner", zone) };
}

function holds({ name, property, runs }: TimeProperty, seed: number): boolean {
  const outcome = fc.check(property, { seed, numRuns: runs });
  if (!outcome.failed) return true;
  console.log(`failed: ${name}`);
  console.log(fc.defaultReportMessage(outcome));
  console.log(`again: npm run fuzz -- time --seed ${seed}`);
  return false;
}
