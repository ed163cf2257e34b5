/** What the API asks and tells of runs. All times are RFC 3339, in UTC. */
import { z } from "zod";
import { type Run, type RunState, runStates } from "../core/run.js";
import type { Instant } from "../core/schedule.js";
import { checked } from "./checked-input.js";
import { selectorText } from "./label-input.js";
import { limits } from "./limits.js";
import { checkScheduleId, isRunId } from "./names.js";
import { queueName } from "./schedule-input.js";
import { instant } from "./time-input.js";

const time = z.string().nullable();

export const runId = z.string().refine(isRunId, {
  error: "expected the id of a run: letters, digits and _ = : -, the first a letter or digit",
});

const state = z.enum(runStates);

/** Which runs are meant; all that is given must hold. */
const filter = {
  scheduleId: checked(checkScheduleId).optional(),
  queue: queueName.optional(),
  states: z.array(state).min(1).optional(),
  /** Labels of the schedule, or of the job. */
  selector: selectorText.optional(),
  worker: z.string().min(1).optional(),
  /** Of the times at which they were queued, or told to be skipped or missed. */
  from: instant.optional(),
  to: instant.optional(),
};

/** A run in brief. */
export const runSummary = z.object({
  id: z.string(),
  state,
  /** Why it ended so, where that is not plain. */
  reason: z.string().nullable(),
  error: z.string().nullable(),
  queue: z.string().nullable(),
  scheduleId: z.string().nullable(),
  /** Null when no schedule fired it. */
  fireTime: time,
  trigger: z.string().nullable(),
  /** The run upon whose end it follows. */
  parent: z.string().nullable(),
  labels: z.record(z.string(), z.string()),
  /** Of the last attempt; null for workers that do not tell. */
  worker: z.string().nullable(),
  queuedAt: time,
  startedAt: time,
  endedAt: time,
  /** Milliseconds, of the last attempt. */
  durationMs: z.number().nullable(),
  /** When the next attempt is due, or the first one of a run that waits. */
  nextAt: time,
  /** How many there were. */
  attempts: z.int(),
  progress: z.unknown(),
  /** Of skipped, missed and expired slots: the first, the last, and how many this stands for. */
  slots: z.object({ from: z.string(), to: z.string(), count: z.int() }).nullable(),
});
export type RunSummary = z.output<typeof runSummary>;

/** From due to done. `at` is null where nobody told. */
export const waterfallSteps = ["due", "committed", "stored", "delivered", "started", "acknowledged"] as const;

/** A run with all that is known of it. */
export const runView = runSummary.extend({
  lane: z.string().nullable(),
  /** Of its message in WORK. */
  subject: z.string().nullable(),
  seq: z.int().nullable(),
  attemptList: z.array(
    z.object({
      number: z.int(),
      worker: z.string().nullable(),
      startedAt: time,
      endedAt: time,
      /** Null: not over. `lost`: nobody answered in time. */
      outcome: z.enum(["succeeded", "failed", "cancelled", "lost"]).nullable(),
      durationMs: z.number().nullable(),
      error: z.string().nullable(),
      stack: z.string().nullable(),
    }),
  ),
  /** What the handler returned. */
  result: z.unknown(),
  logLines: z.int(),
  waterfall: z.array(
    z.object({
      step: z.enum(waterfallSteps),
      at: time,
      /** Milliseconds after the first step that is known. */
      afterMs: z.number().nullable(),
    }),
  ),
  /** A sentence on how it stands. */
  explanation: z.string(),
});
export type RunView = z.output<typeof runView>;

const logLine = z.object({
  time: z.string(),
  level: z.string(),
  msg: z.string(),
  data: z.unknown().optional(),
  attempt: z.int().nullable(),
});
export type RunLogLine = z.output<typeof logLine>;

const author = z.string().min(1).max(limits.authorLength).optional();

/** Below the time that callers wait for an answer. */
const MOST_WAIT_MS = 8_000;

const cursor = z
  .string()
  .regex(/^[0-9a-z]+$/, "expected the cursor of an answer")
  .describe("From an answer.");

