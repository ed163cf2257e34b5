import { describe, expect, test } from "vitest";
import { headers as h } from "../../src/protocol/headers.js";
import { runIdOf } from "../../src/protocol/names.js";
import { until } from "../support/scene.js";
import { expectRefusal, latch, Stage, serverOf } from "../support/stage.js";

const server = serverOf();

const far = "2099-01-01T00:00:00Z";
const soon = (ms: number) => new Date(Date.now() + ms).toISOString();

describe("a schedule", () => {
  test("fires: a worker gets payload, run id, schedule id, fire time and attempt", async () => {
    const stage = await Stage.orchestrated(server());
    const seen = await stage.attempts("reports");
    const at = soon(600);
    await stage.client.schedules.put("yearly", {
      at,
      queue: "reports",
      payload: { year: 2026 },
      headers: { "X-Trace": "7" },
    });
    await until(() => expect(seen).toHaveLength(1));
    const runId = runIdOf("yearly", Date.parse(at));
    const [job] = seen.map((attempted) => attempted.job);
    expect(job).toMatchObject({
      payload: { year: 2026 },
      runId,
      scheduleId: "yearly",
      attempt: 1,
      queue: "reports",
    });
    expect(job?.fireTime).toEqual(new Date(at));
    expect(job?.headers["X-Trace"]).toBe("7");
    expect(await stage.event("succeeded", runId)).toMatchObject({ attempt: 1 });
    await stage.workIsEmpty();
  });

  test("fires at each of its times, one run each, in order", async () => {
    const stage = await Stage.orchestrated(server());
    const seen = await stage.attempts("default");
    await stage.client.schedules.put("tick", { every: "200ms" });
    await until(() => expect(seen.length).toBeGreaterThanOrEqual(6));
    await stage.client.schedules.delete("tick");
    const times = seen.map(({ job }) => job.fireTime?.getTime() ?? Number.NaN);
    const [first = Number.NaN] = times;
    expect(times).toEqual(times.map((_, index) => first + index * 200));
    expect(seen.map(({ runId }) => runId)).toEqual(times.map((time) => runIdOf("tick", time)));
  });

  test("that failed is tried again under its run id", async () => {
    const stage = await Stage.orchestrated(server());
    const seen = await stage.attempts("default", ({ attempt }) => {
      if (attempt === 1) throw new Error("once");
    });
    await stage.client.schedules.put("flaky", { at: soon(400), retry: { initialDelay: "50ms" } });
    await until(() => expect(seen.map(({ attempt }) => attempt)).toEqual([1, 2]));
    expect(seen[0]?.runId).toBe(seen[1]?.runId);
    await stage.workIsEmpty();
  });
});

describe("overlap", () => {
  test("skip: while a run is queued the next slots are refused, and RUNS says so", async () => {
    const stage = await Stage.orchestrated(server());
    await stage.client.schedules.put("long", { every: "300ms", queue: "idle" });
    const skipped = await stage.event("skipped");
    expect(skipped).toMatchObject({ scheduleId: "long", reason: "overlap", count: 1 });
    expect(await stage.inWork()).toEqual([stage.names.fire("idle", "long", "1")]);
    await stage.client.schedules.delete("long");
  });

  test("skip: while a run is running the next slots are refused; afterwards it fires again", async () => {
    const stage = await Stage.orchestrated(server());
    const done = latch();
    const seen = await stage.attempts("default", () => done.waited);
    await stage.client.schedules.put("long", { every: "300ms" });
    await until(() => expect(seen).toHaveLength(1));
    await stage.event("skipped");
    expect(seen).toHaveLength(1);
    done.release();
    await until(() => expect(seen.length).toBeGreaterThanOrEqual(3));
    await stage.client.schedules.delete("long");
    const fired = seen.map(({ runId }) => runId);
    const skipped = (await stage.events()).filter(({ type }) => type === "skipped").map(({ runId }) => runId);
    expect(skipped.filter((runId) => fired.includes(runId))).toEqual([]);
    expect(new Set(fired).size).toBe(fired.length);
  });

  test("allow: runs queue up beside each other", async () => {
    const stage = await Stage.orchestrated(server());
    await stage.client.schedules.put("burst", { every: "200ms", overlap: "allow", queue: "idle" });
    await until(async () => expect((await stage.inWork()).length).toBeGreaterThanOrEqual(3));
    await stage.client.schedules.delete("burst");
    const subjects = await stage.inWork();
    expect(new Set(subjects).size).toBe(subjects.length);
    expect(subjects.every((subject) => subject.startsWith(stage.names.job("idle", "burst.")))).toBe(true);
    expect((await stage.events()).filter(({ type }) => type === "skipped")).toEqual([]);
  });
});

