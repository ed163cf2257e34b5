/**
 * End records as they lie in RUNS:
 * `{"queue": "mail", "worker": "w1", "succeeded": [[runId, seq, attempt, durationMs, result], …]}`.
 */
import { z } from "zod";
import type { EndRecord, RunEnd } from "../core/end-record.js";
import { isRunId } from "./names.js";

const endRecord = z.object({
  queue: z.string(),
  worker: z.string(),
  succeeded: z.array(
    z.tuple(
      [z.string().refine(isRunId), z.int().positive(), z.int().positive(), z.number().nonnegative()],
      z.unknown(),
    ),
  ),
});

export function encodeEnds({ queue, worker, ends }: Omit<EndRecord, "msgId">): string {
  return JSON.stringify({ queue, worker, succeeded: ends.map(rowOf) });
}

function rowOf({ runId, seq, attempt, durationMs, result }: RunEnd): unknown[] {
  const row: unknown[] = [runId, seq, attempt, durationMs];
  if (result !== undefined) row.push(result);
  return row;
}

/** Null when it is none: anyone may publish into RUNS, and what cannot be read tells of no run. */
export function decodeEnds(text: string): Omit<EndRecord, "msgId"> | null {
  try {
    const { queue, worker, succeeded } = endRecord.parse(JSON.parse(text));
    const ends = succeeded.map(([runId, seq, attempt, durationMs, result]) => {
      const end: RunEnd = { runId, seq, attempt, durationMs };
      return result === undefined ? end : { ...end, result };
    });
    return { queue, worker, ends };
  } catch {
    return null;
  }
}
