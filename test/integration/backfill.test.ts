/** Slots of the past, run on a real server; with orchestrators killed on the way. */
import { describe, expect, onTestFinished, test } from "vitest";
import { Fleet, type FleetProcess } from "../../src/demo/fleet.js";
import type { BackfillView } from "../../src/protocol/backfill.js";
import { headers as h } from "../../src/protocol/headers.js";
import { instantToken } from "../../src/protocol/names.js";
import { orchestratorProgram } from "../support/processes.js";
import { until } from "../support/scene.js";
import { expectRefusal, Stage, serverOf } from "../support/stage.js";

const server = serverOf();
const hourly = { cron: "0 * * * *" };
const from = new Date("2026-01-01T00:30:00Z");
const hours = (first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, n) => Date.UTC(2026, 0, 1, first + n));

function over(stage: Stage, id: string): Promise<BackfillView> {
  return until(async () => {
    const backfill = await stage.client.backfills.get(id);
    expect(backfill.state).not.toBe("running");
    return backfill;
  });
}

describe("a backfill", () => {
  test("runs every slot of the range once, in the low lane, and says so", async () => {
    const stage = await Stage.orchestrated(server());
    await stage.client.schedules.put("s", { ...hourly, payload: "p", startDeadline: "5m" });
    const seen = await stage.attempts("default");
    const range = { from, to: new Date("2026-01-01T05:00:00Z"), rate: "100/s" };
    const { id } = await stage.client.backfills.start("s", range);
    const done = await over(stage, id);
    expect(done).toMatchObject({ state: "done", slots: 5, queued: 5, passedBy: 0, missed: 0 });
    await until(() => expect(seen).toHaveLength(5));
    const slots = hours(1, 5);
    // The worker does several at once: which of them begins first is not said.
    seen.sort((a, b) => (a.runId < b.runId ? -1 : 1));
    expect(seen.map(({ runId }) => runId)).toEqual(slots.map((slot) => `s:${instantToken(slot)}:${id}`));
    const [job] = seen.map((attempted) => attempted.job);
    expect(job).toMatchObject({ payload: "p", scheduleId: "s", trigger: "backfill" });
    expect(job?.fireTime).toEqual(new Date(slots[0] as number));
    expect(job?.headers[h.trigger]).toBe("backfill");
    expect(job?.headers[h.startDeadline]).toBeUndefined();
    expect(await stage.client.backfills.list({ scheduleId: "s" })).toEqual([done]);
    expect(await stage.client.backfills.list({ scheduleId: "other" })).toEqual([]);
  });

  test("goes backwards, at its rate, and paused or not", async () => {
    const stage = await Stage.orchestrated(server());
    await stage.client.schedules.put("s", { ...hourly, paused: true });
    const seen = await stage.attempts("default");
    const range = { from, to: new Date("2026-01-01T03:00:00Z"), rate: "2/s", backwards: true };
    const { id } = await stage.client.backfills.start("s", range);
    await over(stage, id);
    await until(() => expect(seen).toHaveLength(3));
    expect(seen.map(({ job }) => job.fireTime?.getTime())).toEqual(hours(1, 3).reverse());
  });

  test("can be cancelled; what is queued stays", async () => {
    const stage = await Stage.orchestrated(server());
    await stage.client.schedules.put("s", { ...hourly, queue: "idle" });
    const { id } = await stage.client.backfills.start("s", {
      from,
      to: new Date("2026-03-01T00:00:00Z"),
      rate: "1/s",
    });
    await until(async () => expect(await stage.inWork()).not.toEqual([]));
    const cancelled = await stage.client.backfills.cancel(id);
    expect(cancelled.state).toBe("cancelled");
    expect(await stage.client.backfills.cancel(id)).toMatchObject({ id, state: "cancelled" });
    const queued = await until(async () => {
      const now = await stage.client.backfills.get(id);
      const inWork = await stage.inWork();
      expect(now.queued).toBe(inWork.length);
      return inWork;
    });
    expect(queued.length).toBeLessThan(10);
  });

  test("ends when its schedule is deleted, and says why", async () => {
    const stage = await Stage.orchestrated(server());
    await stage.client.schedules.put("s", { ...hourly, queue: "idle" });
    const { id } = await stage.client.backfills.start("s", {
      from,
      to: new Date("2026-03-01T00:00:00Z"),
      rate: "1/s",
    });
    await stage.client.schedules.delete("s");
    expect(await over(stage, id)).toMatchObject({ state: "failed", reason: "the schedule was deleted" });
  });

  test("goes on with the definition it was made from", async () => {
    const stage = await Stage.orchestrated(server());
    await stage.client.schedules.put("s", { ...hourly, payload: "old" });
    const seen = await stage.attempts("default");
    const range = { from, to: new Date("2026-01-01T04:00:00Z"), rate: "2/s" };
    const { id } = await stage.client.backfills.start("s", range);
    await stage.client.schedules.put("s", { cron: "30 * * * *", payload: "new" });
    expect(await over(stage, id)).toMatchObject({ state: "done", queued: 4 });
    await until(() => expect(seen).toHaveLength(4));
    expect(seen.map(({ job }) => job.payload)).toEqual(["old", "old", "old", "old"]);
  });

  test("that makes no sense is refused by its field", async () => {
    const stage = await Stage.orchestrated(server());
    const { backfills, schedules } = stage.client;
    await schedules.put("s", hourly);
    const to = new Date("2026-01-02T00:00:00Z");
    const start =
      (more: object, id = "s") =>
      () =>
        backfills.start(id, { from, to, ...more });
    await expectRefusal(start({}, "none"), "not_found", /none does not exist/);
    await expectRefusal(start({ to: new Date("2025-01-01") }), "invalid", /^to: expected .* not before from/);
    await expectRefusal(start({ to: new Date("2099-01-01") }), "invalid", /^to: expected .* has passed/);
    await expectRefusal(
      start({ rate: "fast" }),
      "invalid",
      /rate: expected a rate such as "10\/s".*got "fast"/,
    );
    await expectRefusal(start({ rate: "1001/s" }), "invalid", /rate: .*at most 1000\/s/);
    await expectRefusal(start({ reprocess: "some" }), "invalid", /reprocess: .*got "some"/);
    const short = { from: new Date("2026-01-01T00:01:00Z"), to: new Date("2026-01-01T00:59:00Z") };
    await expectRefusal(start(short), "invalid", /^from: expected fire times between/);
    await expectRefusal(backfills.get("b000000000"), "not_found", /b000000000 does not exist/);
    await expectRefusal(() => backfills.get("x"), "invalid", /id: expected the id of a backfill/);
    expect(await backfills.list()).toEqual([]);
  });
});

