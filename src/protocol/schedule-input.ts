/** A schedule as people and programs write it, and its translation into a definition. */
import { z } from "zod";
import { invalid } from "../core/errors.js";
import type { Labels } from "../core/labels.js";
import { priorities } from "../core/lane.js";
import { defaultRetry } from "../core/retry.js";
import type { Instant, RetryPolicy, ScheduleDefinition } from "../core/schedule.js";
import { formatDuration } from "./duration.js";
import { isReservedHeader } from "./headers.js";
import { labelMap } from "./label-input.js";
import { limits } from "./limits.js";
import { checkQueue } from "./names.js";
import { checkPolicies, policiesOf, policyFields, policyInputOf } from "./policy-input.js";
import { checkSpecInput, specFields } from "./spec-input.js";
import { specInputOf, specOf } from "./spec-translation.js";
import { duration } from "./time-input.js";

export const queueName = z.string().superRefine((value, context) => {
  try {
    checkQueue(value);
  } catch (error) {
    context.addIssue({ code: "custom", message: (error as Error).message.replace(/^queue: /, "") });
  }
});

export const headerMap = z
  .record(z.string(), z.string().max(limits.headerValueLength))
  .superRefine((map, context) => {
    const refuse = (name: string, message: string) =>
      context.addIssue({ code: "custom", path: [name], message });
    const count = Object.keys(map).length;
    if (count > limits.headers) {
      context.addIssue({
        code: "custom",
        message: `expected at most ${limits.headers} headers, got ${count}`,
      });
    }
    for (const [name, value] of Object.entries(map)) {
      if (!/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/.test(name)) refuse(name, "expected an HTTP-like header name");
      else if (isReservedHeader(name))
        refuse(name, "headers that begin with Nats- or Punctual- are reserved");
      if (/[\r\n]/.test(value)) refuse(name, "expected a value of one line");
    }
  });

export const retryInput = z.strictObject({
  maxAttempts: z
    .int()
    .min(1)
    .max(limits.maxAttempts)
    .optional()
    .describe("Attempts in all. Default: the queue's, 5."),
  initialDelay: duration.optional().describe("Wait before the second attempt. Default 1s."),
  factor: z.number().min(1).max(100).optional().describe("Growth of each further wait. Default 2."),
  maxDelay: duration.optional().describe("No wait is longer. Default 10m."),
});

export const scheduleInput = z
  .strictObject({
    ...specFields,
    queue: queueName.default("default").describe("Where the job goes. Default `default`."),
    payload: z
      .json({ error: "expected a JSON value" })
      .default(null)
      .describe("The message body, any JSON. Default null."),
    headers: headerMap.default({}).describe("Added to the message."),
    retry: retryInput.default({}),
    timeout: duration.default(0).describe("Limit of one attempt. Default none."),
    priority: z.enum(priorities).default("normal").describe("The lane of its runs. Default normal."),
    misfire: z
      .enum(["skip", "once", "all"])
      .default("once")
      .describe("Slots over a minute late. Default once."),
    catchUpWindow: duration.default(24 * 3_600_000).describe("Older slots are missed. Default 24h."),
    delivery: z.enum(["at-least-once", "at-most-once"]).default("at-least-once"),
    ...policyFields,
    paused: z.boolean().default(false),
    note: z.string().max(limits.noteLength).optional(),
    labels: labelMap.optional().describe("For people to find schedules by. Default none."),
  })
  .superRefine(checkSpecInput)
  .superRefine(checkPolicies)
  .superRefine(({ jitter = 0, startDeadline = 0 }, context) => {
    if (startDeadline > 0 && jitter >= startDeadline)
      context.addIssue({ code: "custom", path: ["jitter"], message: "expected less than startDeadline" });
  });

export type ScheduleInput = z.input<typeof scheduleInput>;

/** What the caller knows and the input does not. */
export interface DefinitionContext {
  now: Instant;
  /** The queue's limit, and the default of `retry.maxAttempts`. */
  queueMaxAttempts: number;
  /** Revision of the first definition under this id; 0 when this is the first. */
  firstRevision: number;
}

/** The definition that stands for an input that was parsed. */
export function definitionOf(
  input: z.output<typeof scheduleInput>,
  context: DefinitionContext,
): ScheduleDefinition {
  return {
    spec: specOf(input, context.now),
    job: {
      queue: input.queue,
      payload: input.payload,
      headers: input.headers,
      retry: retryOf(input.retry, context.queueMaxAttempts),
      timeoutMs: input.timeout,
      ...(input.priority !== "normal" && { priority: input.priority }),
    },
    overlap: input.overlap,
    misfire: input.misfire,
    catchUpWindowMs: input.catchUpWindow,
    delivery: input.delivery,
    ...policiesOf(input, context.now),
    paused: input.paused || input.pausedUntil !== undefined,
    note: input.note,
    ...(hasAny(input.labels) && { labels: input.labels }),
    deleted: false,
    effectiveFrom: context.now,
    firstRevision: context.firstRevision,
  };
}

/** The input that says the same as a definition. */
export function inputOf(definition: ScheduleDefinition): ScheduleInput {
  const { spec, job } = definition;
  return {
    ...specInputOf(spec),
    queue: job.queue,
    payload: job.payload as NonNullable<ScheduleInput["payload"]>,
    headers: { ...job.headers },
    retry: {
      maxAttempts: job.retry.maxAttempts,
      initialDelay: formatDuration(job.retry.initialDelayMs),
      factor: job.retry.factor,
      maxDelay: formatDuration(job.retry.maxDelayMs),
    },
    timeout: formatDuration(job.timeoutMs),
    ...(job.priority !== undefined && { priority: job.priority }),
    misfire: definition.misfire,
    catchUpWindow: formatDuration(definition.catchUpWindowMs),
    delivery: definition.delivery,
    ...policyInputOf(definition),
    paused: definition.paused,
    ...(definition.note !== undefined && { note: definition.note }),
    ...(hasAny(definition.labels) && { labels: { ...definition.labels } }),
  };
}

const hasAny = (labels: Labels | undefined): boolean => Object.keys(labels ?? {}).length > 0;

/** A retry policy with its defaults, checked against the queue's limit. */
export function retryOf(input: z.output<typeof retryInput>, queueMaxAttempts: number): RetryPolicy {
  const maxAttempts = input.maxAttempts ?? queueMaxAttempts;
  if (maxAttempts > queueMaxAttempts) {
    throw invalid(
      "retry.maxAttempts",
      `expected at most ${queueMaxAttempts}, the queue's limit, got ${maxAttempts}`,
    );
  }
  return {
    maxAttempts,
    initialDelayMs: input.initialDelay ?? defaultRetry.initialDelayMs,
    factor: input.factor ?? defaultRetry.factor,
    maxDelayMs: input.maxDelay ?? defaultRetry.maxDelayMs,
  };
}
