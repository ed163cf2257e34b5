/** Expected heartbeats: as people write them, and as they lie in their bucket, which is nearly the same. */
import { z } from "zod";
import { noCalendars } from "../core/calendar.js";
import { PunctualError } from "../core/errors.js";
import type { Heartbeat, Rhythm } from "../core/heartbeat.js";
import type { Instant } from "../core/instant.js";
import { checked } from "./checked-input.js";
import { formatDuration } from "./duration.js";
import { limits } from "./limits.js";
import { checkAlertName } from "./names.js";
import { parseJson, parseWith } from "./parse.js";
import { compileWritten } from "./spec-translation.js";
import { duration } from "./time-input.js";

export const heartbeatName = checked(checkAlertName);

const fields = {
  every: duration
    .refine((ms) => ms >= 1_000, { error: "expected at least 1s" })
    .optional()
    .describe("A beat is expected so long after the last one."),
  cron: z
    .string()
    .max(limits.cronExpressionLength)
    .optional()
    .describe("A beat is expected after each fire time of this cron line."),
  timeZone: z.string().optional().describe("IANA zone of the cron line. Default UTC."),
  grace: duration.default(300_000).describe("How much later it may come. Default 5m."),
  description: z.string().max(limits.noteLength).optional().describe("For people."),
};

type Fields = z.output<z.ZodObject<typeof fields>>;

export const heartbeatInput = z.strictObject(fields).superRefine((input, context) => {
  const refuse = (path: string, message: string) =>
    context.addIssue({ code: "custom", path: [path], message });
  const { every, cron, timeZone } = input;
  if ((every === undefined) === (cron === undefined))
    return refuse("every", `expected one of every, cron, got ${every === undefined ? "neither" : "both"}`);
  if (cron === undefined) {
    if (timeZone !== undefined) refuse("timeZone", "goes with cron only");
    return;
  }
  try {
    compileWritten({ kind: "cron", expression: cron, timeZone: timeZone ?? "UTC" }, "", noCalendars);
  } catch (error) {
    if (!(error instanceof PunctualError)) throw error;
    for (const { path, message } of error.issues) refuse(path, message);
  }
});

export type HeartbeatInput = z.input<typeof heartbeatInput>;

export function heartbeatOf(name: string, input: Fields, since: Instant): Heartbeat {
  const { grace, description } = input;
  return {
    ...{ name, since, rhythm: rhythmOf(input), graceMs: grace },
    ...(description !== undefined && { description }),
  };
}

function rhythmOf({ every = 0, cron, timeZone = "UTC" }: Fields): Rhythm {
  return cron === undefined
    ? { kind: "interval", everyMs: every }
    : { kind: "cron", expression: cron, timeZone };
}

/** The input that says the same. */
export function heartbeatInputOf({ rhythm, graceMs, description }: Heartbeat): HeartbeatInput {
  return {
    ...(rhythm.kind === "interval"
      ? { every: formatDuration(rhythm.everyMs) }
      : { cron: rhythm.expression, timeZone: rhythm.timeZone }),
    grace: formatDuration(graceMs),
    ...(description !== undefined && { description }),
  };
}

const stored = z.object({ since: z.number(), heartbeat: heartbeatInput });

export const encodeHeartbeat = (heartbeat: Heartbeat): string =>
  JSON.stringify({ since: heartbeat.since, heartbeat: heartbeatInputOf(heartbeat) });

/** @throws invalid: anyone with the rights can write into the bucket */
export function decodeHeartbeat(name: string, text: string): Heartbeat {
  const what = `stored heartbeat ${name}`;
  const { since, heartbeat } = parseWith(stored, parseJson(text, what), what);
  return heartbeatOf(name, heartbeat, since);
}
