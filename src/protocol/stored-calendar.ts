/** Calendars as they lie in the bucket of schedules. */
import { z } from "zod";
import { type CalendarDefinition, weekdays } from "../core/calendar.js";
import { parseJson, parseWith } from "./parse.js";

const hours = z.array(z.object({ fromMs: z.int(), toMs: z.int() }));

const calendar: z.ZodType<CalendarDefinition> = z.object({
  timeZone: z.string(),
  businessDays: z.array(z.enum(weekdays)),
  holidays: z.array(z.string()),
  hours: z.partialRecord(z.enum(weekdays), hours),
  note: z.string().optional(),
  deleted: z.boolean(),
});

export function encodeCalendar(value: CalendarDefinition): string {
  return JSON.stringify(value);
}

export function decodeCalendar(text: string, name: string): CalendarDefinition {
  const what = `stored calendar ${name}`;
  return parseWith(calendar, parseJson(text, what), what);
}
