/** Labels, bulk changes and partial updates, as a program makes them. */
import { describe, expect, test } from "vitest";
import { until } from "../support/scene.js";
import { connected, expectRefusal, Stage, serverOf } from "../support/stage.js";

const server = serverOf();
const far = "2099-01-01T00:00:00Z";

async function idsOf(stage: Stage, selector: string): Promise<string[]> {
  const ids: string[] = [];
  for await (const { id } of stage.client.schedules.list({ selector, pageSize: 2 })) ids.push(id);
  return ids;
}

describe("labels", () => {
  test("are kept with the schedule, and a list is cut down by them, page after page", async () => {
    const stage = await Stage.orchestrated(server());
    const { schedules } = stage.client;
    for (const [n, team] of ["billing", "sales", "billing", "billing"].entries())
      await schedules.put(`s-${n}`, { at: far, labels: { team, "example.com/n": String(n) } });
    await schedules.put("bare", { at: far });
    expect((await schedules.get("s-0")).schedule.labels).toEqual({ team: "billing", "example.com/n": "0" });
    expect(await idsOf(stage, "team=billing")).toEqual(["s-0", "s-2", "s-3"]);
    expect(await idsOf(stage, "team=billing,example.com/n!=2")).toEqual(["s-0", "s-3"]);
    expect(await idsOf(stage, "!team")).toEqual(["bare"]);
  });

  test("that cannot be are refused, each by its key", async () => {
    const stage = await Stage.orchestrated(server());
    const put = (labels: Record<string, string>) => () =>
      stage.client.schedules.put("s", { at: far, labels });
    await expectRefusal(
      put({ "a b": "c" }),
      "invalid",
      /schedule\.labels\.a b: expected 1 to 63 .*key "a b"/,
    );
    await expectRefusal(put({ team: "a/b" }), "invalid", /schedule\.labels\.team: .*, got "a\/b"/);
    const many = Object.fromEntries(Array.from({ length: 65 }, (_, n) => [`k${n}`, ""]));
    await expectRefusal(put(many), "invalid", /schedule\.labels: expected at most 64 labels, got 65/);
    const list = () => idsOf(stage, "team=");
    expect(await list()).toEqual([]);
    await expectRefusal(
      () => idsOf(stage, "=billing"),
      "invalid",
      /selector: expected key=value.* got "=billing"/,
    );
  });
});

describe("a bulk change", () => {
  test("pauses and resumes what the selector picks, says how many, and may be repeated", async () => {
    const stage = await Stage.orchestrated(server());
    const { schedules } = stage.client;
    const ids = Array.from({ length: 250 }, (_, n) => `s-${n}`);
    await Promise.all(ids.map((id) => schedules.put(id, { at: far, labels: { team: "billing" } })));
    await schedules.put("other", { at: far, labels: { team: "sales" } });
    await schedules.pause("s-7", "audit");
    const done = { matched: 250, changed: 249, failed: [] };
    expect(await schedules.pauseAll("team=billing", "audit")).toEqual(done);
    expect(await schedules.pauseAll("team=billing", "audit")).toEqual({ ...done, changed: 0 });
    expect((await schedules.get("s-249")).schedule).toMatchObject({ paused: true, note: "audit" });
    expect((await schedules.get("other")).schedule.paused).toBe(false);
    expect(await schedules.resumeAll("team=billing")).toEqual({ ...done, changed: 250 });
    expect((await schedules.get("s-7")).schedule.paused).toBe(false);
    const over = { until: new Date(0) };
    const toCome = /^until: expected a time to come/;
    await expectRefusal(schedules.pause("other", "late", over), "invalid", toCome);
    await expectRefusal(schedules.pauseAll("team=sales", "late", over), "invalid", toCome);
    expect((await schedules.get("other")).schedule.paused).toBe(false);
    const until = new Date(Date.now() + 3_600_000);
    expect(await schedules.pauseAll("team=sales", "short", { until })).toMatchObject({ changed: 1 });
    const { schedule, nextFireTime } = await schedules.get("other");
    expect(schedule).toMatchObject({ paused: true, pausedUntil: until.toISOString() });
    expect(nextFireTime).toBe("2099-01-01T00:00:00.000Z");
    await schedules.put("noted", { at: far, note: "mind the ledger", labels: { team: "sales" } });
    expect(await schedules.resumeAll("team=sales")).toMatchObject({ matched: 2, changed: 1 });
    expect((await schedules.get("noted")).schedule.note).toBe("mind the ledger");
    expect(await schedules.resumeAll("team=nobody")).toEqual({ matched: 0, changed: 0, failed: [] });
  });

  test("comes through while others change the same schedules", async () => {
    const stage = await Stage.orchestrated(server());
    const { schedules } = stage.client;
    const ids = ["a", "b", "c"];
    for (const id of ids) await schedules.put(id, { at: far, payload: 0, labels: { x: "" } });
    const changing = ids.flatMap((id) =>
      Array.from({ length: 5 }, (_, n) => schedules.patch(id, { payload: n })),
    );
    const [paused] = await Promise.all([schedules.pauseAll("x"), ...changing]);
    expect(paused).toEqual({ matched: 3, changed: 3, failed: [] });
    for (const id of ids) expect((await schedules.get(id)).schedule.paused).toBe(true);
  });
});

