import { expect, test } from "vitest";
import type { Clock } from "../../../src/core/ports.js";
import { parseRunId } from "../../../src/protocol/names.js";
import { systemClock } from "../../../src/runtime/clock.js";
import { Scene, until, useServer } from "../../support/scene.js";
import { startSession } from "../../support/sessions.js";

const server = useServer();
const HOUR = 3_600_000;
const EVERY = 500;

/** The clock of a machine, which somebody sets while it runs. */
class SetClock implements Clock {
  offsetMs = 0;
  now = () => systemClock.now() + this.offsetMs;
  monotonic = () => systemClock.monotonic();
  after = (delayMs: number, callback: () => void) => systemClock.after(delayMs, callback);
}

test("a clock that is set back and forward by hours doubles no slot and loses none", async () => {
  const scene = await Scene.open(server());
  const clock = new SetClock();
  const { session } = await startSession(scene, "one", {}, clock);
  await until(() => expect(session.held).toEqual([0]));
  const effectiveFrom = clock.now();
  const spec = { kind: "every", everyMs: EVERY, phaseMs: 0 } as const;
  await scene.define("tick", { spec, overlap: "allow", misfire: "skip", effectiveFrom });
  const firedAfter = (count: number) =>
    until(async () => expect((await scene.stored()).length).toBeGreaterThanOrEqual(count));
  await firedAfter(3);

  // Back: what was decided ahead comes when its time comes again; nothing comes twice.
  clock.offsetMs = -2 * HOUR;
  const before = (await scene.record()).cursor;
  await scene.define("new", { spec, overlap: "allow", misfire: "skip", effectiveFrom: clock.now() });
  await until(async () => expect((await scene.stored()).some((id) => id.startsWith("new:"))).toBe(true));
  expect((await scene.record()).cursor.time).toBeGreaterThanOrEqual(before.time);

  // Forward again, and beyond: what was passed over are misfires, each told of.
  clock.offsetMs = 2 * HOUR;
  await until(async () => {
    const reasons = (await scene.told()).map(({ type, reason }) => `${type}: ${reason}`);
    expect(reasons).toContain("skipped: misfire");
  });
  const count = (await scene.stored()).length;
  await firedAfter(count + 3);

  const stored = await scene.stored();
  expect(new Set(stored).size).toBe(stored.length);
  const told = (await scene.told()).filter(({ runId }) => runId.startsWith("tick:"));
  const ticks = stored.filter((id) => id.startsWith("tick:"));
  const first = (Math.floor(effectiveFrom / EVERY) + 1) * EVERY;
  const decided = ticks.length + told.reduce((sum, each) => sum + each.count, 0);
  const last = Math.max(...ticks.map((id) => parseRunId(id)?.slot ?? 0));
  // Every slot up to the last that fired is decided.
  expect(first + (decided - 1) * EVERY).toBe(last);
});
