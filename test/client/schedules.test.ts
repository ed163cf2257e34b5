import { expect, test } from "vitest";
import { PunctualError } from "../../src/core/errors.js";
import type { ScheduleInput } from "../../src/protocol/schedule-input.js";
import { fakeClient, viewOf } from "./fakes.js";

test("a schedule is sent as it was written", async () => {
  const { client, server } = fakeClient();
  server.answers.push(viewOf("nightly"));
  const schedule: ScheduleInput = { at: "2030-01-01T00:00:00+01:00", timeout: "1h30m" };
  const view = await client.schedules.put("nightly", schedule, { ifRevision: 0 });
  expect(view.revision).toBe(7);
  expect(server.calls).toEqual([
    { endpoint: "schedule.put", request: { id: "nightly", schedule, ifRevision: 0 } },
  ]);
});

test.each<[string, string, ScheduleInput, RegExp]>([
  ["id", "a b", { every: "5s" }, /id: expected 1 to 128 characters/],
  ["spec", "a", {}, /schedule: expected one of cron, every, at, rrule, include, got 0/],
  ["interval", "a", { every: "often" }, /schedule\.every: expected a duration .* got "often"/],
  [
    "zone without a line",
    "a",
    { every: "5s", timeZone: "UTC" },
    /schedule\.timeZone: goes with cron or rrule only/,
  ],
  ["field", "a", { every: "5s", tz: "UTC" } as ScheduleInput, /schedule: unknown field "tz"/],
])("a wrong %s is refused before anything is sent", async (_, id, schedule, message) => {
  const { client, server } = fakeClient();
  const put = async () => client.schedules.put(id, schedule);
  await expect(put()).rejects.toMatchObject({ code: "invalid", message: expect.stringMatching(message) });
  expect(server.calls).toEqual([]);
});

test("the list goes on page after page", async () => {
  const { client, server } = fakeClient();
  server.answers.push(
    { schedules: [viewOf("a"), viewOf("b")], next: "b" },
    { schedules: [viewOf("c")], next: null },
  );
  const ids: string[] = [];
  for await (const { id } of client.schedules.list({ pageSize: 2 })) ids.push(id);
  expect(ids).toEqual(["a", "b", "c"]);
  expect(server.calls.map(({ request }) => request)).toEqual([{ limit: 2 }, { after: "b", limit: 2 }]);
});

test("get, delete, pause, resume and trigger name the schedule", async () => {
  const { client, server } = fakeClient();
  server.answers.push(viewOf("a"), { id: "a" }, viewOf("a"), viewOf("a"), { runId: "a:x", accepted: true });
  await client.schedules.get("a");
  await client.schedules.delete("a");
  await client.schedules.pause("a", "moving house");
  await client.schedules.resume("a");
  expect(await client.schedules.trigger("a")).toEqual({ runId: "a:x", accepted: true });
  expect(server.calls).toEqual([
    { endpoint: "schedule.get", request: { id: "a" } },
    { endpoint: "schedule.delete", request: { id: "a" } },
    { endpoint: "schedule.pause", request: { id: "a", note: "moving house" } },
    { endpoint: "schedule.resume", request: { id: "a" } },
    { endpoint: "schedule.trigger", request: { id: "a" } },
  ]);
});

test("a preview gives dates, local times and notes", async () => {
  const { client, server } = fakeClient();
  const local = "1970-01-01T09:00:05+09:00";
  const rest = { timeZone: "Asia/Tokyo", tzData: "2030a" };
  server.answers.push({ fires: [{ at: "1970-01-01T00:00:05.000Z", local, note: null }], ...rest });
  const preview = await client.schedules.preview(
    { schedule: { every: "5s" } },
    { from: new Date(0), count: 1, timeZone: "Asia/Tokyo" },
  );
  expect(preview).toEqual({ fires: [{ at: new Date(5_000), local, note: null }], ...rest });
  expect(server.calls[0]?.request).toEqual({
    schedule: { every: "5s" },
    from: "1970-01-01T00:00:00.000Z",
    count: 1,
    timeZone: "Asia/Tokyo",
  });
});

test("a preview from no date is refused", async () => {
  const { client } = fakeClient();
  await expect(client.schedules.preview({ id: "a" }, { from: new Date("x") })).rejects.toThrow(/from: /);
});

test("a refusal of the API comes through", async () => {
  const { client, server } = fakeClient();
  server.answers.push(new PunctualError("not_found", "schedule a does not exist"));
  await expect(client.schedules.get("a")).rejects.toMatchObject({ code: "not_found" });
});

test("an answer that is not one is not believed", async () => {
  const { client, server } = fakeClient();
  server.answers.push({ id: "a" });
  await expect(client.schedules.get("a")).rejects.toThrow(/answer of schedule\.get: revision/);
});
