/** What must hold of fire times whatever is drawn. `npm test` runs a fixed seed, `npm run fuzz -- time` others. */
import { CronExpressionParser } from "cron-parser";
import fc from "fast-check";
import { expect } from "vitest";
import type { DstPolicy } from "../../../../src/core/schedule.js";
import { compileCron } from "../../../../src/core/time/cron.js";
import { notedChanges } from "./changes.js";
import { lineArbitrary, textOf } from "./lines.js";
import { literalFires } from "./literal.js";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export interface TimeProperty {
  name: string;
  /** Of one round: a few seconds. */
  runs: number;
  property: fc.IRawProperty<unknown>;
}

export const change = fc.constantFrom(...notedChanges);
const policy: fc.Arbitrary<DstPolicy> = fc.record(
  { gap: fc.constantFrom("next", "skip"), overlap: fc.constantFrom("first", "second", "both") },
  { requiredKeys: [] },
);
const nearby = fc.oneof(
  fc.integer({ min: -30 * HOUR, max: 30 * HOUR }),
  fc.integer({ min: -3 * HOUR, max: 3 * HOUR }),
  fc.integer({ min: -90, max: 90 }).map((minutes) => minutes * MINUTE),
);

const show = (at: number | null) => (at === null ? "none" : new Date(at).toISOString());

const literalNext: TimeProperty = {
  name: "next is what the rule says, from any start near a change of offset",
  runs: 800,
  property: fc.property(
    change,
    nearby,
    lineArbitrary({ quartz: true }),
    policy,
    ({ zone, at }, shift, line, dst) => {
      const from = at + shift;
      const until = from + 2 * DAY;
      const times = compileCron({ kind: "cron", expression: textOf(line), timeZone: zone, dst }, "");
      let cursor = from;
      for (const expected of literalFires(line, zone, { from, until, dst }).slice(0, 400)) {
        expect(show(times.next(cursor))).toBe(show(expected));
        cursor = expected;
      }
    },
  ),
};

const literalSilence: TimeProperty = {
  name: "nothing fires that the rule does not know",
  runs: 400,
  property: fc.property(change, lineArbitrary({ quartz: true }), policy, ({ zone, at }, line, dst) => {
    const from = at - 20 * HOUR;
    const until = from + 2 * DAY;
    const times = compileCron({ kind: "cron", expression: textOf(line), timeZone: zone, dst }, "");
    const expected = literalFires(line, zone, { from, until, dst });
    const found: number[] = [];
    for (let next = times.next(from); next !== null && next <= until; next = times.next(next)) {
      found.push(next);
    }
    expect(found.length).toBe(expected.length);
    expect(found).toEqual(expected);
  }),
};

const parserInUtc: TimeProperty = {
  name: "cron-parser agrees in UTC",
  runs: 600,
  property: fc.property(
    lineArbitrary({ quartz: false }),
    fc.integer({ min: Date.UTC(1970, 0, 1), max: Date.UTC(2100, 0, 1) }),
    (line, from) => {
      const expression = textOf(line);
      const theirs = CronExpressionParser.parse(expression, { currentDate: from, tz: "UTC" });
      const ours = compileCron({ kind: "cron", expression, timeZone: "UTC" }, "");
      let cursor = from;
      for (let i = 0; i < 5; i++) {
        cursor = ours.next(cursor)!;
        expect(show(cursor)).toBe(show(theirs.next().getTime()));
      }
    },
  ),
};

export const timeProperties: readonly TimeProperty[] = [literalNext, literalSilence, parserInUtc];
