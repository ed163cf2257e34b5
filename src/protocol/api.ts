/**
 * The API: a NATS service, JSON in, JSON out, on `<ns>.api.<endpoint>`. A refusal carries the headers of NATS
 * micro (`Nats-Service-Error`, `Nats-Service-Error-Code`) and a body `{code, message, issues}`.
 */
import { z } from "zod";
import { reprocessings } from "../core/backfill.js";
import type { ErrorCode } from "../core/errors.js";
import { explanationCodes } from "../core/explain.js";
import { alertEndpoints } from "./alert-api.js";
import { backfillId, backfillView, rateText } from "./backfill.js";
import { calendarInput } from "./calendar-input.js";
import { checked } from "./checked-input.js";
import { deadEndpoints } from "./dead-api.js";
import { enqueued } from "./enqueue-input.js";
import { groupEndpoints } from "./group-api.js";
import { heartbeatEndpoints } from "./heartbeat-api.js";
import { scheduleHistory } from "./history.js";
import { jobEndpoints } from "./job-api.js";
import { selectorText } from "./label-input.js";
import { limits } from "./limits.js";
import { checkScheduleId } from "./names.js";
import { queueEndpoints } from "./queue-api.js";
import { runEndpoints } from "./run-api.js";
import { headerMap, scheduleInput } from "./schedule-input.js";
import { calendarName } from "./spec-input.js";
import { instant } from "./time-input.js";
import { verifyEndpoints } from "./verify-api.js";

export const apiServiceName = "punctual";

const id = checked(checkScheduleId);
const byId = z.strictObject({ id });
const byBackfillId = z.strictObject({ id: backfillId });
const afterId = id.optional().describe("Ids after this one.");
const pageSize = z.int().min(1).max(1_000).default(100);
const note = z.string().max(limits.noteLength).optional();

/** Who asks, for the history of what was asked. */
const author = z
  .string()
  .min(1)
  .max(limits.authorLength)
  .regex(/^\P{Cc}*$/u, "expected a name of one line")
  .optional();
/** Only if the revision is still this one; 0: only if it does not exist. */
const ifRevision = z.int().min(0).optional();

/** A schedule as the API shows it. */
export const scheduleView = z.object({
  id: z.string(),
  revision: z.int(),
  shard: z.int(),
  /** In the form in which it can be put again. */
  schedule: z.record(z.string(), z.unknown()),
  /** RFC 3339; null when it is paused or never fires again. */
  nextFireTime: z.string().nullable(),
  /** When and by whom this revision was written, where it is known. */
  changedAt: z.string().optional(),
  changedBy: z.string().optional(),
});
export type ScheduleView = z.output<typeof scheduleView>;

/** A calendar as the API shows it. */
export const calendarView = z.object({
  name: z.string(),
  revision: z.int(),
  /** In the form in which it can be put again. */
  calendar: z.record(z.string(), z.unknown()),
});
export type CalendarView = z.output<typeof calendarView>;

const preview = z.object({
  /** `at` in UTC, `local` by the clock of the zone, `note` where the clocks change. All times RFC 3339. */
  fires: z.array(z.object({ at: z.string(), local: z.string(), note: z.string().nullable() })),
  timeZone: z.string(),
  /** The release of the tz data that was used. */
  tzData: z.string(),
});

