/** A calendar as people write it, and the translation, both ways. */
import { z } from "zod";
import { type CalendarDefinition, type OpenHours, type Weekday, weekdays } from "../core/calendar.js";
import { limits } from "./limits.js";

const MINUTE_MS = 60_000;
const weekday = z.enum(weekdays);

const holiday = z.string().refine(isDate, {
  error: 'expected a date such as "2026-12-25", or "12-25" for every year',
});

const openHours = z
  .string()
  .refine((text) => hoursOf(text) !== null, {
    error: 'expected a time of day from and to, such as "09:00-17:30", at most to 24:00',
    abort: true,
  })
  .transform((text) => hoursOf(text) as OpenHours);

const dayHours = z
  .array(openHours)
  .min(1)
  .max(limits.calendarHours)
  .refine(inOrder, { error: "expected times in order that do not overlap" });

export const calendarInput = z
  .strictObject({
    timeZone: z.string().default("UTC").describe("IANA zone of its days and hours. Default UTC."),
    businessDays: z
      .array(weekday)
      .max(7)
      .optional()
      .describe("Default: the days that have hours; without hours, all seven."),
    holidays: z
      .array(holiday)
      .max(limits.calendarHolidays)
      .default([])
      .describe("Dates that are no business days; 12-25: every year."),
    hours: z
      .partialRecord(weekday, dayHours)
      .default({})
      .describe("Opening hours by weekday. A business day without: open all day."),
    note: z.string().max(limits.noteLength).optional().describe("For people."),
  })
  .superRefine(({ businessDays, hours }, context) => {
    for (const day of Object.keys(hours) as Weekday[]) {
      if (businessDays === undefined || businessDays.includes(day)) continue;
      context.addIssue({
        code: "custom",
        path: ["hours", day],
        message: `expected hours of business days only, which are ${businessDays.join(", ") || "none"}`,
      });
    }
  });

export type CalendarInput = z.input<typeof calendarInput>;

export function calendarOf(input: z.output<typeof calendarInput>): CalendarDefinition {
  const { timeZone, holidays, hours, note } = input;
  const withHours = weekdays.filter((day) => hours[day] !== undefined);
  const businessDays = input.businessDays ?? (withHours.length === 0 ? weekdays : withHours);
  return {
    timeZone,
    businessDays: weekdays.filter((day) => businessDays.includes(day)),
    holidays: [...new Set(holidays)].sort(),
    hours: Object.fromEntries(withHours.map((day) => [day, hours[day]])),
    ...(note !== undefined && { note }),
    deleted: false,
  };
}

/** The input that says the same as a definition. */
export function calendarInputOf(definition: CalendarDefinition): CalendarInput {
  const { timeZone, businessDays, holidays, hours, note } = definition;
  const entries = Object.entries(hours).map(([day, list]) => [day, list.map(textOf)]);
  return {
    timeZone,
    businessDays: [...businessDays],
    holidays: [...holidays],
    hours: Object.fromEntries(entries),
    ...(note !== undefined && { note }),
  };
}

/** `2026-12-25`, or `12-25`. */
function isDate(text: string): boolean {
  const full = text.length === 5 ? `2024-${text}` : text;
  if (!/^\d{4}-\d\d-\d\d$/.test(full)) return false;
  const time = Date.parse(`${full}T00:00:00Z`);
  // `Date.parse` takes the 30th of February for a day in March.
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(full);
}

function hoursOf(text: string): OpenHours | null {
  const match = /^(\d\d):([0-5]\d)-(\d\d):([0-5]\d)$/.exec(text);
  if (match === null) return null;
  const [fromHour, fromMinute, toHour, toMinute] = match.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
  ];
  const [from, to] = [fromHour * 60 + fromMinute, toHour * 60 + toMinute];
  return from < to && to <= 24 * 60 ? { fromMs: from * MINUTE_MS, toMs: to * MINUTE_MS } : null;
}

function inOrder(list: readonly OpenHours[]): boolean {
  return list.every(({ fromMs }, index) => index === 0 || fromMs >= (list[index - 1] as OpenHours).toMs);
}

const textOf = ({ fromMs, toMs }: OpenHours): string => `${clockOf(fromMs)}-${clockOf(toMs)}`;

function clockOf(ms: number): string {
  const minutes = ms / MINUTE_MS;
  const two = (value: number) => String(value).padStart(2, "0");
  return `${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}
