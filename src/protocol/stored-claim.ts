/** Claims of keys as they lie in their bucket. */
import { z } from "zod";
import type { Claim } from "../core/unique-period.js";

const claim = z.object({ runId: z.string(), until: z.number() });

/** Of what is no claim: somebody wrote there by hand, and nobody has the key. */
const NONE: Claim = { runId: "", until: 0 };

export const encodeClaim = (value: Claim): string => JSON.stringify(value);

export function decodeClaim(text: string): Claim {
  try {
    return claim.parse(JSON.parse(text));
  } catch {
    return NONE;
  }
}
