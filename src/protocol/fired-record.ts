/** Records of timers that were fired, as they lie in RUNS: `{"timers": [sequence in TIMERS, …]}`. */
import { z } from "zod";
import type { FiredRecord } from "../core/fired-record.js";

const firedRecord = z.object({ timers: z.array(z.int().positive()) });

export function encodeFired({ timers }: Pick<FiredRecord, "timers">): string {
  return JSON.stringify({ timers });
}

/** Nothing when it is none: anyone may publish into RUNS, and what cannot be read tells of no timer. */
export function decodeFired(text: string): readonly number[] {
  try {
    return firedRecord.parse(JSON.parse(text)).timers;
  } catch {
    return [];
  }
}
