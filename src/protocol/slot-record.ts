/**
 * Slot records as they lie in RUNS:
 * `{"term": 7, "fired": [[scheduleId, slot, seq], …], "reports": [[scheduleId, outcome, from, to, count, reason], …]}`.
 */
import { z } from "zod";
import type { SlotRecord, ToldOfSlots } from "../core/ports.js";
import { reportEvents } from "./past-events.js";

const slotRecord = z.object({
  term: z.int(),
  fired: z.array(z.tuple([z.string(), z.int(), z.int().nullable()])),
  reports: z
    .array(z.tuple([z.string(), z.enum(reportEvents), z.int(), z.int(), z.int(), z.string()]))
    .optional(),
});

export function encodeSlots({ term, fired, reports }: Omit<SlotRecord, "shard" | "msgId">): string {
  return JSON.stringify({
    term,
    fired: fired.map(({ scheduleId, slot, seq }) => [scheduleId, slot, seq]),
    reports: reports?.map(({ scheduleId, outcome, from, to, count, reason }) => {
      return [scheduleId, outcome, from, to, count, reason];
    }),
  });
}

/** Nothing when it is none: anyone may publish into RUNS, and what cannot be read tells of no run. */
export function decodeSlots(text: string): ToldOfSlots {
  try {
    const { fired, reports = [] } = slotRecord.parse(JSON.parse(text));
    return {
      fired: fired.map(([scheduleId, slot, seq]) => ({ scheduleId, slot, seq })),
      reports: reports.map(([scheduleId, outcome, from, to, count, reason]) => ({
        ...{ scheduleId, outcome, from, to, count, reason },
      })),
    };
  } catch {
    return { fired: [], reports: [] };
  }
}
