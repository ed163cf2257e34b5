import { describe, expect, onTestFinished, test } from "vitest";
import { runIdOf } from "../../src/protocol/names.js";
import type { ScheduleInput } from "../../src/protocol/schedule-input.js";
import { until } from "../support/scene.js";
import { expectRefusal, Stage, serverOf } from "../support/stage.js";

const server = serverOf();

const iso = (ms: number) => new Date(ms).toISOString();
/** Closed today and tomorrow, in any zone of the year. */
const closedNow = () => ({
  holidays: [-1, 0, 1, 2].map((days) => iso(Date.now() + days * 86_400_000).slice(0, 10)),
});

describe("a calendar", () => {
  test("is put, shown, listed, replaced on its revision, and deleted", async () => {
    const stage = await Stage.orchestrated(server());
    const { calendars } = stage.client;
    const office = await calendars.put("office", { businessDays: ["mon"], timeZone: "Europe/Berlin" });
    expect(await calendars.get("office")).toEqual(office);
    expect(office.calendar).toEqual({
      timeZone: "Europe/Berlin",
      businessDays: ["mon"],
      holidays: [],
      hours: {},
    });
    // The same again is no new revision.
    expect(await calendars.put("office", { businessDays: ["mon"], timeZone: "Europe/Berlin" })).toEqual(
      office,
    );
    await calendars.put("holidays", { holidays: ["12-25"] });
    expect((await calendars.list()).map(({ name }) => name)).toEqual(["holidays", "office"]);

    await expectRefusal(
      calendars.put("office", {}, { ifRevision: 0 }),
      "conflict",
      /is at revision \d+, expected revision 0/,
    );
    await calendars.put("office", { holidays: ["01-01"] }, { ifRevision: office.revision });
    await calendars.delete("office");
    expect((await calendars.list()).map(({ name }) => name)).toEqual(["holidays"]);
    await expectRefusal(calendars.get("office"), "not_found", /calendar office does not exist/);
    await expectRefusal(calendars.delete("office"), "not_found", /calendar office does not exist/);
    await calendars.put("office", { note: "again" }, { ifRevision: 0 });
    expect((await calendars.get("office")).calendar.note).toBe("again");
  });

  test("is refused where it is wrong", async () => {
    const stage = await Stage.orchestrated(server());
    const { calendars } = stage.client;
    await expectRefusal(calendars.put("a.b", {}), "invalid", /name: expected 1 to 128 characters/);
    await expectRefusal(
      calendars.put("x", { holidays: ["soon"] }),
      "invalid",
      /calendar\.holidays\[0\]: expected a date/,
    );
    await expectRefusal(
      calendars.put("x", { timeZone: "Foo/Bar" }),
      "invalid",
      /timeZone: expected an IANA time zone/,
    );
  });

  test("that does not exist cannot be used, nor one in use be deleted", async () => {
    const stage = await Stage.orchestrated(server());
    const { calendars, schedules } = stage.client;
    const input = { cron: "0 9 * * *", exclude: [{ calendar: "holidays" }] };
    await expectRefusal(
      schedules.put("daily", input),
      "invalid",
      /exclude\[0\]\.calendar: expected a calendar that exists, got "holidays"/,
    );
    await calendars.put("holidays", { holidays: ["12-25"] });
    await schedules.put("daily", input);
    await schedules.put("other", {
      cron: "0 9 * * *",
      calendar: { name: "holidays", roll: "next-business-day" },
    });
    await expectRefusal(
      calendars.delete("holidays"),
      "conflict",
      /calendar holidays is in use by daily, other$/,
    );
    await schedules.delete("daily");
    await schedules.delete("other");
    await calendars.delete("holidays");
    await expectRefusal(schedules.put("daily", input), "invalid", /expected a calendar that exists/);
  });

  test("that closes for good leaves a schedule that never fires, which is refused", async () => {
    const stage = await Stage.orchestrated(server());
    await stage.client.calendars.put("never", { businessDays: [] });
    const input = { cron: "0 9 * * *", calendar: { name: "never" } };
    await expectRefusal(
      stage.client.schedules.put("daily", input),
      "invalid",
      /expected a time to come, got none/,
    );
  });

  test("that is changed re-plans the schedules that go by it, on every orchestrator", async () => {
    const stage = await Stage.open(server(), { shards: 16 });
    const orchestrators = [await stage.punctual.orchestrate(), await stage.punctual.orchestrate()];
    for (const orchestrator of orchestrators) onTestFinished(() => orchestrator.stop());
    await until(() => {
      for (const { held } of orchestrators) expect(held.length).toBeGreaterThan(0);
    });
    const { calendars, schedules } = stage.client;
    const seen = await stage.attempts("default");
    await calendars.put("shop", closedNow());
    // Ids enough that both orchestrators hold some of them.
    const ids = Array.from({ length: 32 }, (_, i) => `tick-${i}`);
    for (const id of ids) {
      const view = await schedules.put(id, { every: "1s", exclude: [{ calendar: "shop" }] });
      expect(Date.parse(view.nextFireTime ?? "")).toBeGreaterThan(Date.now() + 3_600_000);
    }
    expect(seen).toEqual([]);

    await calendars.put("shop", {});
    await until(() => expect(new Set(seen.map(({ job }) => job.scheduleId))).toEqual(new Set(ids)));
    expect(Date.parse((await schedules.get("tick-0")).nextFireTime ?? "")).toBeLessThan(Date.now() + 60_000);

    await calendars.put("shop", closedNow());
    await until(async () => {
      const { nextFireTime } = await schedules.get("tick-0");
      expect(Date.parse(nextFireTime ?? "")).toBeGreaterThan(Date.now() + 3_600_000);
    });
    await stage.workIsEmpty();
    const runs = seen.map(({ runId }) => runId);
    expect(new Set(runs).size).toBe(runs.length);
  });
});

