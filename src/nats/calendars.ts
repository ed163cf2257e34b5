/** Calendars, in the bucket of the schedules: one sequence orders both. */
import type { JetStreamManager } from "@nats-io/jetstream";
import type { Calendar, CalendarDefinition } from "../core/calendar.js";
import type { CalendarStore } from "../core/calendar-store.js";
import type { CasOutcome } from "../core/ports.js";
import type { Names } from "../protocol/names.js";
import { decodeCalendar, encodeCalendar } from "../protocol/stored-calendar.js";
import { compareAndSwap, readLatest } from "./cas.js";
import type { Publisher } from "./publisher.js";

export class NatsCalendarStore implements CalendarStore {
  readonly #jsm: JetStreamManager;
  readonly #publisher: Publisher;
  readonly #names: Names;

  constructor(jsm: JetStreamManager, publisher: Publisher, names: Names) {
    this.#jsm = jsm;
    this.#publisher = publisher;
    this.#names = names;
  }

  async get(name: string): Promise<Calendar | null> {
    const entry = await readLatest(this.#jsm, this.#names.schedules, this.#names.calendarKey(name));
    return entry === null ? null : { ...decodeCalendar(entry.text, name), name, revision: entry.revision };
  }

  write(name: string, definition: CalendarDefinition, revision: number): Promise<CasOutcome> {
    const { schedules, calendarKey } = this.#names;
    const text = encodeCalendar(definition);
    return compareAndSwap(this.#publisher, schedules, calendarKey(name), text, revision);
  }
}
