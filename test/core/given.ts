/** Schedules and fire times for tests of the pure parts. */
import type { CompiledSchedule } from "../../src/core/compiled-schedule.js";
import { emptyLease, LAST_ID, type LeaseRecord } from "../../src/core/lease.js";
import { defaultPolicies } from "../../src/core/policies.js";
import { defaultRetry } from "../../src/core/retry.js";
import type { FireTimes, Instant, Schedule } from "../../src/core/schedule.js";

/** `phase`, `phase + every`, … */
export function every(everyMs: number, phaseMs = 0): FireTimes {
  return { next: (instant) => (Math.floor((instant - phaseMs) / everyMs) + 1) * everyMs + phaseMs };
}

export function once(at: Instant): FireTimes {
  return { next: (instant) => (instant < at ? at : null) };
}

export function schedule(id: string, more: Partial<Schedule> = {}): Schedule {
  return {
    id,
    shard: 0,
    revision: 1,
    spec: { kind: "every", everyMs: 1_000, phaseMs: 0 },
    job: { queue: "default", payload: null, headers: {}, retry: defaultRetry, timeoutMs: 0 },
    overlap: "skip",
    misfire: "all",
    catchUpWindowMs: 86_400_000,
    delivery: "at-least-once",
    paused: false,
    ...defaultPolicies,
    deleted: false,
    effectiveFrom: 0,
    firstRevision: 0,
    ...more,
  };
}

export function compiled(id: string, times: FireTimes, more: Partial<Schedule> = {}): CompiledSchedule {
  return { schedule: schedule(id, more), times };
}

export function lease(time: Instant, more: Partial<LeaseRecord> = {}): LeaseRecord {
  return { ...emptyLease(time), view: 100, cursor: { time, id: LAST_ID }, ...more };
}

/** Of an interval or a one-off time. */
export function timesOf({ spec }: Pick<Schedule, "spec">): FireTimes {
  if (spec.kind === "every") return every(spec.everyMs, spec.phaseMs);
  if (spec.kind === "at") return once(spec.at);
  throw new Error("the others are tested elsewhere");
}