export const runEndpoints = {
  /** The newest first. A page may be short, or empty, and not the last: `next` is null at the end. */
  "run.list": {
    request: z.strictObject({
      ...filter,
      limit: z.int().min(1).max(1_000).default(100),
      after: cursor.optional(),
    }),
    response: z.object({ runs: z.array(runSummary), next: z.string().nullable() }),
  },
  "run.get": { request: z.strictObject({ id: runId }), response: runView },
  /**
   * What has changed since the `next` of the answer before, the newest news last. Answers as soon as there is anything,
   * or when nothing was for a while. Without `after`: as it is now, if a run is named; else nothing.
   */
  "run.watch": {
    request: z.strictObject({
      id: runId.optional(),
      ...filter,
      after: cursor.optional(),
      waitMs: z.int().min(0).max(MOST_WAIT_MS).default(5_000),
    }),
    response: z.object({ runs: z.array(runSummary), next: z.string() }),
  },
  /** Lines as they were written, the oldest first. */
  "run.logs": {
    request: z.strictObject({
      id: runId,
      /** How many to pass over. */
      skip: z.int().min(0).default(0),
      limit: z.int().min(1).max(1_000).default(500),
    }),
    response: z.object({
      lines: z.array(logLine),
      /** Lines there are in all, by now. */
      total: z.int(),
      /** No more will come. */
      isOver: z.boolean(),
    }),
  },
  "run.cancel": {
    request: z.strictObject({
      id: runId,
      /** Also take it from the queue when a worker has it that does not answer: what that does, it does to the end. */
      force: z.boolean().default(false),
      author,
    }),
    response: z.object({ id: z.string(), outcome: z.enum(["signalled", "removed"]) }),
  },
  /** Once more, as a run of its own: from its dead letter, or as a trigger of its schedule. */
  "run.retry": {
    request: z.strictObject({ id: runId, author }),
    response: z.object({ id: z.string(), runId: z.string(), from: z.enum(["dead letter", "schedule"]) }),
  },
} as const;

export type RunFilter = Pick<z.output<(typeof runEndpoints)["run.list"]["request"]>, keyof typeof filter>;

export const cursorOf = (place: number): string => place.toString(36);
export const placeOfCursor = (text: string): number => Number.parseInt(text, 36);

const iso = (instant: Instant | null): string | null =>
  instant === null ? null : new Date(instant).toISOString();

export function summaryOf(run: Run): RunSummary {
  const {
    id,
    state,
    reason,
    error,
    queue,
    scheduleId,
    trigger,
    parent,
    labels,
    worker,
    durationMs,
    progress,
  } = run;
  const { slots } = run;
  return {
    ...{
      id,
      state,
      reason,
      error,
      queue,
      scheduleId,
      fireTime: iso(run.fireTime),
      trigger,
      parent,
      labels,
      worker,
    },
    ...{ queuedAt: iso(run.queuedAt), startedAt: iso(run.startedAt), endedAt: iso(run.endedAt), durationMs },
    ...{ nextAt: iso(run.nextAt), attempts: run.attemptCount, progress },
    slots:
      slots === null
        ? null
        : { from: iso(slots.from) as string, to: iso(slots.to) as string, count: slots.count },
  };
}

/** What only whoever looks at WORK can tell. */
export interface Sighting {
  /** When WORK stored the message. */
  storedAt: Instant | null;
}

export function viewOf(run: Run, { storedAt }: Sighting = { storedAt: null }): RunView {
  const { lane, subject, seq, attempts, result, logs } = run;
  return {
    ...summaryOf(run),
    ...{ lane, subject, seq, result, logLines: logs.length },
    attemptList: attempts.map((attempt) => ({
      ...attempt,
      startedAt: iso(attempt.startedAt),
      endedAt: iso(attempt.endedAt),
    })),
    waterfall: waterfallOf(run, storedAt),
    explanation: explanationOf(run),
  };
}

function waterfallOf(run: Run, storedAt: Instant | null): RunView["waterfall"] {
  const times: Record<(typeof waterfallSteps)[number], Instant | null> = {
    due: run.fireTime,
    committed: null,
    stored: storedAt ?? (run.seq === null ? null : run.queuedAt),
    delivered: null,
    started: run.startedAt,
    acknowledged: run.endedAt,
  };
  const start = waterfallSteps.map((step) => times[step]).find((at) => at !== null) ?? null;
  return waterfallSteps.map((step) => {
    const at = times[step];
    return { step, at: iso(at), afterMs: at === null || start === null ? null : at - start };
  });
}

const SENTENCES: Readonly<Record<RunState, string>> = {
  waiting: "it waits for its time, or for the limits of its queue to let it pass",
  queued: "it is in its queue, and no worker has begun it as far as is told",
  running: "a worker has it",
  retrying: "an attempt failed, and the next one has not begun",
  succeeded: "it is done",
  failed: "its worker gave it up for good",
  dead: "it failed for good, and is in the dead letters",
  cancelled: "somebody asked for its end",
  expired: "it was not started by its deadline",
  skipped: "it was not run",
  missed: "it was not run",
  unknown: "it has left its queue, and nothing tells how it ended",
};

function explanationOf(run: Run): string {
  const { state, reason, error, worker, attemptCount, nextAt } = run;
  const parts = [
    SENTENCES[state],
    reason === null ? "" : `reason: ${reason}`,
    error === null ? "" : `last error: ${error.split("\n")[0]}`,
    attemptCount > 1 ? `${attemptCount} attempts` : "",
    worker !== null && state === "running" ? `worker: ${worker}` : "",
    nextAt === null ? "" : `next: ${iso(nextAt)}`,
  ];
  return parts.filter((part) => part !== "").join("; ");
}
