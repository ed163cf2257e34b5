/** Keys that are unique for a period: after one job with a key was let in, others are refused until the period is over. */
import type { Instant } from "./instant.js";
import type { CasOutcome, Versioned } from "./ports.js";

/** Who has the key, and for how long. */
export interface Claim {
  runId: string;
  until: Instant;
}

/** Claims by queue and key. They are forgotten some time after their periods are over. */
export interface ClaimStore {
  /** From the leader. */
  get(queue: string, key: string): Promise<Versioned<Claim> | null>;
  /** Writes if the revision is still this one; 0: if there is none. */
  write(queue: string, key: string, claim: Claim, revision: number): Promise<CasOutcome>;
}

/** Whether a run may have a key that is claimed. What has a claim keeps it: it is the same job again. */
export function mayClaim(existing: Claim | null, runId: string, now: Instant): boolean {
  return existing === null || existing.until <= now || existing.runId === runId;
}
