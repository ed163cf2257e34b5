import { expect, test } from "vitest";
import { runIdOf } from "../../../src/protocol/names.js";
import { systemClock } from "../../../src/runtime/clock.js";
import { clockOff, Holder } from "../../support/holder.js";
import { Scene, until, useServer } from "../../support/scene.js";

const server = useServer();

const EVERY = 250;
const often = { spec: { kind: "every", everyMs: EVERY, phaseMs: 0 }, overlap: "allow" } as const;
const slotAfter = (instant: number) => (Math.floor(instant / EVERY) + 1) * EVERY;

test("created, then changed while the watch lags: the slots in between are decided", async () => {
  const scene = await Scene.open(server());
  await scene.employ();
  const holder = await Holder.start(scene, "holder", { lagging: true });
  await holder.take();
  const api = holder.api(scene);
  await api.put("often", { every: EVERY, overlap: "allow", payload: "as created" });
  const created = systemClock.now();
  await until(() => expect(systemClock.now()).toBeGreaterThan(created + 4 * EVERY));
  const changed = systemClock.now();
  await api.put("often", { every: EVERY, overlap: "allow", payload: "as changed" });
  await until(() => expect(holder.schedules.waiting).toBe(2));
  holder.schedules.catchUp();

  await scene.firedOnce(runIdOf("often", slotAfter(changed)));
  const slots: string[] = [];
  for (let slot = slotAfter(created); slot < changed; slot += EVERY) slots.push(runIdOf("often", slot));
  expect(await scene.stored()).toEqual(expect.arrayContaining(slots));
});

test("written by a clock that is ahead: no slot before effective-from fires, not even after a takeover", async () => {
  const scene = await Scene.open(server());
  const first = await Holder.start(scene, "first");
  await first.take();
  const effectiveFrom = clockOff(2_000).now();
  await scene.define("often", { ...often, effectiveFrom });
  await scene.recordWhere(({ view }) => view === 1);
  const second = await Holder.start(scene, "second");
  await second.takeFrom(first);

  await until(async () => expect((await scene.stored()).length).toBeGreaterThan(0));
  expect((await scene.stored())[0]).toBe(runIdOf("often", slotAfter(effectiveFrom)));
});