describe("people", () => {
  test("trigger: runs now, whatever the times and paused or not; its overlap policy holds", async () => {
    const stage = await Stage.orchestrated(server());
    const { schedules } = stage.client;
    await schedules.put("yearly", { at: far, payload: "p", paused: true });
    const first = await schedules.trigger("yearly");
    expect(first).toMatchObject({ accepted: true, runId: expect.stringMatching(/^yearly:manual-/) });
    expect(await schedules.trigger("yearly")).toMatchObject({ accepted: false });
    const seen = await stage.attempts("default");
    await until(() =>
      expect(seen).toMatchObject([{ runId: first.runId, job: { scheduleId: "yearly", payload: "p" } }]),
    );
    await stage.workIsEmpty();
    expect(await schedules.trigger("yearly")).toMatchObject({ accepted: true });
    await until(() => expect(seen).toHaveLength(2));
  });

  test("pause: no slot fires, none is made up for after resume", async () => {
    const stage = await Stage.orchestrated(server());
    const { schedules } = stage.client;
    const seen = await stage.attempts("default");
    await schedules.put("tick", { every: "200ms" });
    await until(() => expect(seen.length).toBeGreaterThanOrEqual(2));
    const paused = await schedules.pause("tick", "for the audit");
    expect(paused).toMatchObject({ nextFireTime: null, schedule: { paused: true, note: "for the audit" } });
    const pausedAt = Date.now();
    // Another schedule shows that time goes on.
    const others = await stage.attempts("other");
    await schedules.put("other", { every: "200ms", queue: "other" });
    await until(() => expect(others.length).toBeGreaterThanOrEqual(5));
    const resumedAt = Date.now();
    const resumed = await schedules.resume("tick");
    expect(resumed.schedule).toMatchObject({ paused: false });
    expect(resumed.schedule).not.toHaveProperty("note");
    const count = seen.length;
    await until(() => expect(seen.length).toBeGreaterThanOrEqual(count + 2));
    const times = seen.map(({ job }) => job.fireTime?.getTime() ?? 0);
    // A slot that was decided a little ahead, before the pause, still fires.
    expect(times.filter((time) => time > pausedAt + 1_000 && time <= resumedAt)).toEqual([]);
  });

  test("put, get and delete; what is put again unchanged keeps its revision", async () => {
    const stage = await Stage.orchestrated(server());
    const { schedules } = stage.client;
    const input = { cron: "0 3 * * *", timeZone: "Europe/Berlin", payload: { n: 1 } };
    const made = await schedules.put("nightly", input);
    expect(await schedules.put("nightly", input)).toEqual(made);
    expect(await schedules.get("nightly")).toEqual(made);
    expect(made.schedule).toMatchObject(input);
    expect(await schedules.put("nightly", made.schedule)).toEqual(made); // as it is shown
    const changed = await schedules.put("nightly", { ...input, payload: { n: 2 } });
    expect(changed.revision).toBeGreaterThan(made.revision);
    await schedules.delete("nightly");
    await expectRefusal(schedules.get("nightly"), "not_found", /^schedule nightly does not exist$/);
    await expectRefusal(schedules.delete("nightly"), "not_found", /nightly/);
    const again = await schedules.put("nightly", input);
    expect(again.revision).toBeGreaterThan(changed.revision);
  });

  test("ifRevision: only if nobody came between", async () => {
    const stage = await Stage.orchestrated(server());
    const { schedules } = stage.client;
    const made = await schedules.put("s", { at: far }, { ifRevision: 0 });
    const note = { at: far, note: "changed" };
    await expectRefusal(
      schedules.put("s", note, { ifRevision: 0 }),
      "conflict",
      /is at revision \d+, expected revision 0/,
    );
    const changed = await schedules.put("s", note, { ifRevision: made.revision });
    await expectRefusal(
      schedules.put("s", { at: far }, { ifRevision: made.revision }),
      "conflict",
      /expected revision/,
    );
    await schedules.delete("s");
    const gone = schedules.put("s", { at: far }, { ifRevision: changed.revision });
    await expectRefusal(gone, "conflict", /s does not exist, expected revision/);
    await schedules.put("s", { at: far }, { ifRevision: 0 });
  });

  test("of many who put at once with the same ifRevision one wins", async () => {
    const stage = await Stage.orchestrated(server());
    const puts = Array.from({ length: 8 }, (_, n) =>
      stage.client.schedules.put("race", { at: far, payload: n }, { ifRevision: 0 }),
    );
    const outcomes = await Promise.allSettled(puts);
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  });

  test("list: every schedule once, by id, over pages; what was just put is there", async () => {
    const stage = await Stage.orchestrated(server());
    const ids = Array.from({ length: 25 }, (_, n) => `s-${String(n).padStart(2, "0")}`);
    await Promise.all(ids.map((id) => stage.client.schedules.put(id, { at: far })));
    await stage.client.schedules.delete("s-07");
    const listed: string[] = [];
    for await (const { id } of stage.client.schedules.list({ pageSize: 10 })) listed.push(id);
    expect(listed).toEqual(ids.filter((id) => id !== "s-07"));
  });

  test("hashed values go by the id, @every is an interval, dst is kept", async () => {
    const stage = await Stage.orchestrated(server());
    const { schedules } = stage.client;
    const timesOf = async (id: string) =>
      (await schedules.preview({ id }, { from: new Date("2026-01-01"), count: 1 })).fires[0]?.local;
    await schedules.put("nightly", { cron: "H H(0-7) * * *" });
    await schedules.put("weekly", { cron: "H H(0-7) * * *" });
    expect(await timesOf("nightly")).toBe("2026-01-01T07:27:00+00:00");
    expect(await timesOf("weekly")).not.toBe(await timesOf("nightly"));
    await schedules.put("often", { cron: "@every 10m" });
    expect((await schedules.get("often")).schedule).toMatchObject({ every: "10m" });
    const dst = { gap: "skip", overlap: "both" } as const;
    const spec = { cron: "30 2 * * *", timeZone: "Europe/Berlin", dst };
    await schedules.put("strict", spec);
    expect((await schedules.get("strict")).schedule).toMatchObject(spec);
  });

  test("preview: the next times of a stored schedule or of one that is not", async () => {
    const stage = await Stage.orchestrated(server());
    const schedule = { cron: "30 2 * * *", timeZone: "Europe/Berlin" };
    const from = new Date("2026-03-28T00:00:00Z");
    const moved = "moved from 02:30, which 29 March skips";
    const fires = [
      { at: new Date("2026-03-28T01:30:00Z"), local: "2026-03-28T02:30:00+01:00", note: null },
      { at: new Date("2026-03-29T01:00:00Z"), local: "2026-03-29T03:00:00+02:00", note: moved },
      { at: new Date("2026-03-30T00:30:00Z"), local: "2026-03-30T02:30:00+02:00", note: null },
    ];
    const expected = { fires, timeZone: "Europe/Berlin", tzData: process.versions.tz };
    expect(await stage.client.schedules.preview({ schedule }, { from, count: 3 })).toEqual(expected);
    await stage.client.schedules.put("nightly", schedule);
    expect(await stage.client.schedules.preview({ id: "nightly" }, { from, count: 3 })).toEqual(expected);
    const inTokyo = { from, count: 1, timeZone: "Asia/Tokyo" };
    const { fires: there } = await stage.client.schedules.preview({ id: "nightly" }, inTokyo);
    expect(there[0]?.local).toBe("2026-03-28T10:30:00+09:00");
    await expectRefusal(
      stage.client.schedules.preview({ id: "nightly" }, { timeZone: "Mars/Olympus" }),
      "invalid",
      /timeZone: expected an IANA time zone/,
    );
    await expectRefusal(stage.client.schedules.preview({ id: "none" }), "not_found", /none does not exist/);
  });
});

describe("a bare worker", () => {
  test("gets of a fired job a clean body, and its identity as headers", async () => {
    const stage = await Stage.orchestrated(server());
    const at = soon(400);
    await stage.client.schedules.put("s", { at, queue: "bare", payload: { clean: true } });
    const consumer = await stage.js.consumers.get(stage.names.work, stage.names.consumer("bare"));
    const message = await consumer.next({ expires: 10_000 });
    expect(message?.json()).toEqual({ clean: true });
    expect(message?.headers?.get(h.runId)).toBe(runIdOf("s", Date.parse(at)));
    expect(message?.headers?.get(h.scheduleId)).toBe("s");
    expect(message?.headers?.get(h.fireTime)).toBe(at);
    await message?.ackAck();
    expect(await stage.inWork()).toEqual([]);
  });
});