describe("several times", () => {
  test("of a list fire once each, and what has passed is dropped", async () => {
    const stage = await Stage.orchestrated(server());
    const seen = await stage.attempts("default");
    const now = Date.now();
    const times = [now - 60_000, now + 400, now + 700];
    await stage.client.schedules.put("list", { at: times.map(iso), overlap: "allow" });
    await until(() => expect(seen).toHaveLength(2));
    expect(seen.map(({ runId }) => runId)).toEqual(times.slice(1).map((at) => runIdOf("list", at)));
    expect((await stage.client.schedules.get("list")).nextFireTime).toBeNull();
  });

  test("that have passed run once, at once, if they are to, and not again when the schedule changes", async () => {
    const stage = await Stage.orchestrated(server());
    const seen = await stage.attempts("default");
    const passed: ScheduleInput = { at: ["2020-01-01T00:00:00Z", "2021-01-01T00:00:00Z"], ifPast: "run" };
    await stage.client.schedules.put("passed", passed);
    await until(() => expect(seen).toHaveLength(1));
    const view = await stage.client.schedules.put("passed", { ...passed, note: "changed" });
    expect(view.nextFireTime).toBeNull();
    expect(view.schedule).toMatchObject({ at: ["2020-01-01T00:00:00.000Z", "2021-01-01T00:00:00.000Z"] });
    await stage.client.schedules.put("after", { at: iso(Date.now() + 500) });
    await until(() => expect(seen).toHaveLength(2));
    expect(seen.map(({ job }) => job.scheduleId)).toEqual(["passed", "after"]);
  });

  test("of several kinds in one schedule fire when any of them does, once when two meet", async () => {
    const stage = await Stage.orchestrated(server());
    const seen = await stage.attempts("default");
    await stage.client.schedules.put("union", {
      include: [{ every: "400ms" }, { every: "1s" }, { rrule: "FREQ=SECONDLY;INTERVAL=2" }],
      overlap: "allow",
    });
    await until(() => expect(seen.length).toBeGreaterThan(8));
    const times = seen.map(({ job }) => job.fireTime?.getTime() ?? 0);
    const first = times[0] as number;
    const expected = Array.from({ length: 200 }, (_, i) => Math.floor(first / 100) * 100 + i * 100).filter(
      (at) => at >= first && (at % 400 === 0 || at % 1_000 === 0),
    );
    expect(times).toEqual(expected.slice(0, times.length));
  });
});
