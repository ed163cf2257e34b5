/** Each kind of rule on a real server: told once when it begins and once when it is over. */
import { expect, test } from "vitest";
import { NonRetryableError } from "../../../src/worker/errors.js";
import { alerting, statesOf } from "../../support/alerts.js";
import { until } from "../../support/scene.js";
import { expectRefusal, latch, serverOf } from "../../support/stage.js";

const server = serverOf();

test("late: a run that nobody starts, until somebody does", async () => {
  const { stage, client, heard, told } = await alerting(server());
  await client.alerts.put("late-jobs", { kind: "late", after: "1s", schedules: { ids: ["s"] } });
  await client.schedules.put("s", {
    every: 500,
    queue: "mail",
    endAt: new Date(Date.now() + 2_000).toISOString(),
  });
  const [raised] = await told("late-jobs", 1);
  expect(raised).toMatchObject({ kind: "late", state: "raised", scheduleId: "s", queue: null });
  expect(raised?.text).toMatch(/^the run of schedule s at .* has not started/);
  await until(async () => expect(await client.alerts.active()).toMatchObject([{ rule: "late-jobs" }]));
  await stage.attempts("mail");
  expect(statesOf(await told("late-jobs", 2))).toEqual(["raised", "over"]);
  expect(await client.alerts.active()).toEqual([]);
  expect(heard).toHaveLength(2);
});

test("failing: so many runs in a row, until one succeeds; of a schedule and of a queue", async () => {
  const { stage, client, told } = await alerting(server());
  await client.alerts.put("failing-jobs", { kind: "failing", times: 2, schedules: { labels: "team=ops" } });
  await client.alerts.put("failing-queue", { kind: "failing", times: 3, queues: ["mail"] });
  await client.alerts.put("other", { kind: "failing", schedules: { labels: "team=billing" } });
  let broken = true;
  const attempts = await stage.attempts("mail", () => {
    if (broken) throw new NonRetryableError("no disk");
  });
  await client.schedules.put("s", { every: 200, queue: "mail", labels: { team: "ops" } });
  const [raised] = await told("failing-jobs", 1);
  expect(raised).toMatchObject({ kind: "failing", scheduleId: "s", data: { error: "no disk" } });
  expect(Number(raised?.data.failures)).toBeGreaterThanOrEqual(2);
  expect((await told("failing-queue", 1))[0]).toMatchObject({ scheduleId: null, queue: "mail" });
  const before = attempts.length;
  await until(() => expect(attempts.length).toBeGreaterThan(before + 2));
  broken = false;
  expect(statesOf(await told("failing-jobs", 2))).toEqual(["raised", "over"]);
  expect(statesOf(await told("failing-queue", 2))).toEqual(["raised", "over"]);
  await expect(told("other", 0)).resolves.toEqual([]);
});

test("running-long: of a worker that says when it began, and of one that says nothing", async () => {
  const { stage, client, told } = await alerting(server());
  await client.alerts.put("long-jobs", { kind: "running-long", after: "1s" });
  await client.alerts.put("long-queue", { kind: "running-long", after: "1s", queues: ["mail"] });
  const { waited, release } = latch();
  await stage.work("files", {}, () => waited);
  await client.schedules.put("s", { at: new Date(Date.now() + 200).toISOString(), queue: "files" });
  expect((await told("long-jobs", 1))[0]).toMatchObject({ scheduleId: "s", data: { count: 1 } });
  await client.enqueue({ queue: "mail", payload: 1, jobId: "one" });
  const consumer = await stage.js.consumers.get(stage.names.work, stage.names.consumer("mail"));
  const message = await consumer.next();
  expect((await told("long-queue", 1))[0]).toMatchObject({ queue: "mail", data: { runIds: ["one"] } });
  message?.ack();
  release();
  expect(statesOf(await told("long-queue", 2))).toEqual(["raised", "over"]);
  expect(statesOf(await told("long-jobs", 2))).toEqual(["raised", "over"]);
});

test("not-succeeded: no success for so long, until there is one", async () => {
  const { stage, client, told } = await alerting(server());
  await client.schedules.put("s", { every: 300, queue: "mail", overlap: "allow" });
  await client.alerts.put("rare", { kind: "not-succeeded", within: "1s" });
  expect((await told("rare", 1))[0]).toMatchObject({ scheduleId: "s", data: { lastSuccess: null } });
  await stage.attempts("mail");
  expect(statesOf(await told("rare", 2))).toEqual(["raised", "over"]);
});

