import { describe, expect, test } from "vitest";
import { Pair } from "../../support/pair.js";
import { until } from "../../support/scene.js";
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
