/** Alert rules: as people write them, and as they lie in their bucket, which is nearly the same. */
import { z } from "zod";
import type { AlertRule, Condition } from "../core/alert-rule.js";
import type { Instant } from "../core/instant.js";
import type { Requirement, Selector } from "../core/labels.js";
import { checked } from "./checked-input.js";
import { formatDuration } from "./duration.js";
import { selectorText } from "./label-input.js";
import { limits } from "./limits.js";
import { checkAlertName, checkScheduleId } from "./names.js";
import { parseJson, parseWith } from "./parse.js";
import { queueName } from "./schedule-input.js";
import { duration } from "./time-input.js";

export const alertName = checked(checkAlertName);

const longerThan = (least: number, what: string) =>
  duration.refine((ms) => ms >= least, { error: `expected at least ${what}` });
/** Nobody looks more often than that. */
const period = longerThan(1_000, "1s");

const schedules = z
  .strictObject({
    ids: z.array(checked(checkScheduleId)).min(1).max(limits.alertTargets).optional(),
    labels: selectorText.optional().describe("A selector, as team=billing,env!=test."),
  })
  .optional()
  .describe("Those with these ids and labels. Default: all.");
const queues = z
  .array(queueName)
  .min(1)
  .max(limits.alertTargets)
  .optional()
  .describe("Those of these names. Default: all.");
const description = z.string().max(limits.noteLength).optional().describe("For people.");

const either = { schedules, queues, description };
const onlyOne = ({ schedules, queues }: { schedules?: unknown; queues?: unknown }) =>
  schedules === undefined || queues === undefined;
const ONLY_ONE = { error: "expected schedules or queues, not both", path: ["queues"] };

const kinds = {
  late: z.strictObject({ kind: z.literal("late"), schedules, after: period, description }),
  missed: z.strictObject({ kind: z.literal("missed"), schedules, description }),
  failing: z
    .strictObject({
      kind: z.literal("failing"),
      ...either,
      times: z.int().min(1).max(limits.alertFailures).default(1).describe("Runs in a row. Default 1."),
    })
    .refine(onlyOne, ONLY_ONE),
  "running-long": z
    .strictObject({ kind: z.literal("running-long"), ...either, after: period })
    .refine(onlyOne, ONLY_ONE),
  "not-succeeded": z.strictObject({
    kind: z.literal("not-succeeded"),
    schedules,
    within: period,
    description,
  }),
  "queue-deep": z
    .strictObject({
      kind: z.literal("queue-deep"),
      queues,
      over: z.int().min(0).optional().describe("Jobs that wait."),
      olderThan: period.optional().describe("Age of the oldest job that is not done."),
      description,
    })
    .refine(({ over, olderThan }) => over !== undefined || olderThan !== undefined, {
      error: "expected over, olderThan, or both, got neither",
      path: ["over"],
    }),
  "dead-letters": z.strictObject({
    kind: z.literal("dead-letters"),
    queues,
    over: z.int().min(0).max(limits.alertDeaths).default(0).describe("Default 0: the first is one too many."),
    within: period.default(3_600_000).describe("Default 1h."),
    description,
  }),
} as const;

export const alertKinds = Object.keys(kinds) as (keyof typeof kinds)[];

/** Whether a rule of this kind has this field; so it is with what is no kind. */
export function takesField(kind: unknown, field: string): boolean {
  const known = alertKinds.find((one) => one === kind);
  return known === undefined || field in kinds[known].shape;
}

export const alertInput = z.discriminatedUnion(
  "kind",
  [
    kinds.late,
    kinds.missed,
    kinds.failing,
    kinds["running-long"],
    kinds["not-succeeded"],
    kinds["queue-deep"],
    kinds["dead-letters"],
  ],
  {
    error: (issue) =>
      issue.code === "invalid_union" ? `expected one of ${alertKinds.join(", ")}` : undefined,
  },
);

export type AlertInput = z.input<typeof alertInput>;
type Parsed = z.output<typeof alertInput>;

export function ruleOf(name: string, input: Parsed, madeAt: Instant): AlertRule {
  const { description } = input;
  return { ...conditionOf(input), name, madeAt, ...(description !== undefined && { description }) };
}

function conditionOf(input: Parsed): Condition {
  switch (input.kind) {
    case "late":
      return { kind: input.kind, on: schedulesOf(input), afterMs: input.after };
    case "missed":
      return { kind: input.kind, on: schedulesOf(input) };
    case "failing":
      return { kind: input.kind, on: eitherOf(input), times: input.times };
    case "running-long":
      return { kind: input.kind, on: eitherOf(input), afterMs: input.after };
    case "not-succeeded":
      return { kind: input.kind, on: schedulesOf(input), withinMs: input.within };
    case "queue-deep":
      return { kind: input.kind, on: queuesOf(input), over: input.over, olderThanMs: input.olderThan };
    case "dead-letters":
      return { kind: input.kind, on: queuesOf(input), over: input.over, withinMs: input.within };
  }
}

interface On {
  schedules?: { ids?: string[] | undefined; labels?: Selector | undefined } | undefined;
  queues?: string[] | undefined;
}

const schedulesOf = ({ schedules }: On) => ({ of: "schedules", ...schedules }) as const;
const queuesOf = ({ queues }: On) => ({ of: "queues", names: queues }) as const;
const eitherOf = (on: On) => (on.queues === undefined ? schedulesOf(on) : queuesOf(on));

/** The input that says the same. */
export function alertInputOf(rule: AlertRule): AlertInput {
  const { kind, on, description } = rule;
  const meant =
    on.of === "queues"
      ? { queues: on.names }
      : { schedules: on.ids === undefined && on.labels === undefined ? undefined : selectionOf(on) };
  const all = { kind, ...meant, ...thresholdsOf(rule), description };
  const given = Object.entries(all).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as AlertInput;
}

function selectionOf({
  ids,
  labels,
}: {
  ids?: readonly string[] | undefined;
  labels?: Selector | undefined;
}) {
  return { ...(ids && { ids: [...ids] }), ...(labels && { labels: labels.map(textOf).join(",") }) };
}

function textOf({ key, kind, value }: Requirement): string {
  if (kind === "exists") return key;
  return kind === "absent" ? `!${key}` : `${key}${kind === "is" ? "=" : "!="}${value}`;
}

function thresholdsOf(rule: AlertRule): Record<string, unknown> {
  const ms = (value: number | undefined) => (value === undefined ? undefined : formatDuration(value));
  switch (rule.kind) {
    case "late":
    case "running-long":
      return { after: ms(rule.afterMs) };
    case "failing":
      return { times: rule.times };
    case "not-succeeded":
      return { within: ms(rule.withinMs) };
    case "queue-deep":
      return { over: rule.over, olderThan: ms(rule.olderThanMs) };
    case "dead-letters":
      return { over: rule.over, within: ms(rule.withinMs) };
    default:
      return {};
  }
}

const stored = z.object({ madeAt: z.number(), rule: alertInput });

export const encodeRule = (rule: AlertRule): string =>
  JSON.stringify({ madeAt: rule.madeAt, rule: alertInputOf(rule) });

/** @throws invalid: anyone with the rights can write into the bucket */
export function decodeRule(name: string, text: string): AlertRule {
  const what = `stored alert rule ${name}`;
  const { madeAt, rule } = parseWith(stored, parseJson(text, what), what);
  return ruleOf(name, rule, madeAt);
}