test("missed: slots that nobody was there to fire, until a later one fires", async () => {
  const { client, told, orchestrator, orchestrate } = await alerting(server());
  await client.alerts.put("missed-jobs", { kind: "missed" });
  await client.schedules.put("s", { every: "2s", queue: "mail", catchUpWindow: "1s", overlap: "allow" });
  await orchestrator.stop();
  const stoppedAt = Date.now();
  await until(() => expect(Date.now() - stoppedAt).toBeGreaterThan(4_000));
  await orchestrate();
  const [raised] = await told("missed-jobs", 1);
  expect(raised).toMatchObject({ scheduleId: "s", data: { outcome: "missed" } });
  expect(statesOf(await told("missed-jobs", 2))).toEqual(["raised", "over"]);
});

test("queue-deep: more jobs than that, at the gate too, or one that is too old", async () => {
  const { stage, client, told } = await alerting(server());
  await client.alerts.put("deep", { kind: "queue-deep", over: 2, queues: ["mail"] });
  await client.alerts.put("old", { kind: "queue-deep", olderThan: "1s", queues: ["files"] });
  await client.queues.put("mail", { rate: "1/d" });
  for (let i = 0; i < 4; i++) await client.enqueue({ queue: "mail", payload: i });
  await client.enqueue({ queue: "files", payload: 1 });
  expect((await told("deep", 1))[0]).toMatchObject({ queue: "mail", data: { waiting: expect.any(Number) } });
  expect((await told("old", 1))[0]).toMatchObject({ queue: "files" });
  await client.queues.put("mail", {});
  await stage.attempts("mail");
  await stage.attempts("files");
  expect(statesOf(await told("deep", 2))).toEqual(["raised", "over"]);
  expect(statesOf(await told("old", 2))).toEqual(["raised", "over"]);
});

test("dead-letters: more than that in so long, until they are older", async () => {
  const { stage, client, told } = await alerting(server());
  await client.alerts.put("dying", { kind: "dead-letters", over: 1, within: "3s" });
  await stage.attempts("mail", () => {
    throw new NonRetryableError("never");
  });
  for (let i = 0; i < 2; i++) await client.enqueue({ queue: "mail", payload: i });
  expect((await told("dying", 1))[0]).toMatchObject({ queue: "mail", data: { count: 2 } });
  expect(statesOf(await told("dying", 2))).toEqual(["raised", "over"]);
});

test("what a rule has found is over when the rule, or the schedule, is deleted", async () => {
  const { client, told } = await alerting(server());
  for (const id of ["a", "b"]) {
    await client.schedules.put(id, { every: "1h", queue: "mail" });
    await client.alerts.put(id, { kind: "not-succeeded", within: "1s", schedules: { ids: [id] } });
  }
  await told("a", 1);
  await told("b", 1);
  await client.alerts.delete("a");
  await client.schedules.delete("b");
  expect(statesOf(await told("a", 2))).toEqual(["raised", "over"]);
  expect(statesOf(await told("b", 2))).toEqual(["raised", "over"]);
  expect((await client.alerts.list()).map(({ name }) => name)).toEqual(["b"]);
});

test("rules are put, shown, replaced as a whole and deleted; what is wrong is refused with its field", async () => {
  const { client } = await alerting(server());
  const { alerts } = client;
  expect(await alerts.list()).toEqual([]);
  const made = await alerts.put("r", { kind: "failing", times: 3, description: "call" }, { ifRevision: 0 });
  expect(await alerts.get("r")).toEqual(made);
  expect(made.rule).toEqual({ kind: "failing", times: 3, description: "call" });
  const changed = await alerts.put("r", { kind: "failing", queues: ["mail"] }, { ifRevision: made.revision });
  expect(changed.rule).toEqual({ kind: "failing", times: 1, queues: ["mail"] });
  expect(changed.madeAt).toBe(made.madeAt);
  expect(await alerts.put("r", { kind: "failing", queues: ["mail"] })).toEqual(changed);
  await expectRefusal(
    alerts.put("r", { kind: "missed" }, { ifRevision: 1 }),
    "conflict",
    /alert r is at revision/,
  );
  await expectRefusal(alerts.delete("r", { ifRevision: 1 }), "conflict", /expected revision 1/);
  await expectRefusal(alerts.put("a.b", { kind: "missed" }), "invalid", /name: expected 1 to 128/);
  await expectRefusal(
    alerts.put("r", { kind: "late" } as never),
    "invalid",
    /rule.after: expected a duration/,
  );
  await alerts.delete("r");
  await expectRefusal(alerts.get("r"), "not_found", /alert r does not exist/);
  await expectRefusal(alerts.delete("r"), "not_found", /alert r does not exist/);
});