describe("a patch", () => {
  test("changes what it names and leaves the rest alone; null removes", async () => {
    const stage = await Stage.orchestrated(server());
    const { schedules } = stage.client;
    const made = await schedules.put("s", {
      cron: "0 3 * * *",
      timeZone: "Europe/Berlin",
      payload: { a: 1, b: { c: 2 } },
      timeout: "5m",
      retry: { factor: 3 },
      labels: { team: "billing", env: "prod" },
    });
    const patch = { cron: "0 4 * * *", timeout: null, payload: { a: null }, labels: { env: "test" } };
    const changed = await schedules.patch("s", patch, { ifRevision: made.revision });
    expect(changed.revision).toBeGreaterThan(made.revision);
    expect(changed.schedule).toEqual({
      ...made.schedule,
      cron: "0 4 * * *",
      timeout: "0s",
      payload: { b: { c: 2 } },
      labels: { team: "billing", env: "test" },
    });
    expect(await schedules.patch("s", patch)).toEqual(changed); // nothing new: the same revision
    expect(await schedules.get("s")).toEqual(changed);
  });

  test("moves to another form of time only when the old one is removed", async () => {
    const stage = await Stage.orchestrated(server());
    const { schedules } = stage.client;
    await schedules.put("s", { cron: "0 3 * * *" });
    await expectRefusal(schedules.patch("s", { every: "1h" }), "invalid", /got 2 of them/);
    const moved = await schedules.patch("s", { every: "1h", cron: null, timeZone: null });
    expect(moved.schedule).toMatchObject({ every: "1h" });
  });

  test("on another revision is a conflict that tells the current one", async () => {
    const stage = await Stage.orchestrated(server());
    const { schedules } = stage.client;
    const { revision } = await schedules.put("s", { at: far });
    const stale = schedules.patch("s", { note: "x" }, { ifRevision: revision + 7 });
    const error = await expectRefusal(
      stale,
      "conflict",
      new RegExp(`^schedule s is at revision ${revision}, expected revision ${revision + 7}$`),
    );
    expect(error.issues).toMatchObject([
      { path: "ifRevision", message: expect.stringMatching(/current revision/) },
    ]);
    await expectRefusal(schedules.delete("s", { ifRevision: revision + 1 }), "conflict", /is at revision/);
    await schedules.delete("s", { ifRevision: revision });
    await expectRefusal(schedules.patch("s", { note: "x" }), "not_found", /s does not exist/);
  });

  test("of which nothing good comes is refused by its field, and changes nothing", async () => {
    const stage = await Stage.orchestrated(server());
    const { schedules } = stage.client;
    const made = await schedules.put("s", { cron: "0 3 * * *" });
    const refused: [Record<string, unknown>, RegExp][] = [
      [{ cron: "0 25 * * *" }, /^cron: hour, column 3: expected 0-23/],
      [{ cron: null }, /^patch: .*expected one of cron/],
      [{ colour: 1 }, /^patch: unknown field "colour"/],
      [{ retry: { maxAttempts: 99 } }, /^retry\.maxAttempts: expected at most 5/],
      [{ labels: { team: "a/b" } }, /^patch: labels\.team: /],
      [{ payload: "x".repeat(1_048_576 - 16_384) }, /payload: expected at most|request is too large/],
    ];
    for (const [patch, message] of refused)
      await expectRefusal(schedules.patch("s", patch), "invalid", message);
    expect(await schedules.get("s")).toEqual(made);
  });

  test("may give a note to a schedule that is over", async () => {
    const stage = await Stage.orchestrated(server());
    const { schedules } = stage.client;
    const seen = await stage.attempts("default");
    await schedules.put("s", { at: new Date(Date.now() + 300).toISOString() });
    await stage.event("succeeded");
    expect(seen).toHaveLength(1);
    expect((await schedules.patch("s", { note: "done" })).schedule.note).toBe("done");
  });

  test("at once with others loses none of them", async () => {
    const stage = await Stage.orchestrated(server());
    const { schedules } = stage.client;
    await schedules.put("s", { at: far });
    const keys = Array.from({ length: 6 }, (_, n) => `k${n}`);
    await Promise.all(keys.map((key) => schedules.patch("s", { labels: { [key]: "x" } })));
    expect(Object.keys((await schedules.get("s")).schedule.labels as object).sort()).toEqual(keys);
  });
});

