/** Alerts in the API: requests and answers. All times are RFC 3339, in UTC. */
import { z } from "zod";
import type { Alert } from "../core/alert.js";
import { alertInput, alertName } from "./alert-input.js";

/** A rule as the API shows it. */
export const alertView = z.object({
  name: z.string(),
  revision: z.int(),
  /** When it was first made. */
  madeAt: z.string(),
  /** In the form in which it can be put again. */
  rule: z.record(z.string(), z.unknown()),
});
export type AlertView = z.output<typeof alertView>;

/** A breach that is open now. */
export const breachView = z.object({
  rule: z.string(),
  kind: z.string(),
  scheduleId: z.string().nullable(),
  queue: z.string().nullable(),
  heartbeat: z.string().nullable(),
  since: z.string(),
  /** When it was found. */
  at: z.string(),
  text: z.string(),
  data: z.record(z.string(), z.unknown()),
});
export type BreachView = z.output<typeof breachView>;

const ifRevision = z.int().min(0).optional();

export const alertEndpoints = {
  "alert.put": {
    request: z.strictObject({ name: alertName, rule: alertInput, ifRevision }),
    response: alertView,
  },
  "alert.get": { request: z.strictObject({ name: alertName }), response: alertView },
  "alert.list": { request: z.strictObject({}), response: z.object({ alerts: z.array(alertView) }) },
  "alert.delete": {
    request: z.strictObject({ name: alertName, ifRevision }),
    response: z.object({ name: z.string() }),
  },
  "alert.active": {
    request: z.strictObject({}),
    response: z.object({ breaches: z.array(breachView) }),
  },
} as const;

/** A job of the queue of alerts. */
export const alertJob = z.strictObject({
  /** Stands for a URL that is not told. */
  webhook: z.string(),
  /** As it is posted. */
  alert: z.record(z.string(), z.unknown()),
});

/** On the subject `<ns>.alert.<rule>`, and to webhooks. */
export function encodeAlert({ since, at, ...alert }: Alert): Record<string, unknown> {
  return { ...alert, since: new Date(since).toISOString(), at: new Date(at).toISOString() };
}
