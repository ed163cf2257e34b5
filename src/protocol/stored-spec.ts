/** What a schedule says of its times, as it lies in the bucket. */
import { z } from "zod";
import type { ScheduleSpec } from "../core/schedule.js";

const cron = z.object({
  kind: z.literal("cron"),
  expression: z.string(),
  timeZone: z.string(),
  dst: z
    .object({
      gap: z.enum(["next", "skip"]).optional(),
      overlap: z.enum(["first", "second", "both"]).optional(),
    })
    .optional(),
});
const at = z.object({ kind: z.literal("at"), at: z.int() });

const items = [
  cron,
  z.object({
    kind: z.literal("every"),
    everyMs: z.int().min(1),
    phaseMs: z.int().min(0),
    anchor: z.literal("startAt").optional(),
  }),
  at.extend({ madeAt: z.int().optional() }),
  z.object({
    kind: z.literal("rrule"),
    rule: z.string(),
    timeZone: z.string(),
    start: z.string().optional(),
  }),
  z.object({ kind: z.literal("opening"), calendar: z.string() }),
] as const;

const exclusion = z.discriminatedUnion("kind", [
  cron,
  at,
  z.object({ kind: z.literal("range"), from: z.int(), to: z.int() }),
  z.object({ kind: z.literal("calendar"), calendar: z.string(), when: z.enum(["closed", "open"]) }),
]);

const composite = z.object({
  kind: z.literal("composite"),
  include: z.array(z.discriminatedUnion("kind", items)).min(1),
  calendar: z
    .object({ name: z.string(), roll: z.enum(["skip", "next-business-day", "previous-business-day"]) })
    .optional(),
  exclude: z.array(exclusion),
  startAt: z.int().optional(),
  endAt: z.int().optional(),
  spreadMs: z.int().min(0),
  jitterMs: z.int().min(0),
});

export const storedSpec: z.ZodType<ScheduleSpec> = z.discriminatedUnion("kind", [...items, composite]);
