/** What must hold of fire times whatever is drawn. `npm test` runs a fixed seed, `npm run fuzz -- time` others. */
import fc from "fast-check";
import { expect } from "vitest";
import type { DstPolicy } from "../../../../src/core/schedule.js";
import { compileCron } from "../../../../src/core/time/cron.js";
import { zoneNamed } from "../../../../src/core/time/zone.js";
import { notedChanges } from "./changes.js";
import { engines, namedDifference, ours } from "./engines.js";
import { lineArbitrary, textOf } from "./lines.js";
import { literalFires, offsetAt } from "./literal.js";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export interface TimeProperty {
  name: string;
  /** Of one round: a few seconds. */
  runs: number;
  property: fc.IRawProperty<unknown, false>;
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

export const everyZone = Intl.supportedValuesOf("timeZone");
const anyInstant = fc.integer({ min: 0, max: Date.UTC(2100, 0, 1) / 1000 }).map((second) => second * 1000);

/** A zone, and an instant from 1970 to 2100 within thirty hours of a change of its offset, if it has one. */
const nearAnyChange = (zones: readonly string[]) =>
  fc
    .tuple(fc.constantFrom(...zones), anyInstant, fc.integer({ min: -30 * 60, max: 30 * 60 }))
    .map(([zone, instant, minutes]) => {
      const [next] = zoneNamed(zone).transitionsBetween(instant, instant + 3 * 366 * DAY);
      return { zone, after: (next?.at ?? instant) + minutes * MINUTE };
    });

const anywhere = (zones: readonly string[]) =>
  fc.record({ zone: fc.constantFrom(...zones), after: anyInstant });

/** Another engine gives our answer, or one that differs from it by a difference that has a name. */
function agreement(
  engine: keyof typeof engines,
  place: fc.Arbitrary<{ zone: string; after: number }>,
): fc.IRawProperty<unknown, false> {
  // Neither knows days before the last; cron-parser knows no nearest weekday, croner no `?`.
  const quartz = engine === "croner";
  const line = lineArbitrary({ quartz }).filter((drawn) => !drawn.date.text.startsWith("L-"));
  return fc.property(place, line, ({ zone, after }, drawn) => {
    const question = { line: textOf(drawn).replaceAll("?", "*"), zone, after };
    const theirs = engines[engine]!(question);
    if (ours(question) === theirs) return;
    if (namedDifference(question, theirs) === null) expect(show(ours(question))).toBe(show(theirs));
  });
}

/** Of one zone, to be sure that each is asked. */
export const agreementIn = (engine: keyof typeof engines, zone: string): fc.IRawProperty<unknown, false> =>
  agreement(engine, fc.oneof(nearAnyChange([zone]), anywhere([zone])));

/** Most changes that are no full hours, or close together, are of the years before 1975. */
const someYear = fc.oneof(fc.integer({ min: 1880, max: 1975 }), fc.integer({ min: 1880, max: 2140 }));

/** Six hours apart, and on both sides of every change that the table knows of. */
const zoneTables: TimeProperty = {
  name: "the table of a zone says what Intl says, through any year from 1880 to 2140",
  runs: 100,
  property: fc.property(fc.constantFrom(...everyZone), someYear, (name, year) => {
    const zone = zoneNamed(name);
    const [from, until] = [Date.UTC(year, 0, 1), Date.UTC(year + 1, 0, 1)];
    for (let at = from; at < until; at += 6 * HOUR) expect(zone.offsetAt(at)).toBe(offsetAt(name, at));
    for (const { at, offsetBeforeMs, offsetAfterMs } of zone.transitionsBetween(from, until)) {
      const around = [offsetAt(name, at - 1_000), offsetAt(name, at)];
      expect(around).toEqual([offsetBeforeMs, offsetAfterMs]);
    }
  }),
};

export const timeProperties: readonly TimeProperty[] = [
  literalNext,
  literalSilence,
  zoneTables,
  ...Object.keys(engines).flatMap((engine) => [
    {
      name: `${engine} agrees in all zones, 1970 to 2100`,
      runs: 600,
      property: agreement(engine, anywhere(everyZone)),
    },
    {
      name: `${engine} agrees near changes of offset, but for named differences`,
      runs: 600,
      property: agreement(engine, nearAnyChange(everyZone)),
    },
  ]),
];
