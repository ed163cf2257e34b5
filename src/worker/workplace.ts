import type { z } from "zod";
import type { EndRecords, RunEnd } from "../core/end-record.js";
import { messageOf } from "../core/errors.js";
import type { Finished } from "../core/finished.js";
import type { Clock, DeadLetters, RunLog } from "../core/ports.js";
import type { HistoryLevel } from "../core/queue.js";
import type { WorkerTelemetry } from "../core/telemetry.js";
import type { Tracing } from "../core/tracing.js";
import type { Logger } from "../runtime/log.js";
import type { RunLogs } from "../runtime/run-log.js";
import type { Handler } from "./context.js";
import { EndsTogether } from "./ends-together.js";
import type { LongWaits } from "./long-waits.js";
import { Persistence } from "./persistence.js";
import type { Redact } from "./redact.js";
import type { Turns } from "./turns.js";

/** What all jobs of a worker have in common. */
export interface Workplace {
  runs: RunLog;
  dead: DeadLetters;
  clock: Clock;
  log: Logger;
  queue: string;
  /** Id of the worker, for the history. */
  worker: string;
  /** The queue's limit. */
  maxAttempts: number;
  /** What of its runs the queue keeps. */
  history: HistoryLevel;
  abortGraceMs: number;
  schema: z.ZodType | undefined;
  handler: Handler;
  turns: Turns;
  finished: Finished;
  /** Without it jobs wait on their queue, however long. */
  longWaits: LongWaits | undefined;
  /** Tells the ends that nothing rests upon. */
  ends: EndsTogether;
  /** Makes the loggers of runs. */
  logs: RunLogs;
  /** Names of fields that are kept out of the history, and what does it. */
  redacted: readonly string[];
  redact: Redact;
  telemetry: WorkerTelemetry;
  tracing: Tracing;
}

type EndsPlace = Pick<Workplace, "clock" | "log" | "queue" | "worker"> & { runs: EndRecords };

/** @returns stores crowds of ends, each in one record, for a minute if need be */
export function endsOf({ clock, log, runs, queue, worker }: EndsPlace): EndsTogether {
  return new EndsTogether((ends) => {
    const [{ runId, seq, attempt }] = ends as [RunEnd];
    const record = { queue, worker, msgId: `${runId}/ends/${seq}/${attempt}`, ends };
    const persistence = new Persistence(clock, (what, error) =>
      log.warn({ ends: ends.length, error: messageOf(error) }, `${what} failed: tried again`),
    );
    return persistence.of("storing successes", () => runs.appendEnds(record));
  });
}
