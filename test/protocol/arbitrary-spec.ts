/** Any spec that can be stored. */
import fc from "fast-check";
import type { Exclusion, ScheduleSpec, SpecItem } from "../../src/core/schedule.js";

/** As far as RFC 3339 goes. */
const instant = fc.integer({ min: 0, max: Date.UTC(9999, 11, 31) });
const name = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_=-]{0,20}$/);
const timeZone = fc.constantFrom("UTC", "Europe/Berlin");
const required = <T extends string>(...keys: T[]) => ({ requiredKeys: keys });

const cron = fc.record(
  {
    kind: fc.constant("cron" as const),
    expression: fc.constantFrom("0 3 * * *", "*/5 * * * *", "@daily"),
    timeZone,
    dst: fc.constantFrom({ gap: "skip" as const }, { gap: "next" as const, overlap: "second" as const }),
  },
  required("kind", "expression", "timeZone"),
);
const every = fc.integer({ min: 1, max: 31_622_400_000 }).chain((everyMs) =>
  fc.record(
    {
      kind: fc.constant("every" as const),
      everyMs: fc.constant(everyMs),
      phaseMs: fc.integer({ min: 0, max: everyMs - 1 }),
      anchor: fc.constant("startAt" as const),
    },
    required("kind", "everyMs", "phaseMs"),
  ),
);
const item: fc.Arbitrary<SpecItem> = fc.oneof(
  cron,
  every,
  fc.record({ kind: fc.constant("at" as const), at: instant, madeAt: instant }, required("kind", "at")),
  fc.record(
    {
      kind: fc.constant("rrule" as const),
      rule: fc.constantFrom("FREQ=DAILY", "FREQ=WEEKLY;BYDAY=MO"),
      timeZone,
      start: fc.constant("2026-01-31T09:00:00"),
    },
    required("kind", "rule", "timeZone"),
  ),
  fc.record({ kind: fc.constant("opening" as const), calendar: name }),
);
const exclusion: fc.Arbitrary<Exclusion> = fc.oneof(
  cron,
  fc.record({ kind: fc.constant("at" as const), at: instant }),
  fc
    .tuple(fc.nat(1e12), fc.integer({ min: 1, max: 1e9 }))
    .map(([from, length]) => ({ kind: "range" as const, from, to: from + length })),
  fc.record({
    kind: fc.constant("calendar" as const),
    calendar: name,
    when: fc.constantFrom("closed" as const, "open" as const),
  }),
);

/** Bounded from the start, for intervals that are anchored to it. */
export const composite: fc.Arbitrary<ScheduleSpec> = fc.record(
  {
    kind: fc.constant("composite" as const),
    include: fc.array(item, { minLength: 1, maxLength: 4 }),
    exclude: fc.array(exclusion, { maxLength: 3 }),
    calendar: fc.record({
      name,
      roll: fc.constantFrom("skip" as const, "next-business-day" as const, "previous-business-day" as const),
    }),
    startAt: fc.nat(1e9),
    endAt: fc.integer({ min: 1e9, max: 1e12 }),
    spreadMs: fc.nat(3_600_000),
    jitterMs: fc.nat(3_600_000),
  },
  required("kind", "include", "exclude", "startAt", "spreadMs", "jitterMs"),
);
