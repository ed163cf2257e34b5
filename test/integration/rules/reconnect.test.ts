import { expect, onTestFinished, test } from "vitest";
import { connect } from "../../../src/connect.js";
import { runIdOf } from "../../../src/protocol/names.js";
import { systemClock } from "../../../src/runtime/clock.js";
import { Scene, until, useServer } from "../../support/scene.js";

const server = useServer();

test("a session ends with its connection; the next begins by itself, and nothing is missed or doubled", async () => {
  const scene = await Scene.open(server());
  const punctual = await connect({ servers: scene.server.url, namespace: scene.namespace });
  onTestFinished(() => punctual.close());
  const orchestrator = await punctual.orchestrate();
  onTestFinished(() => orchestrator.stop());
  const started: string[] = [];
  const worker = await punctual.work("default", {}, async ({ runId }) => void started.push(runId));
  onTestFinished(() => worker.stop());
  const { effectiveFrom } = (
    await scene.define("often", {
      spec: { kind: "every", everyMs: 1_000, phaseMs: 0 },
      overlap: "allow",
      effectiveFrom: systemClock.now(),
    })
  ).definition;
  await until(() => expect(started.length).toBeGreaterThanOrEqual(2));
  const { id } = orchestrator;

  await scene.restartServer();
  await until(() => expect(orchestrator.id).not.toBe(id));
  const again = systemClock.now();
  const slots: string[] = [];
  const first = Math.floor(effectiveFrom / 1_000) + 1;
  for (let second = first; second * 1_000 < again + 1_000; second++) {
    slots.push(runIdOf("often", second * 1_000));
  }
  await until(() => expect(started).toEqual(expect.arrayContaining(slots)));
  expect(started.filter((runId) => slots.includes(runId)).toSorted()).toEqual(slots);
  expect(await scene.told().then((events) => events.filter(({ type }) => type === "missed"))).toEqual([]);
});
