/** The policies of a schedule: as people write them, and as they are stored. */
import { z } from "zod";
import { overlapPolicies } from "../core/overlap-policy.js";
import { defaultPolicies, pausers, type RunPolicies } from "../core/policies.js";
import type { Instant, ScheduleDefinition } from "../core/schedule.js";
import { formatDuration } from "./duration.js";
import { limits } from "./limits.js";
import { duration, instant } from "./time-input.js";

export const policyFields = {
  overlap: z.enum(overlapPolicies).default("skip").describe("When earlier runs are not over. Default skip."),
  maxConcurrent: z
    .int()
    .min(1)
    .max(limits.maxConcurrent)
    .default(defaultPolicies.maxConcurrent)
    .describe("Runs that may be queued or running at once, unless overlap is allow. Default 1."),
  bufferLimit: z
    .int()
    .min(1)
    .max(limits.bufferPerSchedule)
    .default(defaultPolicies.bufferLimit)
    .describe("Runs that may wait, with overlap buffer-all. Default 100."),
  startDeadline: duration
    .default(0)
    .describe("A run that has not started this long after its slot is expired, not run late. Default none."),
  maxRuns: z
    .int()
    .min(1)
    .optional()
    .describe("After so many fired slots it pauses itself. Default no limit."),
  pauseOnFailure: z
    .int()
    .min(1)
    .max(limits.pauseOnFailure)
    .optional()
    .describe("After so many failed runs in a row it pauses itself. Default never."),
  catchUpRate: z
    .number()
    .min(0.01)
    .max(1_000)
    .default(defaultPolicies.catchUpRate)
    .describe("Misfires that are fired in a second. Default 10."),
  pausedUntil: instant.optional().describe("Paused until then; it resumes by itself."),
};

type Policies = z.ZodObject<typeof policyFields>;

/** The policies that stand for an input that was parsed. */
export function policiesOf(input: z.output<Policies>, now: Instant): RunPolicies {
  return {
    startDeadlineMs: input.startDeadline,
    maxRuns: input.maxRuns ?? 0,
    countsFrom: now,
    pauseOnFailure: input.pauseOnFailure ?? 0,
    maxConcurrent: input.maxConcurrent,
    bufferLimit: input.bufferLimit,
    catchUpRate: input.catchUpRate,
    ...(input.pausedUntil !== undefined && { pausedUntil: input.pausedUntil }),
  };
}

/** The input that says the same; what is as by default is left out. */
export function policyInputOf(definition: ScheduleDefinition): z.input<Policies> {
  const { startDeadlineMs, maxRuns, pauseOnFailure, catchUpRate, pausedUntil } = definition;
  const { overlap, maxConcurrent, bufferLimit } = definition;
  return {
    overlap,
    ...(maxConcurrent !== defaultPolicies.maxConcurrent && { maxConcurrent }),
    ...(bufferLimit !== defaultPolicies.bufferLimit && { bufferLimit }),
    ...(startDeadlineMs > 0 && { startDeadline: formatDuration(startDeadlineMs) }),
    ...(maxRuns > 0 && { maxRuns }),
    ...(pauseOnFailure > 0 && { pauseOnFailure }),
    ...(catchUpRate !== defaultPolicies.catchUpRate && { catchUpRate }),
    ...(pausedUntil !== undefined && { pausedUntil: new Date(pausedUntil).toISOString() }),
  };
}

/** Fields that would do nothing are refused: whoever writes them expects something else. */
export function checkPolicies(
  { overlap, maxConcurrent, bufferLimit }: z.output<Policies>,
  context: z.RefinementCtx,
): void {
  const refuse = (field: string, message: string) =>
    context.addIssue({ code: "custom", path: [field], message });
  if (overlap === "allow" && maxConcurrent !== defaultPolicies.maxConcurrent)
    refuse("maxConcurrent", "goes with another overlap than allow");
  if (overlap !== "buffer-all" && bufferLimit !== defaultPolicies.bufferLimit)
    refuse("bufferLimit", "goes with overlap buffer-all only");
}

/** In their bucket. Definitions that were stored before there was a policy have its default. */
export const storedPolicies = {
  overlap: z.enum(overlapPolicies),
  maxConcurrent: z.int().min(1).default(defaultPolicies.maxConcurrent),
  bufferLimit: z.int().min(1).default(defaultPolicies.bufferLimit),
  startDeadlineMs: z.int().min(0).default(defaultPolicies.startDeadlineMs),
  maxRuns: z.int().min(0).default(defaultPolicies.maxRuns),
  countsFrom: z.int().default(defaultPolicies.countsFrom),
  pauseOnFailure: z.int().min(0).default(defaultPolicies.pauseOnFailure),
  catchUpRate: z.number().positive().default(defaultPolicies.catchUpRate),
  pausedUntil: z.int().optional(),
  pausedBy: z.enum(pausers).optional(),
};
