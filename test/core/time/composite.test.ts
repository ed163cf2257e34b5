import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type {
  CompositeSpec,
  CronSpec,
  DstPolicy,
  Exclusion,
  FireTimes,
  Instant,
  SpecItem,
} from "../../../src/core/schedule.js";
import { compileSpec, fireTimesBetween } from "../../../src/core/time/fire-times.js";
import { calendar, compile, cron, every, textOf, timesAfter } from "./given.js";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const NOV_25 = "2026-11-25T00:00:00Z"; // a Wednesday

describe("a union", () => {
  it("fires when any of its parts does, once when several do", () => {
    const times = compile({ include: [cron("0 6 * * *"), cron("0 */12 * * *"), every(12 * HOUR)] });
    expect(timesAfter(times, NOV_25, 4)).toEqual([
      "2026-11-25T06:00",
      "2026-11-25T12:00",
      "2026-11-26T00:00",
      "2026-11-26T06:00",
    ]);
  });

  it("is the sorted merge of its parts, whatever is asked in which order", () => {
    const part = fc.oneof(
      fc
        .tuple(fc.integer({ min: 1, max: 500 }), fc.nat(499))
        .map(([everyMs, phaseMs]): SpecItem => every(everyMs, phaseMs % everyMs)),
      fc.integer({ min: 0, max: 2_000 }).map((at): SpecItem => ({ kind: "at", at })),
    );
    const starts = fc.array(fc.integer({ min: -10, max: 2_000 }), { minLength: 1, maxLength: 10 });
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 5 }), starts, (include, asked) => {
        const merged = new Set(
          include.flatMap((item) => fireTimesBetween(compileSpec(item, ""), -11, 4_000, 5_000)),
        );
        const sorted = [...merged].sort((a, b) => a - b);
        const times = compile({ include });
        for (const start of asked) expect(times.next(start)).toBe(sorted.find((at) => at > start) ?? null);
      }),
    );
  });
});

