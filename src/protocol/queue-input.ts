/** Settings of a queue: as people and programs write them, and as they lie in their bucket, which is the same. */
import { z } from "zod";
import { messageOf } from "../core/errors.js";
import {
  defaultQueueSettings as defaults,
  historyLevels,
  type KeyLimits,
  type QueueRecord,
  type QueueRequest,
  type RateLimit,
  settingsOf,
} from "../core/queue.js";
import { formatDuration } from "./duration.js";
import { limits } from "./limits.js";
import { parseJson, parseWith, read as readBy, show } from "./parse.js";
import { duration, instant } from "./time-input.js";

const longerThan = (least: number, what: string) =>
  duration.refine((ms) => ms >= least, { error: `expected at least ${what}` });

const rateObject = z
  .strictObject({
    limit: z.int().min(1).max(limits.rateLimit).describe("Jobs in one period."),
    period: longerThan(1, "1ms").default(1_000).describe("Default 1s."),
    burst: z.int().min(1).max(limits.rateLimit).optional().describe("At once after a rest. Default: limit."),
  })
  .transform(({ limit, period, burst }): RateLimit => ({ limit, periodMs: period, burst: burst ?? limit }));

/** `100/s`, `30/m`, `5/10s`, or `{limit, period, burst}`. */
export const rateInput = z.unknown().transform((value, context): RateLimit => {
  const read = readBy(rateObject, typeof value === "string" ? partsOf(value) : value);
  if (read.success) return read.data;
  if (typeof value === "string" || typeof value !== "object" || value === null) {
    const expected = 'expected a rate such as "100/s", "30/m", "5/10s", or {limit, period, burst}';
    context.addIssue({ code: "custom", message: `${expected}, got ${show(value)}` });
  } else
    for (const { path, message } of read.error.issues)
      context.addIssue({ code: "custom", path: [...path], message });
  return z.NEVER;
}) as unknown as z.ZodType<RateLimit, string | z.input<typeof rateObject>>;

function partsOf(text: string): unknown {
  const [, limit, count = "", unit] = /^(\d{1,9})\/(\d*)(ms|s|m|h|d)$/.exec(text) ?? [];
  return limit === undefined ? undefined : { limit: Number(limit), period: `${count || 1}${unit}` };
}

const perKey = z
  .strictObject({
    concurrency: z.int().min(1).max(limits.keyConcurrency).optional().describe("Default no limit."),
    rate: rateInput.optional().describe("Default none."),
    order: z.boolean().default(false).describe("One after another, as they came. Default false."),
  })
  .superRefine(({ concurrency = 1, order }, context) => {
    if (order && concurrency > 1)
      context.addIssue({ code: "custom", path: ["concurrency"], message: "expected 1 with order" });
  });

const fields = {
  ackWait: longerThan(limits.minAckWaitMs, "100ms")
    .optional()
    .describe("A job whose worker was silent for this long is delivered again. Default 10s."),
  maxAttempts: z
    .int()
    .min(1)
    .max(limits.maxAttempts)
    .optional()
    .describe("Deliveries of one job, the first included. Default 5."),
  backoff: z
    .array(duration)
    .max(limits.maxAttempts - 1)
    .optional()
    .describe("Waits after the ack wait, one for each attempt; for workers without the SDK. Default none."),
  concurrency: z
    .int()
    .min(1)
    .max(limits.queueConcurrency)
    .optional()
    .describe("Jobs of a lane that may run at once, over all workers. Default 1000."),
  paused: z.boolean().optional().describe("Default false."),
  pausedUntil: instant
    .optional()
    .describe("Paused until then; it resumes by itself. Nothing with paused: false."),
  note: z.string().max(limits.noteLength).optional().describe("For people."),
  maxDepth: z
    .int()
    .min(1)
    .optional()
    .describe("Jobs in the queue, running ones included; more are refused. Default no limit."),
  history: z
    .enum(historyLevels)
    .optional()
    .describe("What workers tell of its runs: full, outcome, off. Default full."),
  rate: rateInput.optional().describe("Of the queue as a whole. Default none."),
  perKey: perKey.optional().describe("Of the jobs with one key. Default none."),
};

type Fields = z.output<z.ZodObject<typeof fields>>;

/** JetStream wants more deliveries than waits between them. */
function checkRelations({ backoff = [], maxAttempts }: Fields, context: z.RefinementCtx): void {
  const most = (maxAttempts ?? defaults.maxAttempts) - 1;
  if (backoff.length <= most) return;
  const message = `expected at most ${most}, one fewer than maxAttempts, got ${backoff.length}`;
  context.addIssue({ code: "custom", path: ["backoff"], message });
}

export const queueInput = z.strictObject(fields).superRefine(checkRelations);
export type QueueInput = z.input<typeof queueInput>;

/** In the bucket: a field that a newer version knows is passed over. */
const stored = z.object(fields).superRefine(checkRelations);

export function queueRequestOf(input: Fields): QueueRequest {
  const { ackWait, backoff, pausedUntil, paused, ...rest } = input;
  const request: QueueRequest = {
    ...rest,
    ackWaitMs: ackWait,
    backoffMs: backoff,
    paused: paused ?? (pausedUntil === undefined ? undefined : true),
    pausedUntil: paused === false ? undefined : pausedUntil,
  };
  return Object.fromEntries(Object.entries(request).filter(([, value]) => value !== undefined));
}

/** The input that says the same. */
export function queueInputOf(asked: QueueRequest): QueueInput {
  const { ackWaitMs, backoffMs, pausedUntil, rate, perKey: key, ...rest } = asked;
  const input = {
    ...(ackWaitMs !== undefined && { ackWait: formatDuration(ackWaitMs) }),
    ...(backoffMs !== undefined && { backoff: backoffMs.map(formatDuration) }),
    ...rest,
    ...(pausedUntil !== undefined && { pausedUntil: new Date(pausedUntil).toISOString() }),
    ...(rate !== undefined && { rate: rateInputOf(rate) }),
    ...(key !== undefined && { perKey: keyInputOf(key) }),
  };
  return Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined));
}

function keyInputOf({ concurrency, rate, order }: KeyLimits): QueueInput["perKey"] {
  return {
    ...(concurrency !== undefined && { concurrency }),
    ...(rate !== undefined && { rate: rateInputOf(rate) }),
    order,
  };
}

function rateInputOf({ limit, periodMs, burst }: RateLimit) {
  return { limit, period: formatDuration(periodMs), burst };
}

export const encodeQueue = (asked: QueueRequest): string => JSON.stringify(queueInputOf(asked));

/** What lies in the bucket. Anyone with the rights can write there: what cannot be read asks for nothing, and says so. */
export function readQueueRecord(queue: string, text: string, revision: number): QueueRecord {
  try {
    const what = `stored queue ${queue}`;
    const asked = queueRequestOf(parseWith(stored, parseJson(text, what), what));
    return { queue, revision, asked, settings: settingsOf(asked) };
  } catch (error) {
    return { queue, revision, asked: {}, settings: settingsOf({}), unreadable: messageOf(error) };
  }
}
