import type { z } from "zod";
import type { Clock, DeadLetters, RunLog } from "../core/ports.js";
import type { HistoryLevel } from "../core/queue.js";
import type { Logger } from "../runtime/log.js";
import type { Handler } from "./context.js";
import type { EndsTogether } from "./ends-together.js";
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
  /** Tells the ends that nothing rests upon. */
  ends: EndsTogether;
}