describe("exclusions", () => {
  it("leave out a range, its end not", () => {
    const exclude: Exclusion[] = [
      { kind: "range", from: Date.parse("2026-11-26T06:00:00Z"), to: Date.parse("2026-11-28T06:00:00Z") },
    ];
    expect(timesAfter(compile({ include: [cron("0 6 * * *")], exclude }), NOV_25, 2)).toEqual([
      "2026-11-25T06:00",
      "2026-11-28T06:00",
    ]);
  });

  it("leave out single times", () => {
    const exclude: Exclusion[] = [{ kind: "at", at: Date.parse("2026-11-25T06:00:00Z") }];
    expect(timesAfter(compile({ include: [cron("0 6 * * *")], exclude }), NOV_25, 1)).toEqual([
      "2026-11-26T06:00",
    ]);
  });

  it("take all of a minute in which a line of five fields fires, but the second only with six", () => {
    const include = [every(30_000)];
    const five = compile({ include, exclude: [cron("1 0 25 11 *")] });
    expect(timesAfter(five, NOV_25, 2)).toEqual(["2026-11-25T00:00:30", "2026-11-25T00:02"]);
    const six = compile({ include, exclude: [cron("0 1 0 25 11 *")] });
    expect(timesAfter(six, NOV_25, 2)).toEqual(["2026-11-25T00:00:30", "2026-11-25T00:01:30"]);
  });

  it("with the line itself leave nothing, also where it makes up for a gap", () => {
    const line = cron("30 2 * * *", "Europe/Berlin");
    expect(compile({ include: [line], exclude: [line] }).next(Date.parse("2026-03-28T12:00:00Z"))).toBeNull();
  });

  const dense: readonly [string, SpecItem, Exclusion[], string, string][] = [
    ["a night of seconds", cron("* * * * * *"), [cron("* * 0-8,10-23 * * *")], NOV_25, "2026-11-25T09:00"],
    ["eleven months of minutes", cron("* * * * *"), [cron("* * * 1-11 *")], NOV_25, "2026-12-01T00:00"],
    [
      "every second minute for eleven months",
      cron("*/2 * * * *"),
      [cron("*/2 * * 1-11 *")],
      NOV_25,
      "2026-12-01T00:00",
    ],
    ["all but the 29th", every(MINUTE), [cron("* * 1-28,30,31 * *")], NOV_25, "2026-11-29T00:00"],
    [
      "seconds of other seconds",
      cron("*/10 * * * * *"),
      [cron("*/10 * 0-22 * * *")],
      NOV_25,
      "2026-11-25T23:00",
    ],
    ["years", every(1_000), [{ kind: "range", from: 0, to: Date.UTC(2090, 0) }], NOV_25, "2090-01-01T00:00"],
  ];
  it.each(dense)("jump over %s", (_, item, exclude, after, expected) => {
    const at = compile({ include: [item], exclude }).next(Date.parse(after));
    expect(at === null ? null : textOf(at)).toBe(expected);
  });

  it("answer never when nothing is left", () => {
    const never: [SpecItem, Exclusion[]][] = [
      [cron("* * * * * *"), [cron("* * * * * *")]],
      [cron("* * * * *"), [cron("* * * * *")]],
      [cron("0 9 * * *"), [cron("* 9 * * *")]],
      [every(7), [cron("* * * * *")]],
      [cron("*/5 * * * *"), [cron("0 */2 * * *"), cron("0-59/5 1-23/2 * * *"), cron("5-59/5 0-22/2 * * *")]],
    ];
    for (const [item, exclude] of never)
      expect(compile({ include: [item], exclude }).next(Date.parse(NOV_25))).toBeNull();
  });

  it("are a filter", () => {
    const small = fc.integer({ min: 0, max: 3 * 24 * 60 });
    const exclusion: fc.Arbitrary<Exclusion> = fc.oneof(
      fc.tuple(small, fc.integer({ min: 1, max: 900 })).map(([from, length]) => ({
        kind: "range" as const,
        from: from * MINUTE,
        to: (from + length) * MINUTE,
      })),
      small.map((at) => ({ kind: "at" as const, at: at * MINUTE })),
      fc.constantFrom(
        ...[
          "*/7 * * * *",
          "10-40 1-5 * * *",
          "* 3,4,5 * * *",
          "0 * * * *",
          "* * 2 1 *",
          "15 */2 * * thu",
        ].map((line) => cron(line, "Europe/Berlin")),
        cron("0 0-30 * * * *"),
      ),
    );
    const line = fc.constantFrom("*/5 * * * *", "*/30 * * * * *", "7 * * * *", "0 4 * * *");
    fc.assert(
      fc.property(line, fc.array(exclusion, { maxLength: 4 }), (expression, exclude) => {
        const base = cron(expression, "Europe/Berlin");
        const all = fireTimesBetween(compileSpec(base, ""), 0, 3 * DAY, 100_000);
        const left = all.filter((at) => !exclude.some((one) => excludes(one, at)));
        expect(fireTimesBetween(compile({ include: [base], exclude }), 0, 3 * DAY, 100_000)).toEqual(left);
      }),
      { numRuns: 60 },
    );
  });

  it("are a filter where clocks change, whatever the lines say to that", () => {
    const lines = [
      "* 0-5 * * *",
      "* 2 * * *",
      "* 0,1,2,3,4,5 * * *",
      "* * * * sun",
      "*/15 1-3 * * *",
      "30 2 * * *",
    ];
    const dst = fc.constantFrom<(DstPolicy | undefined)[]>(
      undefined,
      { overlap: "second" },
      { overlap: "first" },
      { gap: "next", overlap: "both" },
    );
    const line = fc.tuple(fc.constantFrom(...lines), dst).map(([expression, policy]): CronSpec => {
      const plain = cron(expression, "Europe/Berlin");
      return policy === undefined ? plain : { ...plain, dst: policy };
    });
    const base = fc.oneof(line, fc.constant(every(5 * MINUTE)));
    const switches = fc.constantFrom(Date.UTC(2026, 2, 28, 12), Date.UTC(2026, 9, 24, 12));
    fc.assert(
      fc.property(base, line, switches, (item, excluded, from) => {
        const all = fireTimesBetween(compileSpec(item, ""), from, from + DAY, 10_000);
        const left = all.filter((at) => !excludes(excluded, at));
        const times = compile({ include: [item], exclude: [excluded] });
        expect(fireTimesBetween(times, from, from + DAY, 10_000)).toEqual(left);
      }),
      { numRuns: 200 },
    );
  });

  function excludes(exclusion: Exclusion, at: Instant): boolean {
    if (exclusion.kind === "at") return exclusion.at === at;
    if (exclusion.kind === "range") return exclusion.from <= at && at < exclusion.to;
    if (exclusion.kind !== "cron") throw new Error("not here");
    const unit = exclusion.expression.split(" ").length === 6 ? 1_000 : MINUTE;
    const start = at - (at % unit);
    return compileSpec(exclusion, "").next(start - 1) === start;
  }
});

