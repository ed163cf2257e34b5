import { describe, expect, test } from "vitest";
import type { PublishOutcome } from "../../../src/core/ports.js";
import { gate } from "../../support/faults.js";
import { Holder } from "../../support/holder.js";
import { Scene, until, useServer } from "../../support/scene.js";

const server = useServer();

describe("a publish refused because its subject is taken", () => {
  test("by the run itself: it is fired", async () => {
    const scene = await Scene.open(server());
    const { runId } = await scene.define("nightly");
    await scene.occupy("nightly", runId);
    const holder = await Holder.start(scene, "holder");
    await holder.take();

    await until(() => expect(holder.work.published).toEqual([`${runId}/1`]));
    await scene.quiet();
    expect(await scene.stored()).toEqual([runId]);
    expect(await scene.told()).toEqual([]);
  });

  test("by the run itself, and done before it could be read: it is fired, as RUNS knows", async () => {
    const scene = await Scene.open(server());
    const holder = await Holder.start(scene, "holder");
    await holder.take();
    holder.work.onRun = async ({ headers }, send) => {
      if (holder.work.published.length === 1) await scene.occupy("nightly", headers["Punctual-Run-Id"] ?? "");
      return send();
    };
    holder.work.beforeLastOn = async () => void (await scene.doOne({ tells: true }));
    const { runId } = await scene.define("nightly");

    await until(() => expect(holder.work.published).toEqual([`${runId}/1`]));
    await scene.firedOnce(runId);
    await scene.quiet();
    expect(await scene.stored()).toEqual([runId]);
    expect(await scene.told()).toMatchObject([{ runId, type: "succeeded" }]);
  });

  test("by another run: it is skipped, and RUNS is told only after the commit that drops the entry", async () => {
    const scene = await Scene.open(server());
    const { runId } = await scene.define("nightly");
    await scene.occupy("nightly", "nightly:earlier");
    const holder = await Holder.start(scene, "holder");
    const reached = gate();
    const commit = gate();
    holder.leases.onWrite = async ({ reports }, send) => {
      if (reports.length > 0) {
        reached.open();
        await commit.opened;
      }
      return send();
    };
    await holder.take();

    await reached.opened;
    // Stored after all that was told so far; so what is not there was not told.
    await scene.ports.runs.append({ runId: "mark", type: "mark", msgId: "mark", data: {} });
    expect((await scene.told()).map((event) => event.runId)).toEqual(["mark"]);
    commit.open();
    await until(async () =>
      expect(await scene.told()).toMatchObject([
        { runId: "mark" },
        { runId, type: "skipped", reason: "overlap", count: 1 },
      ]),
    );
    await scene.quiet();
    expect(await scene.stored()).toEqual(["nightly:earlier"]);
  });

  test("by a run that is over when it is read: it is published again", async () => {
    const scene = await Scene.open(server());
    const { runId } = await scene.define("nightly");
    await scene.occupy("nightly", "nightly:earlier");
    const holder = await Holder.start(scene, "holder");
    holder.work.beforeLastOn = async () => void (await scene.doOne());
    await holder.take();

    await scene.firedOnce(runId);
    await scene.quiet();
    expect(holder.work.published).toEqual([`${runId}/1`, `${runId}/1`]);
    expect(await scene.stored()).toEqual(["nightly:earlier", runId]);
    expect(await scene.told()).toEqual([]);
  });
});

describe("a publish refused because the stream is full", () => {
  test("waits: the entry stays, and fires when there is room", async () => {
    const scene = await Scene.open(server());
    await scene.occupy("filler", "filler:1");
    await scene.limitQueue(1);
    const { runId } = await scene.define("nightly");
    const holder = await Holder.start(scene, "holder");
    await holder.take();

    await until(() => expect(holder.work.published.length).toBeGreaterThan(2));
    expect((await scene.record()).firing).toMatchObject([{ scheduleId: "nightly", firstTerm: 1 }]);
    expect(await scene.told()).toEqual([]);
    await scene.doOne();
    await scene.firedOnce(runId);
    await scene.quiet();
    expect(await scene.stored()).toEqual(["filler:1", runId]);
    expect(holder.shard.isHeld).toBe(true);
  });

  test("is not read as taken: a tombstone waits for room too, and then refuses a late publish", async () => {
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
    await scene.occupy("filler", "filler:1");
    await scene.limitQueue(1);
    const second = await Holder.start(scene, "second");
    const refused: string[] = [];
    second.work.onTombstone = async (_message, send) => {
      const outcome = await send();
      refused.push(outcome.kind);
      return outcome;
    };
    await second.takeFrom(first);
    await until(() => expect(refused.length).toBeGreaterThan(0));
    await scene.limitQueue(-1);
    await scene.firedOnce(runId);
    expect([await scene.doOne(), await scene.doOne()]).toEqual(["filler:1", runId]);
    release.open();

    await until(() => expect(late).toMatchObject({ kind: "duplicate" }));
    expect(await scene.stored()).toEqual(["filler:1", runId]);
  });

  test("a settlement that waits for room keeps its lease", async () => {
    const scene = await Scene.open(server());
    await scene.occupy("filler", "filler:1");
    await scene.limitQueue(1);
    const { runId } = await scene.define("nightly");
    const first = await Holder.start(scene, "first");
    await first.take();
    await scene.recordWhere(({ firing }) => firing.length === 1);
    const second = await Holder.start(scene, "second");
    await second.takeFrom(first);

    const taken = await scene.recordWhere(({ holder }) => holder === "second");
    const renewed = await scene.recordWhere(({ nonce }) => nonce !== taken.nonce);
    expect(renewed).toMatchObject({ holder: "second", term: 2 });
    expect(renewed.firing).toMatchObject([{ scheduleId: "nightly" }]);
    await scene.limitQueue(-1);
    await scene.firedOnce(runId);
    const { term } = await scene.quiet(2);
    expect(term).toBe(2);
    expect(await scene.stored()).toEqual(["filler:1", runId]);
  });

  test("a settlement that waits for room can be ended, and leaves what it found to the next holder", async () => {
    const scene = await Scene.open(server());
    await scene.occupy("filler", "filler:1");
    await scene.limitQueue(1);
    const { runId } = await scene.define("nightly");
    const first = await Holder.start(scene, "first");
    await first.take();
    await scene.recordWhere(({ firing }) => firing.length === 1);
    const second = await Holder.start(scene, "second");
    await second.takeFrom(first);
    await second.shard.stop();

    expect(await scene.record()).toMatchObject({ holder: null, term: 2, firing: [{ firstTerm: 1 }] });
    const third = await Holder.start(scene, "third");
    await third.take();
    await scene.limitQueue(-1);
    await scene.firedOnce(runId);
    await scene.quiet(3);
    expect(await scene.stored()).toEqual(["filler:1", runId]);
  });
});
