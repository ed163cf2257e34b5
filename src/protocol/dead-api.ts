/** What the API does with dead letters. */
import { z } from "zod";
import { retryPlaces } from "../core/letters.js";
import { rateText } from "./backfill.js";
import { limits } from "./limits.js";
import { queueName } from "./schedule-input.js";
import { instant } from "./time-input.js";

const id = z.int().min(1);
const part = z.string().min(1).max(limits.noteLength);
const author = z.string().min(1).max(limits.authorLength).optional();

/** Everything that is given must be so. */
export const letterFilter = z.strictObject({
  queue: queueName.optional(),
  schedule: z.string().min(1).max(limits.scheduleIdLength).optional(),
  run: z
    .string()
    .min(1)
    .max(limits.scheduleIdLength + 32)
    .optional(),
  /** A part of the reason, and of the error; upper and lower case are the same. */
  reason: part.optional(),
  error: part.optional(),
  /** When it died: from, and before. */
  since: instant.optional(),
  until: instant.optional(),
});

/** A letter in a list. Times are RFC 3339; long errors are cut. */
export const letterRow = z.object({
  id: z.int(),
  queue: z.string(),
  runId: z.string(),
  scheduleId: z.string().nullable(),
  reason: z.string(),
  attempts: z.int(),
  error: z.string().nullable(),
  diedAt: z.string(),
  bodyBytes: z.int(),
});
export type LetterRow = z.output<typeof letterRow>;

export const letterView = letterRow.extend({
  stack: z.string().nullable(),
  /** Where the job lay. */
  subject: z.string(),
  headers: z.record(z.string(), z.string()),
  /** `json` when the body is that, else `base64`; `none` when it is too large for an answer. */
  encoding: z.enum(["json", "base64", "none"]),
  payload: z.unknown(),
  /** Every attempt that RUNS remembers, the first one first. */
  failures: z.array(
    z.object({
      attempt: z.int(),
      at: z.string(),
      error: z.string().nullable(),
      /** Until the next attempt; null after the last. */
      delayMs: z.number().nullable(),
    }),
  ),
});
export type LetterView = z.output<typeof letterView>;

const cursor = z
  .string()
  .regex(/^\d{1,16}-\d{1,16}$/, "expected the `next` of the page before")
  .optional();
const pageSize = z.int().min(1).max(limits.deadPage).default(100);

const isChosen = ({ all, filter }: { all: boolean; filter: object }) => all || Object.keys(filter).length > 0;
const UNCHOSEN = { error: "expected a field to choose by, or all: true", path: ["filter"] };
const chosen = { filter: letterFilter.default({}), all: z.boolean().default(false), cursor, author };

const retried = z.object({
  id: z.int(),
  runId: z.string(),
  /** Where the job lies now: at the gate if its queue has limits; it goes through the front door again, if that had refused it, and may be refused again. */
  to: z.enum(retryPlaces),
});

export const deadEndpoints = {
  /** The newest first. */
  "dead.list": {
    request: z.strictObject({
      filter: letterFilter.default({}),
      /** Letters before this one: the `next` of the page before. */
      before: id.optional(),
      limit: pageSize,
    }),
    /** A page may hold fewer than `limit`, or none, and have a next one. */
    response: z.object({ letters: z.array(letterRow), next: z.int().nullable() }),
  },
  "dead.get": { request: z.strictObject({ id }), response: letterView },
  /** The job is queued again, as a run of its own, and the letter goes. */
  "dead.retry": {
    request: z.strictObject({ id, author }),
    response: retried,
  },
  "dead.discard": { request: z.strictObject({ id, author }), response: z.object({ id: z.int() }) },
  /** One page, the oldest first: what the rate gives for a second, at most. */
  "dead.retryMany": {
    request: z
      .strictObject({ ...chosen, limit: pageSize, rate: rateText.default({ count: 100, periodMs: 1_000 }) })
      .refine(isChosen, UNCHOSEN),
    response: z.object({
      retried: z.array(retried),
      /** Those that stay, and why. */
      kept: z.array(z.object({ id: z.int(), message: z.string() })),
      /** For the next page, no earlier than after `waitMs`; null when there is none. */
      next: z.string().nullable(),
      waitMs: z.int(),
    }),
  },
  "dead.discardMany": {
    request: z.strictObject({ ...chosen, limit: pageSize }).refine(isChosen, UNCHOSEN),
    response: z.object({ discarded: z.int(), next: z.string().nullable() }),
  },
} as const;
