import { describe, expect, test } from "vitest";
import { runIdOf } from "../../../src/protocol/names.js";
import { systemClock } from "../../../src/runtime/clock.js";
import { clockOff, Holder } from "../../support/holder.js";
import { instantOf } from "../../support/run-ids.js";
import { Scene, until, useServer } from "../../support/scene.js";

const server = useServer();

const repeated = (runIds: readonly string[]) => runIds.filter((id, index) => runIds.indexOf(id) !== index);

describe("a definition that the watch delivers late", () => {
  test("is not passed over by a cursor that has moved past its slots", async () => {
    const scene = await Scene.open(server());
    const holder = await Holder.start(scene, "holder", { lagging: true });
    await holder.take();
    const at = systemClock.now() + 100;
    const { runId } = await scene.define("nightly", { spec: { kind: "at", at }, effectiveFrom: at - 100 });
    await scene.recordWhere(({ cursor, view }) => cursor.time > at && view === 0);
    expect(await scene.stored()).toEqual([]);
    holder.schedules.catchUp();

    await scene.firedOnce(runId);
    const { view } = await scene.quiet();
    expect(view).toBe(1);
    expect(await scene.stored()).toEqual([runId]);
  });

  test("is not passed over by a takeover either", async () => {
    const scene = await Scene.open(server());
    const first = await Holder.start(scene, "first", { lagging: true });
    await first.take();
    const at = systemClock.now() + 100;
    const { runId } = await scene.define("nightly", { spec: { kind: "at", at }, effectiveFrom: at - 100 });
    await scene.recordWhere(({ cursor }) => cursor.time > at);

    const second = await Holder.start(scene, "second");
    await second.takeFrom(first);
    await scene.firedOnce(runId);
    await scene.quiet(2);
    expect(await scene.stored()).toEqual([runId]);
  });

  test("keeps a successor waiting whose own view is behind the record's", async () => {
    const scene = await Scene.open(server());
    const second = await Holder.start(scene, "second", { lagging: true });
    const first = await Holder.start(scene, "first");
    await first.take();
    const at = systemClock.now() + 2_000;
    const { runId } = await scene.define("nightly", { spec: { kind: "at", at } });
    await scene.recordWhere(({ view }) => view === 1);
    await first.connection.close();
    second.depose(first);

    await until(() => expect(systemClock.now()).toBeGreaterThan(at + 1_000));
    expect(await scene.record()).toMatchObject({ holder: "first", term: 1 });
    // It helps itself along, in case that the store has lost its newest definitions.
    expect(second.schedules.touches).toBeGreaterThan(0);
    second.schedules.catchUp();
    await scene.firedOnce(runId);
    await scene.quiet(2);
    expect(await scene.stored()).toEqual([runId]);
  });
});

describe("a successor whose clock is behind", () => {
  test("does not decrease the cursor: no slot is decided twice", async () => {
    const scene = await Scene.open(server());
    await scene.employ();
    const cursors: number[] = [];
    const first = await Holder.start(scene, "first");
    await first.take();
    await scene.define("often", {
      spec: { kind: "every", everyMs: 250, phaseMs: 0 },
      overlap: "allow",
      effectiveFrom: systemClock.now() - 3_000,
    });
    await until(async () => expect((await scene.stored()).length).toBeGreaterThan(12));
    const second = await Holder.start(scene, "second", { clock: clockOff(-5_000) });
    second.leases.onWrite = async (record, send) => {
      cursors.push(record.cursor.time);
      return send();
    };
    cursors.push((await scene.cursor()).time);
    await second.takeFrom(first);
    await until(() => expect(cursors.length).toBeGreaterThan(3));
    const third = await Holder.start(scene, "third");
    await third.takeFrom(second);
    const before = (await scene.stored()).length;
    await until(async () => expect((await scene.stored()).length).toBeGreaterThan(before + 3));

    expect(cursors).toEqual(cursors.toSorted((a, b) => a - b));
    expect(repeated(await scene.stored())).toEqual([]);
  });
});

describe("a definition that changes", () => {
  test("takes effect after the cursor: no slot before it is decided anew", async () => {
    const scene = await Scene.open(server());
    await scene.employ();
    const holder = await Holder.start(scene, "holder");
    await holder.take();
    const { runId, revision } = await scene.define("nightly", { overlap: "allow" });
    await scene.firedOnce(runId);
    const { time } = await scene.cursor();
    await scene.define(
      "nightly",
      {
        spec: { kind: "every", everyMs: 250, phaseMs: 0 },
        overlap: "allow",
        effectiveFrom: time - 60_000,
        firstRevision: revision,
      },
      revision,
    );
    await until(async () => expect((await scene.stored()).length).toBeGreaterThan(3));

    const [, ...fired] = await scene.stored();
    const instants = fired.map((id) => instantOf(id));
    expect(Math.min(...instants)).toBeGreaterThan(time);
    expect(repeated(fired)).toEqual([]);
  });

  test("deleted and made again, does not decide a slot twice, not even under a successor", async () => {
    const scene = await Scene.open(server());
    await scene.employ();
    // So far ahead that slots are decided well before they are due, and before the deletion.
    const first = await Holder.start(scene, "first", { settings: { ahead: 3_000 } });
    await first.take();
    const api = first.api(scene);
    await api.put("often", { every: "1s", overlap: "allow" });
    const { firing } = await scene.recordWhere(({ firing }) => firing.length >= 2);
    const decided = firing.map(({ scheduleId, slot }) => runIdOf(scheduleId, slot));
    first.schedules.lag();
    await api.delete("often");
    await api.put("often", { every: "1s", overlap: "allow" });
    await until(async () => expect(await scene.stored()).toEqual(expect.arrayContaining(decided)));

    const second = await Holder.start(scene, "second");
    await second.takeFrom(first);
    const before = (await scene.stored()).length;
    await until(async () => expect((await scene.stored()).length).toBeGreaterThan(before + 2));
    expect(repeated(await scene.stored())).toEqual([]);
  });
});
