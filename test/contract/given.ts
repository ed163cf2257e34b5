/** Values that suites write. */
import { emptyLease, type LeaseRecord } from "../../src/core/lease.js";
import { defaultPolicies } from "../../src/core/policies.js";
import type { Member, WorkMessage } from "../../src/core/ports.js";
import { defaultRetry } from "../../src/core/retry.js";
import type { ScheduleDefinition } from "../../src/core/schedule.js";
import { headers as h } from "../../src/protocol/headers.js";
import type { Names } from "../../src/protocol/names.js";

export const START = Date.UTC(2026, 0, 1);

export function lease(more: Partial<LeaseRecord> = {}): LeaseRecord {
  return { ...emptyLease(START), holder: "a", nonce: "n", term: 1, ...more };
}

export function definition(more: Partial<ScheduleDefinition> = {}): ScheduleDefinition {
  return {
    spec: { kind: "every", everyMs: 1_000, phaseMs: 0 },
    job: { queue: "default", payload: { to: "ü" }, headers: {}, retry: defaultRetry, timeoutMs: 0 },
    overlap: "skip",
    misfire: "once",
    catchUpWindowMs: 3_600_000,
    delivery: "at-least-once",
    paused: false,
    ...defaultPolicies,
    deleted: false,
    effectiveFrom: START,
    firstRevision: 0,
    ...more,
  };
}

export function job(names: Names, key: string, more: Partial<WorkMessage> = {}): WorkMessage {
  return {
    subject: names.job("default", key),
    msgId: `${key}/1`,
    headers: { [h.runId]: key },
    body: new TextEncoder().encode(`"${key}"`),
    ...more,
  };
}

export function tombstone(names: Names, runId: string, term: number): WorkMessage {
  const subject = names.tombstone(runId, term);
  return { subject, msgId: `${runId}/${term}`, headers: {}, body: new Uint8Array() };
}

export function member(id: string, more: Partial<Member> = {}): Member {
  return { role: "orchestrator", id, host: "h", pid: 1, startedAt: START, ...more };
}
