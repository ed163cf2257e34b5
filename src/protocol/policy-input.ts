/** The policies of a schedule: as people write them, and as they are stored. */
import { z } from "zod";
import { defaultPolicies, pausers, type RunPolicies } from "../core/policies.js";
import type { Instant, ScheduleDefinition } from "../core/schedule.js";
import { formatDuration } from "./duration.js";
import { limits } from "./limits.js";
import { duration, instant } from "./time-input.js";

export const policyFields = {
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
    catchUpRate: input.catchUpRate,
    ...(input.pausedUntil !== undefined && { pausedUntil: input.pausedUntil }),
  };
}

/** The input that says the same; what is as by default is left out. */
export function policyInputOf(definition: ScheduleDefinition): z.input<Policies> {
  const { startDeadlineMs, maxRuns, pauseOnFailure, catchUpRate, pausedUntil } = definition;
  return {
    ...(startDeadlineMs > 0 && { startDeadline: formatDuration(startDeadlineMs) }),
    ...(maxRuns > 0 && { maxRuns }),
    ...(pauseOnFailure > 0 && { pauseOnFailure }),
    ...(catchUpRate !== defaultPolicies.catchUpRate && { catchUpRate }),
    ...(pausedUntil !== undefined && { pausedUntil: new Date(pausedUntil).toISOString() }),
  };
}

/** In their bucket. Definitions that were stored before there was a policy have its default. */
export const storedPolicies = {
  startDeadlineMs: z.int().min(0).default(defaultPolicies.startDeadlineMs),
  maxRuns: z.int().min(0).default(defaultPolicies.maxRuns),
  countsFrom: z.int().default(defaultPolicies.countsFrom),
  pauseOnFailure: z.int().min(0).default(defaultPolicies.pauseOnFailure),
  catchUpRate: z.number().positive().default(defaultPolicies.catchUpRate),
  pausedUntil: z.int().optional(),
  pausedBy: z.enum(pausers).optional(),
};
