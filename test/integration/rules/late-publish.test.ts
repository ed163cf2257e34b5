import { describe, expect, test } from "vitest";
import type { PublishOutcome } from "../../../src/core/ports.js";
import { gate, never, noAnswer } from "../../support/faults.js";
import { Holder } from "../../support/holder.js";
import { Scene, until, useServer } from "../../support/scene.js";

const server = useServer();

describe("a publish of a deposed holder", () => {
  test("that arrives late is refused as a duplicate of the successor's tombstone", async () => {
    const scene = await Scene.open(server());
    const { runId } = await scene.define("nightly");
    const first = await Holder.start(scene, "first");
    const release = gate();
    let late: PublishOutcome | undefined;
    first.work.onRun = async (_message, send) => {
      await release.opened;
      late = await send();
      return late;
    };
    await first.take();
    await scene.recordWhere(({ firing }) => firing.length === 1);

    const second = await Holder.start(scene, "second");
    await second.takeFrom(first);
    await scene.firedOnce(runId);
    expect(await scene.doOne()).toBe(runId); // the subject is free: only the tombstone can refuse
    release.open();

    await until(() => expect(late).toMatchObject({ kind: "duplicate" }));
    await scene.quiet(2);
    expect(await scene.stored()).toEqual([runId]);
    expect(await scene.told()).toEqual([]);
  });
});

describe("an unanswered publish", () => {
  test("that was stored ends the term; the next one finds it fired", async () => {
    const scene = await Scene.open(server());
    const { runId } = await scene.define("nightly");
    const holder = await Holder.start(scene, "holder");
    holder.work.onRun = async (_message, send) => {
      await send();
      await scene.doOne();
      return noAnswer();
    };
    await holder.take();

    const { term } = await scene.quiet(2);
    expect(term).toBe(2);
    expect(await scene.stored()).toEqual([runId]);
    expect(holder.work.published).toEqual([`${runId}/1`]);
  });

  test("that was not stored ends the term; the next one fires it under its own number", async () => {
    const scene = await Scene.open(server());
    const { runId } = await scene.define("nightly");
    const holder = await Holder.start(scene, "holder");
    holder.work.onRun = async ({ msgId }, send) => (msgId === `${runId}/1` ? noAnswer() : send());
    await holder.take();

    await scene.firedOnce(runId);
    await scene.quiet(2);
    expect(await scene.stored()).toEqual([runId]);
    expect(holder.work.published).toEqual([`${runId}/1`, `${runId}/2`]);
  });
});