describe("the history", () => {
  test("tells who changed what, of a deleted schedule too", async () => {
    const stage = await Stage.orchestrated(server());
    const { namespace } = stage.names;
    const anna = await connected({ servers: server().url, namespace, author: "anna" });
    const ben = await connected({ servers: server().url, namespace, author: "ben" });
    const made = await anna.client.schedules.put("s", { cron: "0 3 * * *", labels: { team: "x" } });
    expect(made).toMatchObject({ changedBy: "anna", changedAt: expect.stringMatching(/^20/) });
    await ben.client.schedules.patch("s", { timeZone: "Europe/Berlin", labels: { team: "y" } });
    await ben.client.schedules.pause("s", "audit");
    await stage.client.schedules.resume("s");
    await ben.client.schedules.delete("s");
    const { revisions, complete } = await anna.client.schedules.history("s");
    expect(complete).toBe(true);
    expect(revisions.map(({ action, changedBy }) => [action, changedBy])).toEqual([
      ["deleted", "ben"],
      ["resumed", undefined],
      ["paused", "ben"],
      ["changed", "ben"],
      ["created", "anna"],
    ]);
    expect(revisions[3]?.changes).toEqual([
      { field: "timeZone", from: "UTC", to: "Europe/Berlin" },
      { field: "labels.team", from: "x", to: "y" },
    ]);
    expect(revisions[2]?.changes).toEqual([
      { field: "paused", from: false, to: true },
      { field: "note", to: "audit" },
    ]);
    await anna.client.schedules.put("s", { every: "1h" });
    expect((await anna.client.schedules.history("s")).revisions[0]).toMatchObject({ action: "created" });
    await expectRefusal(anna.client.schedules.history("none"), "not_found", /none never existed/);
  });

  test("keeps a bounded number of revisions, and says so", async () => {
    const stage = await Stage.orchestrated(server());
    const { schedules } = stage.client;
    for (let n = 0; n < 20; n++) await schedules.put("s", { at: far, payload: n });
    const { revisions, complete } = await schedules.history("s");
    expect(complete).toBe(false);
    expect(revisions).toHaveLength(16);
    expect(revisions[0]?.changes).toEqual([{ field: "payload", from: 18, to: 19 }]);
    expect(revisions.at(-1)?.changes).toEqual([]);
  });
});

describe("a trigger", () => {
  test("runs as the schedule says, and says that it is manual", async () => {
    const stage = await Stage.orchestrated(server());
    const { schedules } = stage.client;
    const seen = await stage.attempts("default");
    await schedules.put("s", { at: far, payload: "p", headers: { "X-A": "1" } });
    const { runId } = await schedules.trigger("s");
    await until(() => expect(seen).toHaveLength(1));
    expect(seen[0]?.job).toMatchObject({ runId, payload: "p", scheduleId: "s" });
    expect(seen[0]?.job.headers).toMatchObject({ "X-A": "1", "Punctual-Trigger": "manual" });
    expect(await stage.event("triggered", runId)).toEqual({ scheduleId: "s", queue: "default" });
  });

  test("may have a payload and headers of its own, and run beside another", async () => {
    const stage = await Stage.orchestrated(server());
    const { schedules } = stage.client;
    await schedules.put("s", { at: far, payload: "p", headers: { "X-A": "1", "X-B": "1" } });
    expect(await schedules.trigger("s")).toMatchObject({ accepted: true });
    expect(await schedules.trigger("s")).toMatchObject({ accepted: false });
    const overrides = { overlap: "allow", payload: null, headers: { "X-B": "2" } } as const;
    const beside = await schedules.trigger("s", overrides);
    expect(beside.accepted).toBe(true);
    const seen = await stage.attempts("default");
    await until(() => expect(seen).toHaveLength(2));
    const own = seen.find(({ runId }) => runId === beside.runId)?.job;
    expect(own?.payload).toBeNull();
    expect(own?.headers).toMatchObject({ "X-A": "1", "X-B": "2" });
    expect((await schedules.get("s")).schedule.payload).toBe("p");
  });

  test("of a schedule that allows overlaps may be kept from overlapping", async () => {
    const stage = await Stage.orchestrated(server());
    const { schedules } = stage.client;
    await schedules.put("s", { at: far, overlap: "allow" });
    expect(await schedules.trigger("s", { overlap: "skip" })).toMatchObject({ accepted: true });
    expect(await schedules.trigger("s", { overlap: "skip" })).toMatchObject({ accepted: false });
    expect(await schedules.trigger("s")).toMatchObject({ accepted: true });
    const overlap = "never" as "skip";
    await expectRefusal(() => schedules.trigger("s", { overlap }), "invalid", /overlap: .*got "never"/);
    const headers = { "Nats-X": "1" };
    await expectRefusal(() => schedules.trigger("s", { headers }), "invalid", /headers\.Nats-X: .*reserved/);
  });
});
