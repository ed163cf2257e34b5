/** The properties of fire times with a fixed seed; `npm run fuzz -- time` draws others for as long as one likes. */
import fc from "fast-check";
import { describe, it } from "vitest";
import { agreementIn, everyZone, timeProperties } from "./oracle/properties.js";

const SEED = 20_261_125;

describe("whatever is drawn", () => {
  for (const { name, property, runs } of timeProperties) {
    it(name, () => fc.assert(property, { seed: SEED, numRuns: runs }));
  }

  it("croner agrees in each zone, but for named differences", () => {
    for (const zone of everyZone) fc.assert(agreementIn("croner", zone), { seed: SEED, numRuns: 3 });
  });
});
