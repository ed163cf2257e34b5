/** Backfills on the wire: requests and answers of the API, records in their bucket, the messages of their runs. */
import { z } from "zod";
import { type Backfill, backfillStates, type Rate, reprocessings } from "../core/backfill.js";
import type { WorkMessage } from "../core/ports.js";
import type { Instant, Schedule } from "../core/schedule.js";
import { FireMessages } from "./job-message.js";
import { instantToken, type Names } from "./names.js";
import { parseJson, parseWith } from "./parse.js";

const PERIODS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 };
const MOST_PER_SECOND = 1_000;
const EXPECTED_RATE = `expected a rate such as "10/s", "30/m" or "5/h", at most ${MOST_PER_SECOND}/s`;

/** Null when it is none. */
export function parseRate(text: string): Rate | null {
  const [, count, period = ""] = /^([1-9]\d{0,6})\/([smh])$/.exec(text) ?? [];
  const rate = { count: Number(count), periodMs: PERIODS[period] ?? 0 };
  return (rate.count * 1_000) / rate.periodMs <= MOST_PER_SECOND ? rate : null;
}

export function formatRate({ count, periodMs }: Rate): string {
  return `${count}/${Object.keys(PERIODS).find((unit) => PERIODS[unit] === periodMs)}`;
}

export const rateText = z
  .string()
  .refine((text) => parseRate(text) !== null, { error: EXPECTED_RATE, abort: true })
  .transform((text) => parseRate(text) as Rate);

export const backfillId = z
  .string()
  .regex(/^b[0-9a-f]{9}$/, 'expected the id of a backfill, as "b0f3a91c27"');

/** A backfill as the API shows it; times are RFC 3339. */
export const backfillView = z.object({
  id: z.string(),
  scheduleId: z.string(),
  from: z.string(),
  to: z.string(),
  reprocess: z.enum(reprocessings),
  backwards: z.boolean(),
  rate: z.string(),
  state: z.enum(backfillStates),
  reason: z.string().optional(),
  /** The slot up to which, or down to which, it has come; null: it has not begun. */
  at: z.string().nullable(),
  /** Slots of the range; null: too many to count beforehand. */
  slots: z.int().nullable(),
  queued: z.int(),
  passedBy: z.int(),
  missed: z.int(),
  createdAt: z.string(),
  createdBy: z.string().optional(),
  changedAt: z.string(),
});
export type BackfillView = z.output<typeof backfillView>;

export function viewOfBackfill(id: string, backfill: Backfill): BackfillView {
  const { scheduleId, reprocess, backwards, state, reason, slots, queued, passedBy, missed } = backfill;
  const { cursor, createdBy } = backfill;
  return {
    ...{ id, scheduleId, from: iso(backfill.from), to: iso(backfill.to), reprocess, backwards },
    rate: formatRate(backfill.rate),
    state,
    ...(reason !== undefined && { reason }),
    at: cursor === null ? null : iso(cursor),
    ...{ slots, queued, passedBy, missed },
    createdAt: iso(backfill.createdAt),
    ...(createdBy !== undefined && { createdBy }),
    changedAt: iso(backfill.changedAt),
  };
}

const iso = (instant: Instant): string => new Date(instant).toISOString();

const stored: z.ZodType<Backfill> = z.object({
  scheduleId: z.string(),
  revision: z.int(),
  from: z.int(),
  to: z.int(),
  reprocess: z.enum(reprocessings),
  backwards: z.boolean(),
  rate: z.object({ count: z.int().min(1), periodMs: z.int().min(1) }),
  state: z.enum(backfillStates),
  reason: z.string().optional(),
  cursor: z.int().nullable(),
  batch: z.array(z.int()),
  notBefore: z.int(),
  slots: z.int().nullable(),
  queued: z.int(),
  passedBy: z.int(),
  missed: z.int(),
  createdAt: z.int(),
  createdBy: z.string().optional(),
  changedAt: z.int(),
});

export const encodeBackfill = (backfill: Backfill): string => JSON.stringify(backfill);

export function decodeBackfill(text: string, id: string): Backfill {
  const what = `stored backfill ${id}`;
  return parseWith(stored, parseJson(text, what), what);
}

/** The runs of one backfill; each has an id of its own, which names the slot and the backfill. */
export class BackfillMessages {
  readonly #names: Names;
  readonly #id: string;
  readonly #schedule: Schedule;
  readonly #fires: FireMessages;

  constructor(names: Names, id: string, schedule: Schedule) {
    this.#names = names;
    this.#id = id;
    this.#schedule = schedule;
    this.#fires = new FireMessages(names, schedule);
  }

  runId(slot: Instant): string {
    return `${this.#schedule.id}:${instantToken(slot)}:${this.#id}`;
  }

  /** No two runs share one, so that runs of a backfill do not keep each other out. */
  subject(slot: Instant): string {
    return this.#names.job(this.#schedule.job.queue, this.runId(slot), "low");
  }

  message(slot: Instant, previous: Instant | null): WorkMessage {
    const runId = this.runId(slot);
    const message = this.#fires.message(slot, 1, { runId, trigger: "backfill", previous });
    return { ...message, subject: this.subject(slot) };
  }
}
