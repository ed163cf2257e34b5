import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { emptyLease, type Firing, type LeaseRecord, type Report } from "../../src/core/lease.js";
import { overlapPolicies } from "../../src/core/overlap-policy.js";
import type { ScheduleDefinition } from "../../src/core/schedule.js";
import { limits } from "../../src/protocol/limits.js";
import {
  decodeDefinition,
  decodeLease,
  encodeDefinition,
  encodeLease,
  mostFirings,
} from "../../src/protocol/stored.js";
import { composite } from "./arbitrary-spec.js";

const instant = fc.integer({ min: 0, max: 8_640_000_000_000_000 });
const id = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_=-]{0,127}$/);
const count = fc.nat();

const firing: fc.Arbitrary<Firing> = fc
  .record({
    scheduleId: id,
    slot: instant,
    revision: count,
    firstTerm: count,
  })
  .chain((entry) => fc.constantFrom(entry, { ...entry, catchUp: true as const }));
const report: fc.Arbitrary<Report> = fc.record({
  scheduleId: id,
  outcome: fc.constantFrom("skipped", "missed", "expired"),
  reason: fc.string({ unit: "binary" }),
  from: instant,
  to: instant,
  count,
});
const lease: fc.Arbitrary<LeaseRecord> = fc.record({
  holder: fc.option(fc.string()),
  nonce: fc.string(),
  term: count,
  view: count,
  cursor: fc.record({ time: instant, id: fc.oneof(id, fc.constant("~")) }),
  runsFrom: count,
  firing: fc.array(firing),
  reports: fc.array(report),
  backlog: fc.array(fc.record({ scheduleId: id, revision: count, after: instant, until: instant })),
  counts: fc.array(fc.record({ scheduleId: id, countsFrom: instant, fired: count })),
});

const definition: fc.Arbitrary<ScheduleDefinition> = fc.record(
  {
    spec: fc.oneof(
      fc.record(
        {
          kind: fc.constant("cron" as const),
          expression: fc.string(),
          timeZone: fc.string(),
          dst: fc.record(
            {
              gap: fc.constantFrom("next" as const, "skip" as const),
              overlap: fc.constantFrom("first" as const, "second" as const, "both" as const),
            },
            { requiredKeys: [] },
          ),
        },
        { requiredKeys: ["kind", "expression", "timeZone"] },
      ),
      fc.record({ kind: fc.constant("every" as const), everyMs: fc.integer({ min: 1 }), phaseMs: count }),
      fc.record({ kind: fc.constant("at" as const), at: instant }),
      composite,
    ),
    job: fc.record({
      queue: id,
      payload: fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.parse(JSON.stringify(value))),
      headers: fc.dictionary(fc.stringMatching(/^[A-Za-z-]{1,20}$/), fc.string(), { noNullPrototype: true }),
      retry: fc.record({ maxAttempts: count, initialDelayMs: count, factor: count, maxDelayMs: count }),
      timeoutMs: count,
    }),
    overlap: fc.constantFrom(...overlapPolicies),
    misfire: fc.constantFrom("skip", "once", "all"),
    catchUpWindowMs: count,
    delivery: fc.constantFrom("at-least-once", "at-most-once"),
    maxConcurrent: fc.integer({ min: 1 }),
    bufferLimit: fc.integer({ min: 1 }),
    startDeadlineMs: count,
    maxRuns: count,
    countsFrom: instant,
    pauseOnFailure: count,
    catchUpRate: fc.integer({ min: 1, max: 1_000 }),
    pausedUntil: instant,
    pausedBy: fc.constantFrom("max-runs", "failures"),
    paused: fc.boolean(),
    note: fc.string({ unit: "binary" }),
    deleted: fc.boolean(),
    effectiveFrom: instant,
    firstRevision: count,
  },
  {
    requiredKeys: [
      "spec",
      "job",
      "overlap",
      "misfire",
      "catchUpWindowMs",
      "delivery",
      "maxConcurrent",
      "bufferLimit",
      "startDeadlineMs",
      "maxRuns",
      "countsFrom",
      "pauseOnFailure",
      "catchUpRate",
      "paused",
      "deleted",
      "effectiveFrom",
      "firstRevision",
    ],
  },
);

describe("lease records", () => {
  it("are read as they were written", () => {
    fc.assert(
      fc.property(lease, (record) => {
        expect(decodeLease(encodeLease(record), "shard.0")).toEqual(record);
      }),
    );
  });

  it("fit into a message with as many entries as there may be", () => {
    const scheduleId = "s".repeat(limits.scheduleIdLength);
    const entry: Firing = { scheduleId, slot: 8_640_000_000_000_000, revision: 2 ** 40, firstTerm: 2 ** 32 };
    const told: Report = {
      ...entry,
      outcome: "skipped",
      reason: "r".repeat(64),
      from: 1e15,
      to: 1e15,
      count: 1e6,
    };
    const record: LeaseRecord = {
      holder: "h".repeat(limits.memberIdLength),
      nonce: "n".repeat(18),
      term: 2 ** 32,
      view: 2 ** 40,
      cursor: { time: 8_640_000_000_000_000, id: scheduleId },
      runsFrom: 2 ** 40,
      firing: Array.from({ length: mostFirings(scheduleId.length) }, () => entry),
      reports: Array.from({ length: limits.reportsPerShard }, () => told),
      backlog: [],
      counts: Array.from({ length: limits.countedPerShard }, () => ({
        scheduleId,
        countsFrom: 1e15,
        fired: 1e6,
      })),
    };
    expect(encodeLease(record).length).toBeLessThan(1_048_576);
  });

  it.each([8, 24, 64, limits.scheduleIdLength])(
    "fit into a message when all their runs, with ids of %d characters, were skipped at once",
    (length) => {
      const told: Report = {
        ...{ scheduleId: "s".repeat(length), outcome: "skipped", reason: "overlap: the buffer is full" },
        ...{ from: 1e12, to: 1e12, count: 1 },
      };
      const reports = Array.from({ length: mostFirings(length) }, () => told);
      expect(encodeLease({ ...emptyLease(0), reports }).length).toBeLessThan(1_000_000);
    },
  );

  it("have room for more entries the shorter the ids are, up to a limit", () => {
    expect(mostFirings(1)).toBe(limits.firingPerShard);
    expect(mostFirings(40)).toBeGreaterThan(mostFirings(limits.scheduleIdLength));
  });

  it.each(["", "{", "null", "[]", '{"holder":"a"}'])("refuse %j, naming the key", (text) => {
    expect(() => decodeLease(text, "shard.3")).toThrow(/stored lease shard\.3: /);
  });
});

describe("definitions", () => {
  it("are read as they were written", () => {
    fc.assert(
      fc.property(definition, (value) => {
        expect(decodeDefinition(encodeDefinition(value), "a")).toEqual(value);
      }),
    );
  });

  it.each(["", "nope", "{}", '{"spec":{"kind":"moon"}}'])("refuse %j, naming the id", (text) => {
    expect(() => decodeDefinition(text, "nightly")).toThrow(/stored schedule nightly: /);
  });
});