/** Every endpoint with the schemas of its request and its response. */
export const endpoints = {
  "schedule.put": {
    request: z.strictObject({ id, schedule: scheduleInput, ifRevision, author }),
    response: scheduleView,
  },
  /** JSON Merge Patch (RFC 7396) on the schedule as `schedule.get` shows it: null removes, the rest stays. */
  "schedule.patch": {
    request: z.strictObject({ id, patch: z.record(z.string(), z.json()), ifRevision, author }),
    response: scheduleView,
  },
  "schedule.get": { request: byId, response: scheduleView },
  "schedule.list": {
    request: z.strictObject({ after: afterId, limit: pageSize, selector: selectorText.optional() }),
    response: z.object({ schedules: z.array(scheduleView), next: z.string().nullable() }),
  },
  "schedule.delete": {
    request: z.strictObject({ id, ifRevision, author }),
    response: z.object({ id: z.string() }),
  },
  "schedule.pause": {
    request: z.strictObject({
      id,
      note,
      author,
      /** It resumes by itself then. Default: until it is resumed. */
      until: instant.optional(),
    }),
    response: scheduleView,
  },
  "schedule.resume": { request: z.strictObject({ id, author }), response: scheduleView },
  /** Pauses or resumes every schedule that the selector picks, a page at a time. */
  "schedule.bulk": {
    request: z.strictObject({
      action: z.enum(["pause", "resume"]),
      selector: selectorText,
      note,
      /** Of a pause: it ends by itself then. */
      until: instant.optional(),
      author,
      after: afterId,
      limit: pageSize,
    }),
    response: z.object({
      matched: z.int(),
      /** Fewer than matched when some were paused, or not paused, already. */
      changed: z.int(),
      failed: z.array(z.object({ id: z.string(), message: z.string() })),
      next: z.string().nullable(),
    }),
  },
  "schedule.trigger": {
    request: z.strictObject({
      id,
      /** When a run of it is queued or running. Default: as the schedule has it. */
      overlap: z.enum(["skip", "allow"]).optional(),
      /** Instead of the schedule's. */
      payload: z.json().optional(),
      /** Over the schedule's, one by one. */
      headers: headerMap.optional(),
      author,
    }),
    response: enqueued,
  },
  "schedule.explain": {
    request: z.strictObject({ id, at: instant }),
    response: z.object({
      id: z.string(),
      at: z.string(),
      code: z.enum(explanationCodes),
      text: z.string(),
      /** The definition that was, or is, in effect. */
      revision: z.int().nullable(),
      runId: z.string(),
      /** The fire times around it, where it is none. */
      nearest: z.object({ before: z.string().nullable(), after: z.string().nullable() }).optional(),
      /** Of its run, the oldest first. */
      events: z.array(
        z.object({ type: z.string(), at: z.string(), data: z.record(z.string(), z.unknown()) }),
      ),
    }),
  },
  "schedule.history": { request: byId, response: scheduleHistory },
  "schedule.preview": {
    request: z.strictObject({
      id: id.optional(),
      schedule: scheduleInput.optional(),
      from: instant.optional(),
      count: z.int().min(1).max(1_000).default(10),
      /** Of the local times. Default: the zone of the cron line, else UTC. */
      timeZone: z.string().optional(),
    }),
    response: preview,
  },
  "backfill.create": {
    request: z.strictObject({
      scheduleId: id,
      /** The first and the last instant of the range; it has passed. */
      from: instant,
      to: instant,
      rate: rateText.default({ count: 10, periodMs: 1_000 }),
      reprocess: z.enum(reprocessings).default("none"),
      /** The newest slot first. */
      backwards: z.boolean().default(false),
      /** Only tells what it would do. */
      dryRun: z.boolean().default(false),
      author,
    }),
    response: z.object({
      backfill: backfillView.nullable(),
      /** Of a dry run. */
      plan: z
        .object({
          /** Slots of the range; null: too many to count. */
          slots: z.int().nullable(),
          /** Slots that were looked at, and how many of them would run. */
          looked: z.int(),
          runs: z.int(),
          /** The first of those that would run. */
          first: z.array(z.string()),
        })
        .nullable(),
    }),
  },
  "backfill.list": {
    request: z.strictObject({ scheduleId: id.optional() }),
    response: z.object({ backfills: z.array(backfillView) }),
  },
  "backfill.get": { request: byBackfillId, response: backfillView },
  "backfill.cancel": { request: byBackfillId, response: backfillView },
  "calendar.put": {
    request: z.strictObject({ name: calendarName, calendar: calendarInput, ifRevision }),
    response: calendarView,
  },
  "calendar.get": { request: z.strictObject({ name: calendarName }), response: calendarView },
  "calendar.list": { request: z.strictObject({}), response: z.object({ calendars: z.array(calendarView) }) },
  "calendar.delete": {
    request: z.strictObject({ name: calendarName }),
    response: z.object({ name: z.string() }),
  },
  ...queueEndpoints,
  ...runEndpoints,
  ...verifyEndpoints,
  ...jobEndpoints,
  ...deadEndpoints,
  ...alertEndpoints,
  ...heartbeatEndpoints,
  ...groupEndpoints,
} as const;

export type Endpoint = keyof typeof endpoints;
export type ApiRequest<E extends Endpoint> = z.input<(typeof endpoints)[E]["request"]>;
export type ApiParsed<E extends Endpoint> = z.output<(typeof endpoints)[E]["request"]>;
export type ApiResponse<E extends Endpoint> = z.output<(typeof endpoints)[E]["response"]>;

export const apiErrorBody = z.object({
  code: z.string(),
  message: z.string(),
  issues: z.array(z.object({ path: z.string(), message: z.string() })).default([]),
});

/** Error codes on the wire of NATS micro, which are those of HTTP. */
export const statusOf: Readonly<Record<ErrorCode, number>> = {
  invalid: 400,
  denied: 403,
  not_found: 404,
  conflict: 409,
  full: 507,
  unsupported: 501,
  unavailable: 503,
  timeout: 504,
  internal: 500,
};

export const serviceErrorHeaders = { code: "Nats-Service-Error-Code", text: "Nats-Service-Error" } as const;
