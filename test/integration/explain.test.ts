/** Why a schedule ran or did not, asked of a real system. */
import { expect, onTestFinished, test } from "vitest";
import { runIdOf } from "../../src/protocol/names.js";
import { until } from "../support/scene.js";
import { expectRefusal, latch, Stage, serverOf } from "../support/stage.js";

const server = serverOf();
const soon = (ms: number) => new Date(Math.ceil((Date.now() + ms) / 100) * 100);

test("it fired: the run and its events are told", async () => {
  const stage = await Stage.orchestrated(server());
  await stage.attempts("default", () => {
    throw new Error("on purpose");
  });
  const at = soon(400);
  await stage.client.schedules.put("s", { at: at.toISOString(), retry: { maxAttempts: 1 } });
  await stage.event("dead");
  const told = await stage.client.schedules.explain("s", at);
  expect(told).toMatchObject({
    id: "s",
    code: "fired",
    runId: runIdOf("s", at.getTime()),
    at: at.toISOString(),
  });
  expect(told.text).toMatch(/failed for good/);
  expect(told.events.map(({ type }) => type)).toEqual(["dead"]);
});

test("it fired and waits in its queue, or was done by a worker that tells nothing", async () => {
  const stage = await Stage.orchestrated(server());
  const at = soon(400);
  await stage.client.schedules.put("s", { at: at.toISOString(), queue: "bare" });
  await until(async () => expect(await stage.inWork()).toHaveLength(1));
  await until(async () => {
    const told = await stage.client.schedules.explain("s", at);
    expect(told).toMatchObject({ code: "fired", text: expect.stringMatching(/is queued/), events: [] });
  });
  const consumer = await stage.js.consumers.get(stage.names.work, stage.names.consumer("bare"));
  await (await consumer.next({ expires: 5_000 }))?.ackAck();
  expect((await stage.client.schedules.explain("s", at)).text).toMatch(/no longer queued/);
});

test("it was skipped: each slot of the overlap is told", async () => {
  const stage = await Stage.orchestrated(server());
  const done = latch();
  const seen = await stage.attempts("default", () => done.waited);
  await stage.client.schedules.put("s", { every: "200ms" });
  await until(() => expect(seen).toHaveLength(1));
  const first = seen[0]?.job.fireTime?.getTime() ?? 0;
  await until(async () => {
    const { code } = await stage.client.schedules.explain("s", first + 200);
    expect(code).toBe("overlap");
  });
  expect((await stage.client.schedules.explain("s", first)).code).toBe("fired");
  expect(await stage.client.schedules.explain("s", first + 1)).toMatchObject({
    code: "not-a-fire-time",
    nearest: { before: new Date(first).toISOString(), after: new Date(first + 200).toISOString() },
  });
  await stage.client.schedules.delete("s");
  done.release();
});

test("it was paused, deleted, not made yet, or is to come", async () => {
  const stage = await Stage.orchestrated(server());
  const { schedules } = stage.client;
  await schedules.put("s", { every: "1s" });
  await schedules.pause("s", "audit");
  const paused = soon(1_000).getTime();
  const slot = Math.ceil(paused / 1_000) * 1_000;
  await until(() => expect(Date.now()).toBeGreaterThan(slot));
  expect(await schedules.explain("s", slot)).toMatchObject({
    code: "paused",
    text: expect.stringMatching(/^It did not run: the schedule was paused \(audit\)/),
  });
  expect((await schedules.explain("s", new Date("2020-01-01T00:00:00Z"))).code).toBe("did-not-exist");
  const far = new Date("2099-01-01T00:00:00Z");
  expect((await schedules.explain("s", far)).code).toBe("paused");
  await schedules.resume("s");
  expect((await schedules.explain("s", far)).code).toBe("not-due");
  await schedules.delete("s");
  expect((await schedules.explain("s", far)).code).toBe("deleted");
  await expectRefusal(schedules.explain("none", far), "not_found", /none never existed/);
  await expectRefusal(() => schedules.explain("s", Number.NaN), "invalid", /^at: expected a date/);
});

test("nobody has decided it: its orchestrator is gone", async () => {
  const stage = await Stage.open(server());
  const orchestrator = await stage.punctual.orchestrate();
  await until(() => expect(orchestrator.held).toHaveLength(2));
  const at = soon(1_500);
  await stage.client.schedules.put("s", { at: at.toISOString() });
  await orchestrator.stop();
  await until(() => expect(Date.now()).toBeGreaterThan(at.getTime()));
  // Another that answers requests and has not come to its shards.
  const second = await stage.punctual.orchestrate();
  onTestFinished(() => second.stop());
  const codes = new Set<string>();
  await until(async () => {
    codes.add((await stage.client.schedules.explain("s", at)).code);
    expect(codes).toContain("fired");
  });
  for (const code of codes) expect(["undecided", "in-flight", "fired"]).toContain(code);
});
