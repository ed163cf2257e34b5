import { describe, expect, test } from "vitest";
import { never, noAnswer } from "../../support/faults.js";
import { Holder } from "../../support/holder.js";
import { definition, Scene, until, useServer } from "../../support/scene.js";

const server = useServer();

describe("skipped and missed become true only by the commit", () => {
  test("an overlap found by a holder that died before its commit leaves no trace; the successor fires", async () => {
    const scene = await Scene.open(server());
    const { runId } = await scene.define("nightly");
    await scene.occupy("nightly", "nightly:earlier");
    const first = await Holder.start(scene, "first");
    let decided = false;
    first.leases.onWrite = ({ reports }, send) => {
      decided ||= reports.length > 0;
      return decided ? never() : send();
    };
    await first.take();
    await until(() => expect(decided).toBe(true));
    expect(await scene.doOne()).toBe("nightly:earlier");

    const second = await Holder.start(scene, "second");
    await second.takeFrom(first);
    await scene.firedOnce(runId);
    await scene.quiet(2);
    expect(await scene.stored()).toEqual(["nightly:earlier", runId]);
    expect(await scene.told()).toEqual([]);
  });

  test("slots passed over by a plan that was never committed are decided once, by the successor", async () => {
    const scene = await Scene.open(server());
    const first = await Holder.start(scene, "first");
    let decided = 0;
    first.leases.onWrite = ({ reports }, send) => {
      decided += reports.length;
      return decided > 0 ? never() : send();
    };
    await first.take();
    const { effectiveFrom } = definition();
    await scene.define("hourly", {
      spec: { kind: "every", everyMs: 3_600_000, phaseMs: effectiveFrom % 3_600_000 },
      effectiveFrom: effectiveFrom - 5 * 3_600_000,
      misfire: "skip",
    });
    await until(() => expect(decided).toBe(1));
    expect(await scene.told()).toEqual([]);

    const second = await Holder.start(scene, "second");
    await second.takeFrom(first);
    await until(async () =>
      expect(await scene.told()).toMatchObject([{ type: "skipped", reason: "misfire", count: 4 }]),
    );
    await scene.quiet(2);
    expect(await scene.told()).toHaveLength(1);
    expect(await scene.stored()).toHaveLength(1); // the youngest of them was only late
  });

  test("a report that its holder could not tell any more is told by the successor, from the record", async () => {
    const scene = await Scene.open(server());
    const { runId } = await scene.define("nightly");
    await scene.occupy("nightly", "nightly:earlier");
    const first = await Holder.start(scene, "first");
    first.leases.onWrite = async ({ reports }, send) => {
      const outcome = await send();
      return reports.length > 0 ? never() : outcome;
    };
    await first.take();
    await scene.recordWhere(({ reports, firing }) => reports.length === 1 && firing.length === 0);
    expect(await scene.told()).toEqual([]);

    const second = await Holder.start(scene, "second");
    await second.takeFrom(first);
    await until(async () =>
      expect(await scene.told()).toMatchObject([{ runId, type: "skipped", reason: "overlap" }]),
    );
    expect(await scene.stored()).toEqual(["nightly:earlier"]);
  });

  test("a report stays in the record until a slot record has it too, which the successor writes", async () => {
    const scene = await Scene.open(server());
    const { runId } = await scene.define("nightly");
    await scene.occupy("nightly", "nightly:earlier");
    const first = await Holder.start(scene, "first");
    first.runs.onSlots = never;
    await first.take();
    await until(async () => expect(await scene.told()).toMatchObject([{ runId, type: "skipped" }]));
    const { nonce } = await scene.recordWhere(({ reports }) => reports.length === 1);
    await scene.recordWhere((record) => record.nonce !== nonce && record.reports.length === 1);

    const second = await Holder.start(scene, "second");
    await second.takeFrom(first);
    await scene.recordWhere(({ reports }) => reports.length === 0);
    const { reports } = await scene.ports.ledger.told(0);
    expect(reports).toMatchObject([
      { scheduleId: "nightly", outcome: "skipped", reason: "overlap", count: 1 },
    ]);
    expect(await scene.told()).toHaveLength(1);
  });
});

describe("at-most-once", () => {
  test("a fire that may have happened is recorded as missed (ambiguous), and not repeated", async () => {
    const scene = await Scene.open(server());
    const { runId } = await scene.define("nightly", { delivery: "at-most-once" });
    const holder = await Holder.start(scene, "holder");
    holder.work.onRun = async () => noAnswer();
    await holder.take();

    await until(async () =>
      expect(await scene.told()).toMatchObject([{ runId, type: "missed", reason: "ambiguous" }]),
    );
    await scene.quiet(2);
    expect(holder.work.published).toEqual([`${runId}/1`]);
    expect(await scene.stored()).toEqual([]);
  });

  test("a fire that is found to have happened is no miss", async () => {
    const scene = await Scene.open(server());
    const { runId } = await scene.define("nightly", { delivery: "at-most-once" });
    const holder = await Holder.start(scene, "holder");
    holder.work.onRun = async (_message, send) => {
      await send();
      return noAnswer();
    };
    await holder.take();

    await scene.firedOnce(runId);
    await scene.quiet(2);
    expect(await scene.stored()).toEqual([runId]);
    expect(await scene.told()).toEqual([]);
  });
});
