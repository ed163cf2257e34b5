import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { problemsOf, steps } from "./simulation/steps.js";
import type { Rule } from "./simulation/world.js";

const RULES: Rule[] = [
  "tombstones",
  "a duplicate may be of a tombstone",
  "look for traces in RUNS",
  "the record holds the view",
  "doubt ends the term",
  "skipped becomes true by a commit",
  "a taken subject is read",
];

describe("any interleaving of commits, crashes, takeovers, pauses, lost, repeated and late messages", () => {
  it("decides every slot once, and leaves one fire record for each that was fired", () => {
    fc.assert(
      fc.property(steps, (all) => {
        expect(problemsOf(all)).toEqual([]);
      }),
      { numRuns: 1_500 },
    );
  });

  it.each(RULES)("does not without the rule: %s", (rule) => {
    const property = fc.property(steps, (all) => problemsOf(all, rule).length === 0);
    expect(fc.check(property, { numRuns: 20_000, endOnFailure: true, seed: 1 }).failed).toBe(true);
  });
});
