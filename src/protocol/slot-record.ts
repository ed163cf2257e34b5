/** Slot records as they lie in RUNS: `{"term": 7, "fired": [[scheduleId, slot, seq], …]}`. */
import { z } from "zod";
import type { FiredSlot, SlotRecord } from "../core/ports.js";

const slotRecord = z.object({
  term: z.int(),
  fired: z.array(z.tuple([z.string(), z.int(), z.int().nullable()])),
});

export function encodeSlots({ term, fired }: Pick<SlotRecord, "term" | "fired">): string {
  return JSON.stringify({ term, fired: fired.map(({ scheduleId, slot, seq }) => [scheduleId, slot, seq]) });
}

/** Nothing when it is none: anyone may publish into RUNS, and what cannot be read tells of no run. */
export function decodeSlots(text: string): FiredSlot[] {
  try {
    const { fired } = slotRecord.parse(JSON.parse(text));
    return fired.map(([scheduleId, slot, seq]) => ({ scheduleId, slot, seq }));
  } catch {
    return [];
  }
}
