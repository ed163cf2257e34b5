/** An instant as it is written on the command line. */
import { invalid } from "../core/errors.js";
import type { Instant } from "../core/schedule.js";
import { instant } from "../protocol/time-input.js";

export function instantOf(flag: string, text: string): Instant {
  const parsed = instant.safeParse(text);
  if (parsed.success) return parsed.data;
  throw invalid(flag, `${parsed.error.issues[0]?.message}, got ${JSON.stringify(text)}`);
}
