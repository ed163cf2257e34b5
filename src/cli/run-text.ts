/** Runs as people read them. */
import type { RunSummary, RunView } from "../protocol/run-api.js";
import { utcTime } from "./output.js";

export const runColumns = ["ID", "STATE", "QUEUE", "DUE", "QUEUED", "DONE", "DURATION", "ATTEMPTS"];

export function runRow(run: RunSummary): string[] {
  const { id, state, queue, fireTime, queuedAt, endedAt, durationMs, attempts, slots } = run;
  const many = slots !== null && slots.count > 1 ? ` (${slots.count} slots)` : "";
  return [
    `${id}${many}`,
    state,
    queue ?? "-",
    timeOf(fireTime),
    timeOf(queuedAt),
    timeOf(endedAt),
    durationOf(durationMs),
    String(attempts),
  ];
}

/** Everything of a run but its attempts, a field a row; what is not known is left out. */
export function runFields(run: RunView): string[][] {
  const slots = run.slots === null ? null : `${timeOf(run.slots.from)} to ${timeOf(run.slots.to)}`;
  const labels = Object.entries(run.labels).map(([key, value]) => `${key}=${value}`);
  const fields: [string, string | null][] = [
    ["state", run.state],
    ["", run.explanation],
    ["schedule", run.scheduleId],
    ["queue", run.queue],
    ["lane", run.lane === "work" ? null : run.lane],
    ["trigger", run.trigger],
    ["follows upon", run.parent],
    ["labels", labels.length === 0 ? null : labels.join(", ")],
    ["slots", slots],
    ["progress", run.progress === null ? null : JSON.stringify(run.progress)],
    ["result", run.result === null || run.result === undefined ? null : JSON.stringify(run.result)],
    ["log lines", run.logLines === 0 ? null : String(run.logLines)],
  ];
  return fields.flatMap(([name, value]) => (value === null ? [] : [[name, value]]));
}

export const attemptColumns = ["ATTEMPT", "WORKER", "STARTED", "ENDED", "DURATION", "OUTCOME", "ERROR"];

export const attemptRows = (run: RunView): string[][] =>
  run.attemptList.map(({ number, worker, startedAt, endedAt, durationMs, outcome, error }) => [
    String(number),
    worker ?? "-",
    timeOf(startedAt),
    timeOf(endedAt),
    durationOf(durationMs),
    outcome ?? "-",
    error?.split("\n")[0] ?? "-",
  ]);

/** The steps that are known, each with the time since the first. */
export const waterfallRows = (run: RunView): string[][] =>
  run.waterfall
    .filter(({ at }) => at !== null)
    .map(({ step, at, afterMs }) => [step, timeOf(at), afterMs === 0 ? "" : `+${durationOf(afterMs)}`]);

export const timeOf = (text: string | null): string => (text === null ? "-" : utcTime(Date.parse(text)));

/** `850 ms`, `12.4 s`, `3 m 20 s`. */
export function durationOf(ms: number | null): string {
  if (ms === null) return "-";
  if (ms < 10) return `${Math.round(ms * 10) / 10} ms`;
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${Math.round(ms / 100) / 10} s`;
  const seconds = Math.round(ms / 1_000);
  const [hours, minutes] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60];
  return hours > 0 ? `${hours} h ${minutes} m` : `${minutes} m ${seconds % 60} s`;
}
