/** What people do with calendars. */
import type { Calendar, CalendarDefinition } from "../core/calendar.js";
import type { CalendarStore } from "../core/calendar-store.js";
import { PunctualError } from "../core/errors.js";
import type { ScheduleStore } from "../core/ports.js";
import { OpeningTimes } from "../core/time/opening.js";
import type { ApiParsed, ApiResponse, CalendarView } from "../protocol/api.js";
import { calendarInputOf, calendarOf } from "../protocol/calendar-input.js";
import { limits } from "../protocol/limits.js";
import type { Definitions } from "./definitions.js";

export interface CalendarServicePorts {
  calendars: CalendarStore;
  schedules: ScheduleStore;
}

const TRIES = 10;
/** So many schedules are named of those that stand in the way. */
const NAMED = 3;

export class CalendarService {
  readonly #ports: CalendarServicePorts;
  readonly #definitions: Definitions;

  constructor(ports: CalendarServicePorts, definitions: Definitions) {
    this.#ports = ports;
    this.#definitions = definitions;
  }

  async put({ name, calendar, ifRevision }: ApiParsed<"calendar.put">): Promise<CalendarView> {
    const definition = calendarOf(calendar);
    new OpeningTimes(definition); // refuses an unknown time zone
    await this.#know();
    return viewOf(
      await this.#write(name, (existing) => {
        const revision = existing === null || existing.deleted ? 0 : existing.revision;
        if (ifRevision !== undefined && ifRevision !== revision) {
          const is = revision === 0 ? "does not exist" : `is at revision ${revision}`;
          throw new PunctualError("conflict", `calendar ${name} ${is}, expected revision ${ifRevision}`);
        }
        if (existing === null && this.#definitions.calendars.size >= limits.calendars)
          throw new PunctualError(
            "full",
            `there are ${limits.calendars} calendars, which is all there may be`,
          );
        return definition;
      }),
    );
  }

  async get({ name }: ApiParsed<"calendar.get">): Promise<CalendarView> {
    const calendar = await this.#ports.calendars.get(name);
    if (calendar === null || calendar.deleted) throw notFound(name);
    return viewOf(calendar);
  }

  async list(): Promise<ApiResponse<"calendar.list">> {
    await this.#know();
    const calendars = [...this.#definitions.calendars.values()].filter(({ deleted }) => !deleted);
    return { calendars: calendars.sort((a, b) => (a.name < b.name ? -1 : 1)).map(viewOf) };
  }

  /**
   * Refuses a calendar that schedules go by. One that is put at the same moment may slip through: it goes on by what
   * the calendar said, which the marker keeps.
   */
  async delete({ name }: ApiParsed<"calendar.delete">): Promise<{ name: string }> {
    await this.#know();
    const users = this.#definitions.usersOf(name).map(({ id }) => id);
    await this.#write(name, (existing) => {
      if (existing === null || existing.deleted) throw notFound(name);
      if (users.length > 0) {
        const more = users.length > NAMED ? ` and ${users.length - NAMED} more` : "";
        const named = users.sort().slice(0, NAMED).join(", ");
        throw new PunctualError("conflict", `calendar ${name} is in use by ${named}${more}`);
      }
      return { ...definitionOf(existing), deleted: true };
    });
    return { name };
  }

  /** What was just written is known here. */
  async #know(): Promise<void> {
    await this.#definitions.reached(await this.#ports.schedules.lastSequence());
  }

  /** Reads, changes and writes until nobody else came between; a doubtful write is read and tried again. */
  async #write(name: string, change: (existing: Calendar | null) => CalendarDefinition): Promise<Calendar> {
    const { calendars } = this.#ports;
    for (let tries = 0; tries < TRIES; tries++) {
      const existing = await calendars.get(name);
      const definition = change(existing);
      if (existing !== null && saysTheSame(existing, definition)) return existing;
      const outcome = await calendars.write(name, definition, existing?.revision ?? 0);
      if (outcome.kind === "stored") return { ...definition, name, revision: outcome.revision };
    }
    throw new PunctualError("conflict", `calendar ${name} is being changed by others; try again`);
  }
}

function viewOf(calendar: Calendar): CalendarView {
  const { name, revision } = calendar;
  return { name, revision, calendar: calendarInputOf(calendar) as Record<string, unknown> };
}

function definitionOf({ name: _name, revision: _revision, ...definition }: Calendar): CalendarDefinition {
  return definition;
}

function saysTheSame(a: CalendarDefinition, b: CalendarDefinition): boolean {
  return a.deleted === b.deleted && JSON.stringify(calendarInputOf(a)) === JSON.stringify(calendarInputOf(b));
}

const notFound = (name: string) => new PunctualError("not_found", `calendar ${name} does not exist`);