describe("settlement", () => {
  test("a tombstone that is a duplicate of a tombstone does not mean fired: the slot is not lost", async () => {
    const scene = await Scene.open(server());
    const { runId } = await scene.define("nightly");
    const first = await Holder.start(scene, "first");
    first.work.onRun = never;
    await first.take();
    await scene.recordWhere(({ firing }) => firing.length === 1);

    const second = await Holder.start(scene, "second");
    second.work.onRun = never;
    await second.takeFrom(first);
    await until(() => expect(second.work.published).toEqual([`${runId}/2`]));

    const third = await Holder.start(scene, "third");
    await third.takeFrom(second);
    await scene.firedOnce(runId);
    await scene.quiet(3);
    expect(await scene.stored()).toEqual([runId]);
    expect(third.work.published).toEqual([`${runId}/3`]);
  });

  /** A holder's run was stored, and done; then the server forgot its message id. */
  async function forgotten(scene: Scene, first: Holder, { tells = false } = {}): Promise<string> {
    const { runId } = await scene.define("nightly");
    await first.take();
    await scene.firedOnce(runId);
    await scene.doOne({ tells });
    return runId;
  }

  test("after a restart that forgot the message id, an event of the run prevents a second fire", async () => {
    const scene = await Scene.open(server());
    const first = await Holder.start(scene, "first");
    first.work.onRun = (_message, send) => send().then(() => never());
    const runId = await forgotten(scene, first, { tells: true });
    await scene.restartServer();

    const second = await Holder.start(scene, "second");
    await second.takeFrom(first);
    await scene.quiet(2);
    expect(await scene.stored()).toEqual([runId]);
    expect(second.work.published).toEqual([]);
    expect(await scene.firedSlots()).toEqual([runId]);
    // The server had indeed forgotten: it stored the tombstone under the id of the run's own message.
    const tombstone = await scene.ports.work.lastOn(scene.names.tombstone(runId, 1));
    expect(tombstone).not.toBeNull();
  });

  test("after such a restart, a slot record prevents a second fire", async () => {
    const scene = await Scene.open(server());
    const first = await Holder.start(scene, "first");
    let committed = false;
    first.leases.onWrite = ({ firing }, send) => {
      if (committed) return never();
      committed = firing.length > 0;
      return send();
    };
    const runId = await forgotten(scene, first);
    await until(async () => expect(await scene.firedSlots()).toEqual([runId]));
    await scene.restartServer();

    const second = await Holder.start(scene, "second");
    await second.takeFrom(first);
    await scene.quiet(2);
    expect(await scene.stored()).toEqual([runId]);
    expect(await scene.firedSlots()).toEqual([runId]);
  });

  test("after such a restart, an orchestrator that had the answer needs no record of it", async () => {
    const scene = await Scene.open(server());
    const first = await Holder.start(scene, "first");
    first.runs.onSlots = never;
    const runId = await forgotten(scene, first);
    await until(() => expect(first.memory.inWork(0).has(runId)).toBe(true));
    await scene.restartServer();

    const again = await Holder.start(scene, "again", { memory: first.memory });
    await again.takeFrom(first);
    await scene.quiet(2);
    expect(await scene.stored()).toEqual([runId]);
    expect(await scene.firedSlots()).toEqual([runId]);
    expect(again.memory.inWork(0).size).toBe(0);
  });

  test("after such a restart, a run of which nothing tells is delivered again, under the same run id", async () => {
    const scene = await Scene.open(server());
    const first = await Holder.start(scene, "first");
    first.work.onRun = (_message, send) => send().then(() => never());
    const runId = await forgotten(scene, first);
    await scene.restartServer();

    const second = await Holder.start(scene, "second");
    await second.takeFrom(first);
    await until(async () => expect(await scene.stored()).toEqual([runId, runId]));
  });
});

describe("a fire", () => {
  test("stays in the record until its slot record is stored, and is told once", async () => {
    const scene = await Scene.open(server());
    const holder = await Holder.start(scene, "holder");
    const told = gate();
    holder.runs.onSlots = (_record, send) => told.opened.then(send);
    const { runId } = await scene.define("nightly");
    await holder.take();
    await scene.firedOnce(runId);

    const { nonce } = await scene.recordWhere(({ firing }) => firing.length === 1);
    const renewed = await scene.recordWhere((record) => record.nonce !== nonce);
    expect(renewed.firing).toMatchObject([{ scheduleId: "nightly" }]);
    told.open();
    await scene.quiet();
    expect(await scene.firedSlots()).toEqual([runId]);
    const [fired] = (await scene.ports.runs.slotsAfter(0, 0)).fired;
    expect(await scene.ports.work.at(fired?.seq ?? 0)).toMatchObject({
      headers: { "Punctual-Run-Id": runId },
    });
  });

  test("whose holder could not tell of it is told by the successor", async () => {
    const scene = await Scene.open(server());
    const first = await Holder.start(scene, "first");
    first.runs.onSlots = never;
    const { runId } = await scene.define("nightly");
    await first.take();
    await scene.firedOnce(runId);

    const second = await Holder.start(scene, "second");
    await second.takeFrom(first);
    await scene.quiet(2);
    expect(await scene.firedSlots()).toEqual([runId]);
    expect(await scene.stored()).toEqual([runId]);
  });
});
