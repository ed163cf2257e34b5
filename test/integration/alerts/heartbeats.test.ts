/** Jobs that run elsewhere say that they ran; silence is told once, and once when it is over. */
import { expect, test } from "vitest";
import { alerting, hear, statesOf } from "../../support/alerts.js";
import { Pair } from "../../support/pair.js";
import { until } from "../../support/scene.js";
import { expectRefusal, serverOf } from "../../support/stage.js";

const server = serverOf();
const MISSING = "heartbeat.missing";

test("a heartbeat that stays away is told once, and once when it comes; by plain NATS, with an answer", async () => {
  const { stage, client, heard, told } = await alerting(server());
  await client.heartbeats.put("backup", { every: "1s", grace: 0 });
  const [raised] = await told(MISSING, 1);
  expect(raised).toMatchObject({
    kind: MISSING,
    state: "raised",
    heartbeat: "backup",
    data: { lastBeat: null },
  });
  expect(raised?.text).toMatch(/^heartbeat backup: expected at .*, there was none yet$/);
  expect(await client.heartbeats.get("backup")).toMatchObject({ missing: true, lastBeat: null });
  expect(await client.alerts.active()).toMatchObject([{ rule: MISSING, heartbeat: "backup" }]);
  const answer = await stage.raw.request(stage.names.heartbeat("backup"), "any body");
  expect(answer.json()).toMatchObject({ stream: stage.names.heartbeats });
  expect(statesOf(await told(MISSING, 2))).toEqual(["raised", "over"]);
  expect(statesOf(await told(MISSING, 3))).toEqual(["raised", "over", "raised"]);
  expect(heard[2]?.text).toMatch(/the last came at/);
  expect(heard[2]?.id).not.toBe(heard[0]?.id);
});

test("one that beats in time is well; a publish without an answer counts, and so does one when nobody is there", async () => {
  const { stage, client, heard, orchestrator, orchestrate, told } = await alerting(server());
  await client.heartbeats.put("often", { every: "3s", grace: 0 });
  await client.heartbeats.put("silent", { every: "1s", grace: 0 });
  stage.raw.publish(stage.names.heartbeat("often"));
  await until(async () => expect((await client.heartbeats.get("often")).lastBeat).not.toBeNull());
  await orchestrator.stop();
  const stoppedAt = Date.now();
  await until(() => expect(Date.now() - stoppedAt).toBeGreaterThan(1_500));
  await client.heartbeats.beat("often");
  await orchestrate();
  await told(MISSING, 1);
  expect(heard.map(({ heartbeat }) => heartbeat)).toEqual(["silent"]);
  expect((await client.heartbeats.list()).map(({ name, missing }) => [name, missing])).toEqual([
    ["often", false],
    ["silent", true],
  ]);
});

test("one that is expected no longer, or otherwise, is not missing any more", async () => {
  const { client, told } = await alerting(server());
  await client.heartbeats.put("backup", { every: "1s", grace: 0 });
  await told(MISSING, 1);
  const { revision } = await client.heartbeats.put("backup", { every: "1h" });
  await told(MISSING, 2);
  expect(await client.heartbeats.put("backup", { every: "60m", grace: "5m" })).toMatchObject({ revision });
  await client.heartbeats.put("backup", { every: "1s", grace: 0 });
  await told(MISSING, 3);
  await client.heartbeats.delete("backup");
  expect(statesOf(await told(MISSING, 4))).toEqual(["raised", "over", "raised", "over"]);
});

test("a takeover neither repeats nor forgets", async () => {
  const pair = await Pair.open(server(), { alertEvery: 100 });
  const { client } = pair.stage;
  const heard = await hear(pair.stage);
  await client.heartbeats.put("backup", { every: "2s", grace: 0 });
  await until(() => expect(heard).toHaveLength(1));
  await pair.crashHolder();
  await client.heartbeats.put("other", { every: "1s", grace: 0 });
  await until(() => expect(heard.map(({ heartbeat }) => heartbeat)).toEqual(["backup", "other"]));
  await client.heartbeats.beat("backup");
  await until(() => expect(heard).toHaveLength(3));
  expect(heard[2]).toMatchObject({ heartbeat: "backup", state: "over" });
});

test("what is wrong is refused with its field", async () => {
  const { heartbeats } = (await alerting(server())).client;
  expect(await heartbeats.list()).toEqual([]);
  await expectRefusal(heartbeats.put("a.b", { every: "1h" }), "invalid", /name: expected 1 to 128/);
  await expectRefusal(heartbeats.put("a", {}), "invalid", /heartbeat.every: expected one of every, cron/);
  await expectRefusal(heartbeats.put("a", { cron: "soon" }), "invalid", /heartbeat.cron: /);
  await expectRefusal(heartbeats.get("a"), "not_found", /heartbeat a does not exist/);
  await expectRefusal(heartbeats.delete("a"), "not_found", /heartbeat a does not exist/);
  await expectRefusal(heartbeats.beat("a.b"), "invalid", /expected 1 to 128/);
  const { revision } = await heartbeats.put("a", { cron: "0 3 * * *", timeZone: "Europe/Berlin" });
  await expectRefusal(
    heartbeats.put("a", { every: "1h" }, { ifRevision: revision + 1 }),
    "conflict",
    /revision/,
  );
});

test("the API takes beats of what is expected only", async () => {
  const { stage, client } = await alerting(server());
  await client.heartbeats.put("backup", { every: "1h" });
  const beat = async (name: string) =>
    (await stage.raw.request(stage.names.api("heartbeat.beat"), JSON.stringify({ name }))).json();
  expect(await beat("backup")).toMatchObject({
    name: "backup",
    lastBeat: expect.any(String),
    missing: false,
  });
  expect(await beat("bakcup")).toMatchObject({
    code: "not_found",
    message: "heartbeat bakcup does not exist",
  });
});