describe("reprocess", () => {
  /** A schedule that fired some slots, of which one failed, and skipped some. */
  async function lived(stage: Stage) {
    const startedAt = Date.now();
    let failed: number | undefined;
    const seen = await stage.attempts("default", (job) => {
      failed ??= job.fireTime?.getTime();
      if (job.trigger === "schedule" && job.fireTime?.getTime() === failed) throw new Error("on purpose");
    });
    await stage.client.schedules.put("s", { every: "1s", retry: { maxAttempts: 1 } });
    await until(() => expect(seen.length).toBeGreaterThanOrEqual(3));
    await stage.client.schedules.pause("s");
    await stage.workIsEmpty();
    await until(async () => {
      const ended = (await stage.events()).filter(({ type }) => type === "succeeded" || type === "dead");
      expect(ended.length).toBe(seen.length);
    });
    const fired = seen.map(({ job }) => job.fireTime?.getTime() ?? 0);
    const all: number[] = [];
    const last = Math.floor(Date.now() / 1_000) * 1_000;
    for (let slot = Math.ceil((startedAt - 5_000) / 1_000) * 1_000; slot <= last; slot += 1_000)
      all.push(slot);
    const range = { from: all[0] as number, to: last, rate: "1000/s" };
    return { fired, all, range, failed: failed as number, seen };
  }

  test("none runs only what RUNS knows nothing of, failed also what failed, all everything", async () => {
    const stage = await Stage.orchestrated(server());
    const { fired, all, range, failed, seen } = await lived(stage);
    const { backfills } = stage.client;
    const before = all.filter((slot) => !fired.includes(slot));
    expect(await backfills.plan("s", range)).toMatchObject({
      slots: all.length,
      looked: all.length,
      runs: before.length,
      first: before.slice(0, 10).map((slot) => new Date(slot).toISOString()),
    });
    expect(await backfills.plan("s", { ...range, reprocess: "failed" })).toMatchObject({
      runs: before.length + 1,
    });
    const own = () => seen.filter(({ job }) => job.trigger === "backfill");
    const again = await over(stage, (await backfills.start("s", { ...range, reprocess: "failed" })).id);
    expect(again).toMatchObject({ queued: before.length + 1, passedBy: all.length - before.length - 1 });
    await until(() => expect(own()).toHaveLength(before.length + 1));
    expect(own().map(({ job }) => job.fireTime?.getTime())).toContain(failed);
    const everything = await over(stage, (await backfills.start("s", { ...range, reprocess: "all" })).id);
    expect(everything).toMatchObject({ queued: all.length, passedBy: 0 });
  });
});

describe("with two orchestrators", () => {
  test("of which the one that works it is killed on the way, again and again: none lost, none doubled", async () => {
    const stage = await Stage.open(server());
    const fleet = new Fleet();
    onTestFinished(() => fleet.stop());
    const start = (name: string) =>
      fleet.spawn(name, orchestratorProgram(server().url, name, stage.names.namespace), { onLine() {} });
    const processes = new Map<string, FleetProcess>();
    for (const name of ["one", "two"]) processes.set(name, await start(name));
    const holders = new Map<number, string>();
    const watch = await stage.punctual.watchShards(({ shard, holder }) => {
      if (holder !== null) holders.set(shard, holder);
    });
    onTestFinished(() => watch.stop());
    await until(() => expect(holders.size).toBe(2));
    const everyMinute = { every: "1m", payload: "p", paused: true };
    const { shard } = await stage.client.schedules.put("s", everyMinute);
    const seen = await stage.attempts("default");
    const range = {
      from: new Date("2026-01-01T00:00:00Z"),
      to: new Date("2026-01-01T09:59:30Z"),
      rate: "150/s",
    };
    const { id } = await stage.client.backfills.start("s", range);
    for (const [round, next] of ["three", "four", "five"].entries()) {
      await until(async () => {
        const { queued } = await stage.client.backfills.get(id);
        expect(queued).toBeGreaterThanOrEqual((round + 1) * 150);
      });
      const holder = holders.get(shard)?.split("-")[0] ?? "";
      processes.get(holder)?.kill("SIGKILL");
      processes.delete(holder);
      processes.set(next, await start(next));
    }
    const done = await over(stage, id);
    expect(done).toMatchObject({ state: "done", slots: 600, queued: 600, passedBy: 0, missed: 0 });
    await until(() => expect(seen.length).toBeGreaterThanOrEqual(600));
    await stage.workIsEmpty();
    expect(seen).toHaveLength(600);
    expect(new Set(seen.map(({ runId }) => runId)).size).toBe(600);
  });
});
