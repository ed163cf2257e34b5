import { expect, test } from "vitest";
import type { CompositeSpec } from "../../../src/core/schedule.js";
import { jitterOf } from "../../../src/core/time/bounds.js";
import { headers as h } from "../../../src/protocol/headers.js";
import { runIdOf } from "../../../src/protocol/names.js";
import { systemClock } from "../../../src/runtime/clock.js";
import { Holder } from "../../support/holder.js";
import { instantOf } from "../../support/run-ids.js";
import { Scene, until, useServer } from "../../support/scene.js";

const server = useServer();

const JITTER = 10_000;

const spec = (more: Partial<CompositeSpec>): CompositeSpec => ({
  kind: "composite",
  include: [],
  exclude: [],
  spreadMs: 0,
  jitterMs: JITTER,
  ...more,
});

/** When the run's message was stored. */
async function storedAt(scene: Scene, runId: string): Promise<number> {
  for (let seq = 1; ; seq++) {
    const message = await scene.ports.work.at(seq);
    if (message === null) throw new Error(`${runId} is not stored`);
    if (message.headers[h.runId] === runId) return message.storedAt;
  }
}

/** A schedule whose only slot, at `at`, waits for four to five seconds. */
function waiting(at: number): string {
  const isSo = (id: string) => Math.floor(jitterOf(id, at, null, JITTER) / 1_000) === 4;
  return Array.from({ length: 1_000 }, (_, i) => `job-${i}`).find(isSo) as string;
}

/** A holder, and such a schedule, which is not defined yet. */
async function beforeWaiting() {
  const scene = await Scene.open(server());
  const first = await Holder.start(scene, "first");
  await first.take();
  const at = systemClock.now() + 400;
  return { scene, first, at, id: waiting(at) };
}

test("a holder that lets go in good order does not wait for it; what was never sent is not in doubt", async () => {
  const { scene, first, at, id } = await beforeWaiting();
  const once = { delivery: "at-most-once", effectiveFrom: at - 400 } as const;
  await scene.define(id, { spec: spec({ include: [{ kind: "at", at }] }), ...once });
  await scene.recordWhere(({ firing }) => firing.length === 1);
  await first.shard.stop();
  expect(await scene.record()).toMatchObject({ holder: null, term: 1, firing: [{ firstTerm: 2 }] });

  const second = await Holder.start(scene, "second");
  await second.take();
  await scene.firedOnce(runIdOf(id, at));
  await scene.quiet(2);
  expect(await scene.told()).toEqual([]);
  expect(second.work.published).toEqual([`${runIdOf(id, at)}/2`]);
});

test("a run that waits for its jitter is in the record, and a successor publishes it when it is time, once", async () => {
  const { scene, first, at, id } = await beforeWaiting();
  const due = at + jitterOf(id, at, null, JITTER);
  await scene.define(id, { spec: spec({ include: [{ kind: "at", at }] }), effectiveFrom: at - 400 });
  await scene.recordWhere(({ cursor, firing }) => cursor.time > at && firing.some(({ slot }) => slot === at));
  expect(await scene.stored()).toEqual([]);

  const second = await Holder.start(scene, "second");
  await second.takeFrom(first);
  expect(systemClock.now()).toBeLessThan(due);
  const runId = runIdOf(id, at);
  await scene.firedOnce(runId);
  expect(await storedAt(scene, runId)).toBeGreaterThanOrEqual(due - 5);
  await scene.quiet(2);
  expect(await scene.stored().then((runs) => runs.filter((run) => run === runId))).toEqual([runId]);
});

test("each slot is published after its own delay, and keeps its fire time", async () => {
  const scene = await Scene.open(server());
  const holder = await Holder.start(scene, "holder");
  await holder.take();
  const every = spec({ include: [{ kind: "every", everyMs: 500, phaseMs: 0 }], jitterMs: 400 });
  await scene.define("often", { spec: every, overlap: "allow", effectiveFrom: systemClock.now() });
  await until(async () => expect((await scene.stored()).length).toBeGreaterThan(5));
  const runs = await scene.stored();
  const slots = runs.map(instantOf);
  expect(slots).toEqual(slots.map((_, index) => (slots[0] as number) + index * 500));
  for (const [index, runId] of runs.entries()) {
    const slot = slots[index] as number;
    expect(await storedAt(scene, runId)).toBeGreaterThanOrEqual(
      slot + jitterOf("often", slot, slot + 500, 400) - 5,
    );
  }
});
