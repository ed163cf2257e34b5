import type { RetryPolicy } from "./schedule.js";

export const defaultRetry: RetryPolicy = {
  maxAttempts: 5,
  initialDelayMs: 1_000,
  factor: 2,
  maxDelayMs: 600_000,
};

/** Whether a job spends the wait for its next attempt elsewhere than on its queue, if it may. */
export const isLongWait = (delayMs: number): boolean => delayMs >= 30_000;

/** The wait after a failed attempt, or null when it was the last. `attempt` is 1 for the first. */
export function delayAfter(policy: RetryPolicy, attempt: number): number | null {
  if (attempt >= policy.maxAttempts) return null;
  if (policy.initialDelayMs === 0) return 0; // the growth may have passed every number
  return Math.min(policy.maxDelayMs, policy.initialDelayMs * policy.factor ** (attempt - 1));
}
