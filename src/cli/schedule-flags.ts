/** The flags of a schedule, one for each field. */
import type { Command } from "commander";
import { invalid } from "../core/errors.js";
import { compileSpec } from "../core/time/fire-times.js";
import { checkScheduleId } from "../protocol/names.js";
import { parseJson, parseWith, show } from "../protocol/parse.js";
import { definitionOf, type ScheduleInput, scheduleInput } from "../protocol/schedule-input.js";
import { addFlags, type Flag, namingFlags, readFlags } from "./flags.js";
import { policyFlags } from "./policy-flags.js";

/** Of schedules and of single jobs. */
export const jobFlags: readonly Flag[] = [
  {
    flags: "--header <name: value>",
    field: "headers",
    kind: "headers",
    text: "added to the message; may be repeated",
  },
  {
    flags: "--retry-max-attempts <n>",
    field: "retry.maxAttempts",
    kind: "number",
    text: "attempts in all (default: the queue's, 5)",
  },
  {
    flags: "--retry-initial-delay <time>",
    field: "retry.initialDelay",
    kind: "duration",
    text: "wait before the second attempt (default: 1s)",
  },
  {
    flags: "--retry-factor <n>",
    field: "retry.factor",
    kind: "number",
    text: "growth of each further wait (default: 2)",
  },
  {
    flags: "--retry-max-delay <time>",
    field: "retry.maxDelay",
    kind: "duration",
    text: "no wait is longer (default: 10m)",
  },
  {
    flags: "--timeout <time>",
    field: "timeout",
    kind: "duration",
    text: "limit of one attempt (default: none)",
  },
];

export const scheduleFlags: readonly Flag[] = [
  {
    flags: "--cron <line>",
    field: "cron",
    kind: "text",
    text: "5 fields, 6 with leading seconds, @daily, or @every 10m",
  },
  {
    flags: "--time-zone <name>",
    field: "timeZone",
    kind: "text",
    text: "of the cron line, as Europe/Berlin (default: UTC)",
  },
  {
    flags: "--dst-gap <policy>",
    field: "dst.gap",
    kind: "text",
    text: "next or skip: local times that the clocks skip (default: daily next, else skip)",
  },
  {
    flags: "--dst-overlap <policy>",
    field: "dst.overlap",
    kind: "text",
    text: "first, second or both: local times that come twice (default: daily first, else both)",
  },
  { flags: "--every <time>", field: "every", kind: "duration", text: "fixed interval, as 90s or 1h30m" },
  { flags: "--phase <time>", field: "phase", kind: "duration", text: "shifts the interval (default: 0s)" },
  { flags: "--at <time>", field: "at", kind: "text", text: "once, as 2026-12-24T18:00:00Z" },
  { flags: "--queue <name>", field: "queue", kind: "text", text: "where the job goes (default: default)" },
  {
    flags: "--payload <json>",
    field: "payload",
    kind: "json",
    text: "message body, or @FILE (default: null)",
  },
  ...jobFlags,
  {
    flags: "--overlap <policy>",
    field: "overlap",
    kind: "text",
    text: "skip or allow, when an earlier run is not over (default: skip)",
  },
  {
    flags: "--misfire <policy>",
    field: "misfire",
    kind: "text",
    text: "skip, once or all: what was over a minute late (default: once)",
  },
  {
    flags: "--catch-up-window <time>",
    field: "catchUpWindow",
    kind: "duration",
    text: "what is older is missed (default: 24h)",
  },
  {
    flags: "--delivery <kind>",
    field: "delivery",
    kind: "text",
    text: "at-least-once or at-most-once (default: at-least-once)",
  },
  ...policyFlags,
  { flags: "--paused", field: "paused", kind: "switch", text: "does not fire until resumed" },
  { flags: "--note <text>", field: "note", kind: "text", text: "why it is paused; for people" },
  {
    flags: "--label <key=value>",
    field: "labels",
    kind: "labels",
    text: "to find it by; may be repeated",
  },
];

const otherNames = {
  id: "ID",
  expression: "--cron",
  schedule: "--cron, --every, --at",
  "": "--cron, --every, --at",
  ifRevision: "--if-revision",
  selector: "--label",
  count: "--count",
  from: "--from",
};

export function addScheduleFlags(command: Command): Command {
  return addFlags(command, scheduleFlags).option(
    "--file <file>",
    "the schedule as JSON, - for the standard input; flags override its fields",
  );
}

/** The schedule that flags and file describe; not checked yet, as the client does that. */
export async function readSchedule(
  options: Readonly<Record<string, unknown>>,
  readText: (path: string) => Promise<string>,
): Promise<ScheduleInput> {
  const flags = await readFlags(scheduleFlags, options, readText);
  if (typeof options.file !== "string") return flags;
  const what = `--file ${options.file}`;
  const file = parseJson(await readText(options.file), what);
  if (typeof file !== "object" || file === null || Array.isArray(file))
    throw invalid(what, `expected a JSON object, got ${show(file)}`);
  return merged(file as Record<string, unknown>, flags);
}

/** `over` wins, field by field, also within `retry`, `headers`, `dst` and `labels`. */
function merged(under: Record<string, unknown>, over: Record<string, unknown>): Record<string, unknown> {
  const result = { ...under, ...over };
  for (const field of ["retry", "headers", "dst", "labels"]) {
    const [a, b] = [under[field], over[field]];
    if (typeof a === "object" && typeof b === "object") result[field] = { ...a, ...b };
  }
  return result;
}

/** Errors of such requests name the flags. */
export const namingScheduleFlags = <T>(request: () => T | Promise<T>): Promise<T> =>
  namingFlags(scheduleFlags, otherNames, request);

/** Refuses a schedule that is wrong in itself, before any server is asked. */
export async function checkSchedule(schedule: ScheduleInput): Promise<void> {
  await namingScheduleFlags(() => {
    const parsed = parseWith(scheduleInput, schedule, "schedule");
    const context = { now: 0, queueMaxAttempts: Number.POSITIVE_INFINITY, firstRevision: 0 };
    compileSpec(definitionOf(parsed, context).spec, "");
  });
}

/** A schedule's id, as the user typed it. */
export const checkId = (id: string): string => checkScheduleId(id, "ID");
