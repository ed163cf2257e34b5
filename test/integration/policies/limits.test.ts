import { describe, expect, test } from "vitest";
import { Pair } from "../../support/pair.js";
import { definition, until } from "../../support/scene.js";
import { serverOf } from "../../support/stage.js";

const server = serverOf();

describe("pause on failure", () => {
  test("pauses after so many failed runs in a row, whoever holds the shard, and says why", async () => {
    const pair = await Pair.open(server());
    let fails = true;
    const seen = await pair.stage.attempts("default", () => {
      if (fails) throw new Error("no luck");
    });
    await pair.schedules.put("flaky", { every: "300ms", pauseOnFailure: 4, retry: { maxAttempts: 1 } });
    await until(() => expect(seen.length).toBeGreaterThanOrEqual(2));
    await pair.crashHolder();

    const paused = await until(async () => {
      const view = await pair.schedules.get("flaky");
      expect(view.schedule).toMatchObject({ paused: true });
      return view;
    });
    const dead = await pair.told("dead");
    expect(dead.length).toBeGreaterThanOrEqual(4);
    expect(paused).toMatchObject({ nextFireTime: null, changedBy: "punctual" });
    expect(paused.schedule.note).toMatch(/^4 runs in a row failed, the last flaky:/);

    fails = false;
    await pair.schedules.resume("flaky");
    const before = seen.length;
    await until(() => expect(seen.length).toBeGreaterThanOrEqual(before + 3));
    expect((await pair.schedules.get("flaky")).schedule).toMatchObject({ paused: false });
  });

  test("counts only failures in a row, and none from before it was resumed", async () => {
    const pair = await Pair.open(server());
    let runs = 0;
    const seen = await pair.stage.attempts("default", () => {
      if (++runs % 3 !== 0) throw new Error("no luck");
    });
    await pair.schedules.put("moody", { every: "200ms", pauseOnFailure: 3, retry: { maxAttempts: 1 } });
    await until(() => expect(seen.length).toBeGreaterThanOrEqual(8));
    expect((await pair.schedules.get("moody")).schedule).toMatchObject({ paused: false });
  });
});

describe("a limit of runs", () => {
  test("holds over a takeover; then the schedule pauses itself, and resuming it begins anew", async () => {
    const pair = await Pair.open(server());
    const seen = await pair.stage.attempts("default");
    await pair.schedules.put("few", { every: "400ms", maxRuns: 4 });
    await until(() => expect(seen.length).toBeGreaterThanOrEqual(2));
    await pair.crashHolder();
    const done = await until(async () => {
      const view = await pair.schedules.get("few");
      expect(view.schedule).toMatchObject({ paused: true });
      return view;
    });
    expect(done).toMatchObject({ nextFireTime: null, schedule: { note: "all 4 runs are fired (maxRuns)" } });
    await pair.stage.workIsEmpty();
    expect(new Set(seen.map(({ runId }) => runId)).size).toBe(4);
    await pair.schedules.resume("few");
    await until(() => expect(seen).toHaveLength(8));
    await until(async () => expect((await pair.schedules.get("few")).nextFireTime).toBeNull());
    await pair.stage.workIsEmpty();
    expect(seen).toHaveLength(8);
  });
});

describe("a pause until a time", () => {
  test("ends by itself, under whoever holds the shard then", async () => {
    const pair = await Pair.open(server());
    const seen = await pair.stage.attempts("default");
    await pair.schedules.put("soon", { every: "200ms" });
    const end = new Date(Date.now() + 3_000);
    const view = await pair.schedules.pause("soon", "for a moment", { until: end });
    expect(Date.parse(view.nextFireTime ?? "")).toBeGreaterThanOrEqual(end.getTime());
    const before = seen.length;
    await pair.crashHolder();
    await until(() => expect(seen.length).toBeGreaterThan(before + 3));
    const after = seen
      .slice(before)
      .filter(({ job }) => (job.fireTime?.getTime() ?? 0) > Date.parse(view.nextFireTime ?? "") - 1);
    expect(after.length).toBeGreaterThan(2);
    const during = seen
      .map(({ job }) => job.fireTime as Date)
      .filter((at) => at < end && at.getTime() > end.getTime() - 2_000);
    expect(during).toEqual([]);
  });
});

describe("a start deadline", () => {
  test("expires what waited too long in the queue or in a buffer, also after a takeover", async () => {
    const pair = await Pair.open(server());
    await pair.ports.queues.ensure("late");
    await pair.schedules.put("prompt", {
      every: "500ms",
      queue: "late",
      overlap: "buffer-all",
      startDeadline: "1s",
    });
    await pair.recordWhere(({ firing }) => firing.length >= 2);
    await pair.crashHolder();
    await until(async () => expect((await pair.told("expired")).length).toBeGreaterThanOrEqual(2));
    await pair.schedules.pause("prompt");
    const seen = await pair.stage.attempts("late");
    await pair.stage.workIsEmpty();
    await pair.recordWhere(({ firing }) => firing.length === 0);
    const expired = (await pair.told("expired")).map(({ runId }) => runId);
    expect(expired.length).toBeGreaterThanOrEqual(3);
    expect(seen.filter(({ runId }) => expired.includes(runId))).toEqual([]);
  });
});

describe("misfires", () => {
  test("are fired at their rate and as catch-ups, in order, over a takeover, beside what is due", async () => {
    const pair = await Pair.open(server());
    const seen = await pair.stage.attempts("default");
    const effectiveFrom = Date.now() - 75_000;
    const write = await pair.ports.schedules.write(
      "behind",
      definition({
        spec: { kind: "every", everyMs: 1_000, phaseMs: 0 },
        overlap: "allow",
        misfire: "all",
        catchUpRate: 4,
        effectiveFrom,
      }),
      0,
    );
    expect(write.kind).toBe("stored");
    await until(async () => expect((await pair.record()).backlog).not.toEqual([]));
    await pair.crashHolder();
    await pair.recordWhere(({ term, backlog }) => term > 1 && backlog.length === 0);
    await pair.stage.workIsEmpty();
    await pair.schedules.delete("behind");
    const late = seen
      .filter(({ job }) => job.trigger === "catch-up")
      .map(({ job }) => job.fireTime?.getTime() ?? 0);
    expect(late.length).toBeGreaterThanOrEqual(13);
    const first = Math.floor(effectiveFrom / 1_000) * 1_000 + 1_000;
    expect(late).toEqual(late.map((_, index) => first + index * 1_000));
    const all = seen.map(({ job }) => job.fireTime?.getTime() ?? 0).sort((a, b) => a - b);
    expect(all).toEqual(all.map((_, index) => first + index * 1_000));
    expect(seen[0]?.job.previousFireTime).not.toBeNull();
  });
});
