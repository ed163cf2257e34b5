/** Definitions and lease records as they lie in their buckets. */

import { z } from "zod";
import { priorities } from "../core/lane.js";
import type { Firing, LeaseRecord } from "../core/lease.js";
import type { Member } from "../core/ports.js";
import type { ScheduleDefinition } from "../core/schedule.js";
import { limits } from "./limits.js";
import { parseJson, parseWith } from "./parse.js";
import { storedPolicies } from "./policy-input.js";
import { rowOf } from "./row.js";
import { storedSpec } from "./stored-spec.js";

const definition: z.ZodType<ScheduleDefinition> = z.object({
  spec: storedSpec,
  job: z.object({
    queue: z.string(),
    payload: z.unknown(),
    headers: z.record(z.string(), z.string()),
    retry: z.object({
      maxAttempts: z.int(),
      initialDelayMs: z.number(),
      factor: z.number(),
      maxDelayMs: z.number(),
    }),
    timeoutMs: z.number(),
    priority: z.enum(priorities).optional(),
  }),
  misfire: z.enum(["skip", "once", "all"]),
  catchUpWindowMs: z.number(),
  delivery: z.enum(["at-least-once", "at-most-once"]),
  ...storedPolicies,
  paused: z.boolean(),
  note: z.string().optional(),
  labels: z.record(z.string(), z.string()).optional(),
  changedAt: z.int().optional(),
  changedBy: z.string().optional(),
  deleted: z.boolean(),
  effectiveFrom: z.int(),
  firstRevision: z.int(),
});

/** As many as there may be firing entries, when all are skipped at once. */
const reportRow = rowOf({
  scheduleId: z.string(),
  outcome: z.enum(["skipped", "missed", "expired"]),
  reason: z.string(),
  from: z.int(),
  to: z.int(),
  count: z.int(),
});
const countRow = rowOf({ scheduleId: z.string(), countsFrom: z.int(), fired: z.int() });
const rangeRow = rowOf({ scheduleId: z.string(), revision: z.int(), after: z.int(), until: z.int() });

const lease = z.object({
  holder: z.string().nullable(),
  nonce: z.string(),
  term: z.int(),
  view: z.int(),
  cursor: z.object({ time: z.int(), id: z.string() }),
  runsFrom: z.int(),
  /** `[scheduleId, slot, revision, firstTerm]`, and 1 for a catch-up: there may be thousands. */
  firing: z.array(z.tuple([z.string(), z.int(), z.int(), z.int(), z.literal(1).optional()])),
  reports: z.array(reportRow.schema),
  counts: z.array(countRow.schema).default([]),
  backlog: z.array(rangeRow.schema).default([]),
});

type StoredFiring = z.output<typeof lease>["firing"][number];

const member = z.object({
  role: z.enum(["orchestrator", "worker"]),
  id: z.string(),
  host: z.string(),
  pid: z.int(),
  startedAt: z.number(),
  queues: z.array(z.string()).optional(),
  labels: z.record(z.string(), z.string()).optional(),
});

/** Null when it is none: nothing depends on it. */
export function decodeMember(text: string): Member | null {
  try {
    return member.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

export function encodeDefinition(value: ScheduleDefinition): string {
  return JSON.stringify(value);
}

export function decodeDefinition(text: string, key: string): ScheduleDefinition {
  const what = `stored schedule ${key}`;
  return parseWith(definition, parseJson(text, what), what);
}

/** An entry without its id: brackets, quotes and commas, a slot, a revision, a term, a mark. */
const ENTRY_BYTES = 44;

/** How many firing entries a lease record has room for, by the longest id among their schedules. */
export function mostFirings(longestId: number): number {
  return Math.min(limits.firingPerShard, Math.floor(limits.firingBytesPerShard / (ENTRY_BYTES + longestId)));
}

/** Written out by hand, as there may be thousands of entries and ids need no escape. */
export function encodeLease(record: LeaseRecord): string {
  const { firing, reports, counts, backlog, ...others } = record;
  const rest = {
    ...others,
    reports: reports.map(reportRow.encode),
    counts: counts.map(countRow.encode),
    backlog: backlog.map(rangeRow.encode),
  };
  let entries = "";
  for (const { scheduleId, slot, revision, firstTerm, catchUp } of firing) {
    const mark = catchUp === true ? ",1" : "";
    entries += `${entries === "" ? "" : ","}["${scheduleId}",${slot},${revision},${firstTerm}${mark}]`;
  }
  return `${JSON.stringify(rest).slice(0, -1)},"firing":[${entries}]}`;
}

export function decodeLease(text: string, key: string): LeaseRecord {
  const what = `stored lease ${key}`;
  const raw = parseWith(lease, parseJson(text, what), what);
  return { ...raw, firing: raw.firing.map(firingOf) };
}

function firingOf([scheduleId, slot, revision, firstTerm, mark]: StoredFiring): Firing {
  return { scheduleId, slot, revision, firstTerm, ...(mark === 1 && { catchUp: true }) };
}
