/**
 * What a schedule says of its times, as people write it. The simple form is one of `cron`, `every`, `at`, `rrule`; the
 * general form a list `include` of such. What limits the times (`exclude`, `calendar`, …) goes with either.
 */
import { z } from "zod";
import { dstInput } from "./cron-input.js";
import { limits } from "./limits.js";
import { checkCalendarName } from "./names.js";
import { duration, instant, localTime, oneOrMany } from "./time-input.js";

export const calendarName = z.string().superRefine((value, context) => {
  try {
    checkCalendarName(value, "");
  } catch (error) {
    context.addIssue({ code: "custom", message: (error as Error).message });
  }
});

/** What fires, with what belongs to each. */
const itemFields = {
  cron: oneOrMany(z.string().max(limits.cronExpressionLength), limits.specItems)
    .optional()
    .describe("A cron line, 5 or 6 fields, @daily, or @every 10m; or a list of them."),
  timeZone: z.string().optional().describe("IANA zone of the cron line or the rrule. Default UTC."),
  dst: dstInput.optional().describe("What the cron line does where the clocks change."),
  every: duration.optional().describe("Fixed interval, counted from the anchor."),
  phase: duration.optional().describe("Shifts the interval. Default 0."),
  anchor: z
    .enum(["epoch", "startAt"])
    .optional()
    .describe("Where the interval is counted from. Default the Unix epoch."),
  at: oneOrMany(instant, limits.specTimes)
    .optional()
    .describe("Once, at this RFC 3339 time; or a list of them."),
  ifPast: z
    .enum(["run", "drop"])
    .optional()
    .describe("What becomes of times of `at` that have passed when the schedule is made. Default drop."),
  rrule: z
    .string()
    .max(limits.rruleLength)
    .optional()
    .describe("A recurrence rule of RFC 5545, as FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=17."),
  start: localTime.optional().describe("DTSTART of the rrule, local time. Default 1970-01-01T00:00:00."),
};

const kinds = ["cron", "every", "at", "rrule"] as const;

/** What goes with which kind only. */
const companions = {
  timeZone: ["cron", "rrule"],
  dst: ["cron"],
  phase: ["every"],
  anchor: ["every"],
  ifPast: ["at"],
  start: ["rrule"],
} as const;

const item = z
  .strictObject({
    ...itemFields,
    calendar: calendarName.optional().describe("Whenever this calendar opens."),
  })
  .superRefine((value, context) => checkItem(value, [...kinds, "calendar"], context));

const exclusion = z
  .strictObject({
    cron: itemFields.cron.describe(
      "All of each minute in which the line fires; of each second, with 6 fields.",
    ),
    timeZone: itemFields.timeZone,
    dst: itemFields.dst,
    at: itemFields.at,
    from: instant.optional().describe("Everything from here …"),
    to: instant.optional().describe("… to here, which is not excluded itself."),
    calendar: calendarName.optional().describe("While this calendar is closed."),
    when: z.enum(["closed", "open"]).optional().describe("Or while the calendar is open. Default closed."),
  })
  .superRefine((value, context) => {
    checkItem(value, ["cron", "at", "from", "calendar"], context);
    const { from, to, calendar, when } = value;
    const refuse = (path: string, message: string) =>
      context.addIssue({ code: "custom", path: [path], message });
    if (from !== undefined && to === undefined) refuse("to", "expected the end of the range");
    if (from === undefined && to !== undefined) refuse("to", "goes with from only");
    if (from !== undefined && to !== undefined && to <= from) refuse("to", "expected a time after from");
    if (when !== undefined && calendar === undefined) refuse("when", "goes with calendar only");
  });

export type ItemInput = z.output<typeof item>;
export type ExclusionInput = z.output<typeof exclusion>;

export const specFields = {
  ...itemFields,
  include: z
    .array(item)
    .min(1)
    .max(limits.specItems)
    .optional()
    .describe("Several of them: fires when any does."),
  exclude: z.array(exclusion).max(limits.specItems).optional().describe("Times at which nothing fires."),
  calendar: z
    .strictObject({
      name: calendarName,
      roll: z.enum(["skip", "next-business-day", "previous-business-day"]).default("skip"),
    })
    .optional()
    .describe("What becomes of fire times that a calendar does not allow. Default roll: skip."),
  startAt: instant.optional().describe("Nothing fires before."),
  endAt: instant.optional().describe("Nothing fires after."),
  spread: duration.optional().describe("Shifts all fire times by a stable part of this, hashed from the id."),
  jitter: duration
    .refine((value) => value <= limits.jitterMs, { error: "expected at most 1h" })
    .optional()
    .describe("Publishes each run up to this much later, by a hash of id and fire time."),
};

/** The fields of a schedule that say when, as they were parsed. */
export type SpecInput = z.output<z.ZodObject<typeof specFields>>;
/** The same as they are written. */
export type WrittenSpec = z.input<z.ZodObject<typeof specFields>>;

/** Refuses fields that do not go together. */
export function checkSpecInput(input: SpecInput, context: z.core.$RefinementCtx): void {
  checkItem(input, [...kinds, "include"], context);
  const { startAt, endAt, anchor, include } = input;
  const refuse = (path: PropertyKey[], message: string) =>
    context.addIssue({ code: "custom", path, message });
  if (startAt !== undefined && endAt !== undefined && endAt < startAt)
    refuse(["endAt"], "expected a time not before startAt");
  if (startAt !== undefined) return;
  if (anchor === "startAt") refuse(["anchor"], "expected startAt to be given with it");
  include?.forEach((one, index) => {
    if (one.anchor === "startAt")
      refuse(["include", index, "anchor"], "expected startAt to be given with it");
  });
}

/** Exactly one kind, and nothing that goes with another. */
function checkItem(
  value: Readonly<Record<string, unknown>>,
  expected: readonly string[],
  context: z.core.$RefinementCtx,
): void {
  const given = expected.filter((kind) => value[kind] !== undefined);
  const refuse = (path: string, message: string) =>
    context.addIssue({ code: "custom", path: [path], message });
  if (given.length !== 1) {
    const message = `expected one of ${expected.join(", ")}, got ${given.length} of them`;
    context.addIssue({ code: "custom", message });
  }
  for (const [field, owners] of Object.entries(companions)) {
    if (value[field] === undefined || owners.some((owner) => value[owner] !== undefined)) continue;
    refuse(field, `goes with ${owners.join(" or ")} only`);
  }
  const { every, phase } = value as { every?: number; phase?: number };
  if (every === 0) refuse("every", "expected at least 1 ms");
  if (every !== undefined && phase !== undefined && phase >= every)
    refuse("phase", "expected less than every");
}
