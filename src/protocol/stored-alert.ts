/** Open breaches, and what was seen of runs, as they lie in the bucket of alerts. */
import { z } from "zod";
import type { OpenBreach } from "../core/alert.js";
import type { OpenRun } from "../core/open-runs.js";
import { runStates } from "../core/run.js";
import type { Past } from "../core/run-digest.js";
import { parseJson, parseWith } from "./parse.js";

const text = z.string();
const name = text.nullable();

const alertState = z.enum(["raised", "over"]);

const storedBreach = z.object({
  rule: text,
  kind: text,
  target: text,
  scheduleId: name,
  queue: name,
  heartbeat: name,
  since: z.number(),
  text,
  data: z.record(text, z.unknown()),
  state: alertState,
  at: z.number(),
  // Of a version that named a breach by its beginning.
  raisedAt: z.number().optional(),
  isTold: z.boolean(),
  // Of a version that called nobody.
  unsent: z.array(alertState).default([]),
});

const breach: z.ZodType<OpenBreach, unknown> = storedBreach.transform(({ raisedAt, ...stored }) => ({
  ...stored,
  raisedAt: raisedAt ?? stored.since,
}));

const past: z.ZodType<Past> = z.object({
  endedAt: z.number(),
  succeededAt: z.number().nullable(),
  failures: z.int(),
  lastFailure: z.object({ runId: text, at: z.number(), error: name }).nullable(),
  missed: z
    .object({
      at: z.number(),
      from: z.number(),
      to: z.number(),
      count: z.int(),
      outcome: z.enum(["missed", "expired"]),
      reason: name,
    })
    .nullable(),
});

const time = z.number().nullable();

const openRuns: z.ZodType<OpenRun[]> = z.array(
  z.object({
    runId: text,
    scheduleId: name,
    queue: name,
    trigger: name,
    fireTime: time,
    startedAt: time,
    queuedAt: time,
    seq: time,
    state: z.enum(runStates),
    nextAt: time,
  }),
);

export const encodeBreach = (value: OpenBreach): string => JSON.stringify(value);
export const encodePast = (value: Past): string => JSON.stringify(value);
export const encodeOpenRuns = (value: readonly OpenRun[]): string => JSON.stringify(value);

/** Null: anyone with the rights can write into the bucket, and it is none. */
export const decodeBreach = (text: string): OpenBreach | null => read(breach, text);
export const decodePast = (text: string): Past | null => read(past, text);
export const decodeOpenRuns = (text: string): OpenRun[] => read(openRuns, text) ?? [];

function read<T>(schema: z.ZodType<T, unknown>, json: string): T | null {
  try {
    return parseWith(schema, parseJson(json, "stored"), "stored");
  } catch {
    return null;
  }
}
