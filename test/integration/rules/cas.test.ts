import { describe, expect, test } from "vitest";
import type { LeaseRecord } from "../../../src/core/lease.js";
import type { CasOutcome } from "../../../src/core/ports.js";
import { noAnswer } from "../../support/faults.js";
import { Holder } from "../../support/holder.js";
import { Scene, until, useServer } from "../../support/scene.js";

const server = useServer();

type Fault = (send: () => Promise<CasOutcome>) => Promise<CasOutcome>;

const storedUnanswered: Fault = async (send) => {
  await send();
  return noAnswer();
};
const lostOnTheWay: Fault = async () => noAnswer();

/** The writes of a term's story, by name. */
const moments = {
  "the write that takes the shard": ({ term, firing }: LeaseRecord) => term === 1 && firing.length === 0,
  "the commit of a fire": ({ term, firing }: LeaseRecord) => term === 1 && firing.length === 1,
};

describe("an ambiguous compare-and-swap", () => {
  for (const [moment, isIt] of Object.entries(moments)) {
    for (const [what, fault] of Object.entries({ stored: storedUnanswered, "not stored": lostOnTheWay })) {
      test(`${moment}, ${what} and unanswered: the shard goes on, nothing missed or doubled`, async () => {
        const scene = await Scene.open(server());
        const { runId } = await scene.define("nightly");
        await scene.employ();
        const holder = await Holder.start(scene, "holder");
        let faults = 0;
        holder.leases.onWrite = (record, send) => (isIt(record) && faults++ === 0 ? fault(send) : send());
        await holder.take();

        await scene.firedOnce(runId);
        const { term } = await scene.quiet();
        expect(faults).toBeGreaterThan(0);
        expect(await scene.stored()).toEqual([runId]);
        expect(await scene.told()).toEqual([]);
        // What was in doubt was published by nobody before its successor had settled it.
        expect(holder.work.published).toEqual([`${runId}/${term}`]);
        const next = await scene.define("another");
        await scene.firedOnce(next.runId);
      });
    }
  }

  test("several in a row, stored or not, still end in one fire", async () => {
    const scene = await Scene.open(server());
    const { runId } = await scene.define("nightly");
    await scene.employ();
    const holder = await Holder.start(scene, "holder");
    const faults = [storedUnanswered, lostOnTheWay, storedUnanswered, storedUnanswered, lostOnTheWay];
    holder.leases.onWrite = (_record, send) => faults.shift()?.(send) ?? send();
    await holder.take();

    await scene.firedOnce(runId);
    await scene.quiet();
    expect(faults).toEqual([]);
    expect(await scene.stored()).toEqual([runId]);
  });
});

describe("a compare-and-swap lost to another holder", () => {
  test("ends the term; nothing of the lost plan is published", async () => {
    const scene = await Scene.open(server());
    const first = await Holder.start(scene, "first");
    const second = await Holder.start(scene, "second");
    first.leases.onWrite = async ({ firing }, send) => {
      if (firing.length > 0) await second.takeFrom(first);
      return send();
    };
    await first.take();
    const { runId } = await scene.define("nightly");

    await scene.firedOnce(runId);
    await until(() => expect(first.shard.isHeld).toBe(false));
    await scene.quiet(2);
    expect(first.work.published).toEqual([]);
    expect(second.work.published).toEqual([`${runId}/2`]);
    expect(await scene.stored()).toEqual([runId]);
  });
});
