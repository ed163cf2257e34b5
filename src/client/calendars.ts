import type { ApiCaller } from "../core/ports.js";
import type { CalendarView } from "../protocol/api.js";
import type { CalendarInput } from "../protocol/calendar-input.js";
import { ask } from "./requests.js";
import type { PutOptions } from "./schedules.js";

/**
 * The calendars of a namespace. Every request is checked here before it is sent: `invalid` names the fields.
 * `unavailable`: no orchestrator answers.
 */
export class Calendars {
  readonly #api: ApiCaller;

  constructor(api: ApiCaller) {
    this.#api = api;
  }

  /** Makes the calendar, or replaces the one of this name: schedules that go by it are planned anew. */
  put(name: string, calendar: CalendarInput, { ifRevision }: PutOptions = {}): Promise<CalendarView> {
    return ask(this.#api, "calendar.put", {
      name,
      calendar,
      ...(ifRevision !== undefined && { ifRevision }),
    });
  }

  /** Throws `not_found` when there is none. */
  get(name: string): Promise<CalendarView> {
    return ask(this.#api, "calendar.get", { name });
  }

  /** Every calendar, by name. */
  async list(): Promise<CalendarView[]> {
    return (await ask(this.#api, "calendar.list", {})).calendars;
  }

  /** Throws `conflict` while a schedule goes by it. */
  async delete(name: string): Promise<void> {
    await ask(this.#api, "calendar.delete", { name });
  }
}
