/** What a schedule says of runs that are under way at the same time. */
export const overlapPolicies = [
  "allow",
  "skip",
  "buffer-one",
  "buffer-all",
  "cancel-other",
  "terminate-other",
] as const;
export type OverlapPolicy = (typeof overlapPolicies)[number];

export interface OverlapRule {
  overlap: OverlapPolicy;
  /** Runs that may be queued or running at once; nothing to `allow`. */
  maxConcurrent: number;
  /** Of `buffer-all`: runs that may wait. */
  bufferLimit: number;
}

/** Whether runs of a schedule wait for each other, in the order of their slots. */
export function takesTurns({ overlap }: Pick<OverlapRule, "overlap">): boolean {
  return overlap !== "allow" && overlap !== "skip";
}
