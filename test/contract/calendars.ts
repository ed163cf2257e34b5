import { expect, it, onTestFinished } from "vitest";
import type { CalendarDefinition } from "../../src/core/calendar.js";
import type { CalendarStore } from "../../src/core/calendar-store.js";
import type { ScheduleChanges } from "../../src/core/ports.js";
import { Arrivals } from "../support/until.js";
import { definition } from "./given.js";
import type { MakePorts } from "./ports.js";
import { describePort } from "./suite.js";

const office: CalendarDefinition = {
  timeZone: "Europe/Berlin",
  businessDays: ["mon", "tue"],
  holidays: ["12-25"],
  hours: { mon: [{ fromMs: 0, toMs: 3_600_000 }] },
  deleted: false,
};

async function put(
  store: CalendarStore,
  name: string,
  value: CalendarDefinition,
  revision = 0,
): Promise<number> {
  const outcome = await store.write(name, value, revision);
  if (outcome.kind !== "stored") throw new Error(outcome.kind);
  return outcome.revision;
}

export function describeCalendarStore(name: string, make: MakePorts): void {
  describePort(`calendar store over ${name}`, make, (on) => {
    it("reads what was written, over any connection, at once", async () => {
      const { one, other } = on();
      expect(await one.calendars.get("office")).toBeNull();
      const revision = await put(one.calendars, "office", office);
      expect(await other.calendars.get("office")).toEqual({ ...office, name: "office", revision });
    });

    it("stores only on the revision that is there", async () => {
      const { calendars } = on().one;
      const first = await put(calendars, "office", office);
      expect(await calendars.write("office", office, 0)).toEqual({ kind: "lost" });
      const second = await put(calendars, "office", { ...office, deleted: true }, first);
      expect(await calendars.write("office", office, first)).toEqual({ kind: "lost" });
      expect(await calendars.get("office")).toMatchObject({ deleted: true, revision: second });
    });

    it("shares one sequence and one watch with the schedules, and no names", async () => {
      const { one, other } = on();
      const calendar = await put(one.calendars, "same", office);
      const stored = await one.schedules.write("same", definition(), 0);
      if (stored.kind !== "stored") throw new Error(stored.kind);
      expect(stored.revision).toBeGreaterThan(calendar);
      const changes = new Arrivals<ScheduleChanges>();
      const watch = await other.schedules.watch((change) => changes.add(change));
      onTestFinished(() => watch.stop());
      expect(await changes.next()).toMatchObject({
        changed: [{ id: "same", revision: stored.revision }],
        calendars: [{ ...office, name: "same", revision: calendar }],
        removed: [],
        view: stored.revision,
      });
      const edited = await put(one.calendars, "same", { ...office, holidays: [] }, calendar);
      expect(await changes.next()).toMatchObject({
        changed: [],
        calendars: [{ name: "same", holidays: [], revision: edited }],
        view: edited,
      });
      expect(await one.schedules.lastSequence()).toBe(edited);
    });
  });
}
