import { expect, test } from "vitest";
import type { CalendarDefinition } from "../../../src/core/calendar.js";
import type { CompositeSpec } from "../../../src/core/schedule.js";
import { systemClock } from "../../../src/runtime/clock.js";
import { Holder } from "../../support/holder.js";
import { instantOf } from "../../support/run-ids.js";
import { Scene, until, useServer } from "../../support/scene.js";

const server = useServer();

const closed: CalendarDefinition = {
  timeZone: "UTC",
  businessDays: [],
  holidays: [],
  hours: {},
  deleted: false,
};
const always: CalendarDefinition = {
  ...closed,
  businessDays: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
};

const EVERY = 250;
const spec: CompositeSpec = {
  kind: "composite",
  include: [{ kind: "every", everyMs: EVERY, phaseMs: 0 }],
  exclude: [{ kind: "calendar", calendar: "shop", when: "closed" }],
  spreadMs: 0,
  jitterMs: 0,
};

async function putCalendar(scene: Scene, calendar: CalendarDefinition, revision = 0): Promise<number> {
  const outcome = await scene.ports.calendars.write("shop", calendar, revision);
  if (outcome.kind !== "stored") throw new Error(outcome.kind);
  return outcome.revision;
}

const repeated = (runIds: readonly string[]) => runIds.filter((id, index) => runIds.indexOf(id) !== index);

test("a change of a calendar that the watch delivers late neither doubles nor loses a slot, nor does a takeover after it", async () => {
  const scene = await Scene.open(server());
  await scene.employ();
  const calendar = await putCalendar(scene, always);
  await scene.define("often", { spec, overlap: "allow", effectiveFrom: systemClock.now() });
  const first = await Holder.start(scene, "first");
  await first.take();
  await until(async () => expect((await scene.stored()).length).toBeGreaterThan(3));

  first.schedules.lag();
  const edited = await putCalendar(scene, closed, calendar);
  // It goes on by what it knows, and says so: its view does not cover the change.
  const before = (await scene.stored()).length;
  await until(async () => expect((await scene.stored()).length).toBeGreaterThan(before + 3));
  expect((await scene.record()).view).toBeLessThan(edited);

  const second = await Holder.start(scene, "second");
  await second.takeFrom(first);
  const { cursor } = await scene.recordWhere(({ view, holder }) => view >= edited && holder === "second");
  await scene.quiet(2);
  const reopened = await putCalendar(scene, always, edited);
  const { cursor: opened } = await scene.recordWhere(({ view }) => view >= reopened);
  await until(async () =>
    expect(instantOf((await scene.stored()).at(-1) as string)).toBeGreaterThan(opened.time + 1_000),
  );

  const runs = await scene.stored();
  expect(repeated(runs)).toEqual([]);
  const times = runs.map(instantOf).sort((a, b) => a - b);
  // Every slot up to the change, none while it was closed, every slot after it.
  const whileOpen = times.filter((at) => at <= cursor.time);
  expect(whileOpen).toEqual(whileOpen.map((_, index) => (times[0] as number) + index * EVERY));
  const again = times.filter((at) => at > cursor.time);
  expect(again).toEqual(again.map((_, index) => (again[0] as number) + index * EVERY));
});

test("a successor that does not know the change yet decides nothing", async () => {
  const scene = await Scene.open(server());
  await scene.employ();
  const calendar = await putCalendar(scene, always);
  await scene.define("often", { spec, overlap: "allow", effectiveFrom: systemClock.now() });
  const second = await Holder.start(scene, "second");
  const first = await Holder.start(scene, "first");
  await first.take();
  await until(async () => expect((await scene.stored()).length).toBeGreaterThan(3));
  second.schedules.lag();
  const edited = await putCalendar(scene, closed, calendar);
  await scene.recordWhere(({ view }) => view >= edited);
  await scene.quiet();
  const stored = await scene.stored();
  await first.connection.close();
  second.depose(first);
  await until(() => expect(second.schedules.touches).toBeGreaterThan(0));
  expect(await scene.record()).toMatchObject({ holder: "first" });

  second.schedules.catchUp();
  await scene.recordWhere(
    ({ holder, cursor }) => holder === "second" && cursor.time > systemClock.now() - 500,
  );
  await scene.quiet(2);
  expect(await scene.stored()).toEqual(stored);
});
