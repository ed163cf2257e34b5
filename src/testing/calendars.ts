/** Calendars in memory. */
import type { Calendar, CalendarDefinition } from "../core/calendar.js";
import type { CalendarStore } from "../core/calendar-store.js";
import type { CasOutcome } from "../core/ports.js";
import { decodeCalendar, encodeCalendar } from "../protocol/stored-calendar.js";
import { compareAndSwap, textOf } from "./cas.js";
import type { MemoryLink } from "./link.js";
import type { MemoryServer } from "./server.js";

export class MemoryCalendarStore implements CalendarStore {
  readonly #server: MemoryServer;
  readonly #link: MemoryLink;

  constructor(server: MemoryServer, link: MemoryLink) {
    this.#server = server;
    this.#link = link;
  }

  get(name: string): Promise<Calendar | null> {
    return this.#link.ask("calendar", () => {
      const message = this.#server.schedules.last(this.#server.names.calendarKey(name));
      return message === null
        ? null
        : { ...decodeCalendar(textOf(message), name), name, revision: message.seq };
    });
  }

  write(name: string, definition: CalendarDefinition, revision: number): Promise<CasOutcome> {
    const { schedules, names, faults } = this.#server;
    const write = {
      stream: schedules,
      key: names.calendarKey(name),
      text: encodeCalendar(definition),
      revision,
    };
    return compareAndSwap(this.#server, this.#link, write, faults.calendarWrite?.(name, definition));
  }
}
