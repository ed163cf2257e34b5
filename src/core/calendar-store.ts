import type { Calendar, CalendarDefinition } from "./calendar.js";
import type { CasOutcome } from "./ports.js";

/** Calendars; what is written here is told by the watch of the schedules. */
export interface CalendarStore {
  /** From the leader. Null when it was never made. */
  get(name: string): Promise<Calendar | null>;
  /** Writes if the calendar's revision is still `revision` (0: does not exist). */
  write(name: string, definition: CalendarDefinition, revision: number): Promise<CasOutcome>;
}
