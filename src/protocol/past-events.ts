/** Reading back what parts of Punctual wrote into RUNS. */
import { z } from "zod";
import type { Report } from "../core/lease.js";

const reportData = z.object({
  scheduleId: z.string(),
  reason: z.string(),
  from: z.string().transform((text) => Date.parse(text)),
  to: z.string().transform((text) => Date.parse(text)),
  count: z.int(),
});

/** The events that tell of slots that did not fire. */
export const reportEvents = ["skipped", "missed", "expired"] as const;

/** Null when it tells of no slots: a front-door job can be skipped too, and anyone may publish into RUNS. */
export function readReport(outcome: (typeof reportEvents)[number], text: string): Report | null {
  const parsed = reportData.safeParse(readData(text));
  return parsed.success ? { outcome, ...parsed.data } : null;
}

/** The data of an event; empty when it is no object. */
export function readData(text: string): Readonly<Record<string, unknown>> {
  try {
    const data: unknown = JSON.parse(text);
    return typeof data === "object" && data !== null && !Array.isArray(data) ? { ...data } : {};
  } catch {
    return {};
  }
}
