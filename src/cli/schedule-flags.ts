/** The flags of a schedule, one for each field. */
import type { Command } from "commander";
import { anyCalendar } from "../core/calendar.js";
import { invalid } from "../core/errors.js";
import { checkScheduleId } from "../protocol/names.js";
import { parseJson, parseWith, show } from "../protocol/parse.js";
import { definitionOf, type ScheduleInput, scheduleInput } from "../protocol/schedule-input.js";
import { compileWritten } from "../protocol/spec-translation.js";
import { addFlags, type Flag, namingFlags, readFlags } from "./flags.js";
import { policyFlags } from "./policy-flags.js";
import { timeFlags } from "./time-flags.js";

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
  {
    flags: "--priority <level>",
    field: "priority",
    kind: "text",
    text: "high, normal or low (default: normal)",
  },
];

export const scheduleFlags: readonly Flag[] = [
  ...timeFlags,
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
    text: "skip, allow, buffer-one, buffer-all, cancel-other or terminate-other (default: skip)",
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
  rule: "--rrule",
  schedule: "--cron, --every, --at, --rrule, --include",
  "": "--cron, --every, --at, --rrule, --include",
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

/** `over` wins, field by field, also within `retry`, `headers`, `dst`, `calendar` and `labels`. */
function merged(under: Record<string, unknown>, over: Record<string, unknown>): Record<string, unknown> {
  const result = { ...under, ...over };
  for (const field of ["retry", "headers", "dst", "calendar", "labels"]) {
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
    compileWritten(definitionOf(parsed, context).spec, "", anyCalendar);
  });
}

/** A schedule's id, as the user typed it. */
export const checkId = (id: string): string => checkScheduleId(id, "ID");
