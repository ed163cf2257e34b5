/** The fire times of specs that come through the API, with the calendars they refer to. */
import { type CalendarLookup, calendarsOf, noCalendars } from "../core/calendar.js";
import { invalid } from "../core/errors.js";
import type { ScheduleStore } from "../core/ports.js";
import type { FireTimes, Schedule, ScheduleDefinition, ScheduleSpec } from "../core/schedule.js";
import { compileWritten } from "../protocol/spec-translation.js";
import type { Definitions } from "./definitions.js";

export class SpecTimes {
  readonly #schedules: Pick<ScheduleStore, "lastSequence">;
  readonly #definitions: Definitions;

  constructor(schedules: Pick<ScheduleStore, "lastSequence">, definitions: Definitions) {
    this.#schedules = schedules;
    this.#definitions = definitions;
  }

  /** The calendars that a spec may refer to: what was just made is there, what was deleted is not. */
  async calendarsFor(spec: ScheduleSpec): Promise<CalendarLookup> {
    if (calendarsOf(spec).length === 0) return noCalendars;
    await this.#definitions.reached(await this.#schedules.lastSequence());
    return (name) => {
      const calendar = this.#definitions.calendars.get(name);
      return calendar?.deleted === true ? undefined : calendar;
    };
  }

  /** Refuses what could never fire. */
  check(id: string, { spec, effectiveFrom }: ScheduleDefinition, calendars: CalendarLookup): void {
    if (compileWritten(spec, id, calendars).next(effectiveFrom) !== null) return;
    const now = new Date(effectiveFrom).toISOString();
    throw invalid(
      spec.kind === "composite" ? "" : spec.kind,
      `expected a time to come, got none after now, ${now}`,
    );
  }

  /** Of a schedule that is stored. */
  async of(schedule: Schedule): Promise<FireTimes> {
    if (calendarsOf(schedule.spec).length > 0) await this.#definitions.reached(schedule.revision);
    const known = this.#definitions.get(schedule);
    const isCurrent = known?.schedule.revision === schedule.revision;
    return isCurrent ? known.times : this.#definitions.compile(schedule).times;
  }
}