describe("start and end", () => {
  const bounds = { startAt: Date.parse("2026-11-26T06:00:00Z"), endAt: Date.parse("2026-11-28T06:00:00Z") };

  it("are the first and the last instant that count", () => {
    expect(timesAfter(compile({ include: [cron("0 6 * * *")], ...bounds }), NOV_25, 9)).toEqual([
      "2026-11-26T06:00",
      "2026-11-27T06:00",
      "2026-11-28T06:00",
    ]);
  });

  it("anchor an interval that asks for it", () => {
    const startAt = Date.parse("2026-11-25T07:13:00Z");
    const item: SpecItem = { kind: "every", everyMs: HOUR, phaseMs: 2 * MINUTE, anchor: "startAt" };
    expect(timesAfter(compile({ include: [item], startAt }), NOV_25, 2)).toEqual([
      "2026-11-25T07:15",
      "2026-11-25T08:15",
    ]);
  });

  it("bound whatever is inside", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 50 }),
        fc.nat(500),
        fc.nat(500),
        fc.nat(600),
        (step, start, length, from) => {
          const next = compile({ include: [every(step)], startAt: start, endAt: start + length }).next(from);
          const expected = [...Array(1_200).keys()].find(
            (at) => at > from && at >= start && at <= start + length && at % step === 0,
          );
          expect(next).toBe(expected ?? null);
        },
      ),
    );
  });
});

describe("spread", () => {
  const spread = (id: string, spreadMs: number): FireTimes =>
    compile({ include: [cron("0 6 * * *")], spreadMs }, {}, id);

  it("shifts all fire times of an id by the same whole seconds, within the window", () => {
    const offsets = Array.from({ length: 200 }, (_, i) => {
      const times = spread(`job-${i}`, 10 * MINUTE);
      const first = times.next(Date.parse(NOV_25)) as Instant;
      expect((times.next(first) as Instant) - first).toBe(DAY);
      return first - Date.parse("2026-11-25T06:00:00Z");
    });
    expect(Math.min(...offsets)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...offsets)).toBeLessThan(10 * MINUTE);
    expect(offsets.every((offset) => offset % 1_000 === 0)).toBe(true);
    expect(new Set(offsets.map((offset) => Math.floor(offset / MINUTE))).size).toBe(10);
  });

  it("stays the same", () => {
    expect(textOf(spread("nightly-report", 10 * MINUTE).next(Date.parse(NOV_25)) as Instant)).toBe(
      "2026-11-25T06:07:20",
    );
  });
});

describe("an opening", () => {
  it("fires when a calendar opens", () => {
    const shop = calendar({
      hours: {
        mon: [
          { fromMs: 9 * HOUR, toMs: 12 * HOUR },
          { fromMs: 13 * HOUR, toMs: DAY },
        ],
      },
    });
    const times = compile({ include: [{ kind: "opening", calendar: "shop" }] }, { shop });
    expect(timesAfter(times, "2026-11-27T12:00:00Z", 4)).toEqual([
      "2026-11-30T09:00",
      "2026-11-30T13:00",
      "2026-12-07T09:00",
      "2026-12-07T13:00",
    ]);
  });
});

describe("a time that has passed", () => {
  it("fires right after the schedule was made, if it is to", () => {
    const passed: SpecItem = { kind: "at", at: 5_000, madeAt: 9_000 };
    expect(compileSpec(passed, "").next(8_000)).toBe(9_001);
    expect(compileSpec({ ...passed, at: 10_000 }, "").next(8_000)).toBe(10_000);
  });
});

describe("refusals", () => {
  const include = [every(1_000)];
  const cases: readonly [Partial<CompositeSpec>, string][] = [
    [{}, "include: expected at least one entry, got none"],
    [{ include: [every(1), every(0)] }, "include[1].everyMs: expected a whole number"],
    [{ include: [{ ...every(1), anchor: "startAt" }] }, "include[0].anchor: expected startAt to be given"],
    [
      { include: [{ kind: "opening", calendar: "x" }] },
      'include[0].calendar: expected a calendar that exists, got "x"',
    ],
    [{ include, exclude: [cron("61 * * * *")] }, "exclude[0].expression: "],
    [{ include, exclude: [{ kind: "range", from: 5, to: 5 }] }, "exclude[0].to: expected a time after from"],
    [
      { include, exclude: [{ kind: "calendar", calendar: "x", when: "closed" }] },
      "exclude[0].calendar: expected",
    ],
    [
      { include, calendar: { name: "x", roll: "skip" } },
      'calendar.name: expected a calendar that exists, got "x"',
    ],
    [
      { include, startAt: 2, endAt: 1 },
      "endAt: expected a time not before startAt, 1970-01-01T00:00:00.002Z",
    ],
  ];
  it.each(cases)("%j", (spec, message) => {
    expect(() => compile(spec)).toThrow(message);
    expect(() => compile(spec)).toThrow(expect.objectContaining({ code: "invalid" }));
  });
});
