/** Who looks at the rules dies: what was told is not told again, what is over is told by whoever looks then. */
import { expect, test } from "vitest";
import { NonRetryableError } from "../../../src/worker/errors.js";
import { hear, statesOf } from "../../support/alerts.js";
import { Pair } from "../../support/pair.js";
import { until } from "../../support/scene.js";
import { serverOf } from "../../support/stage.js";

const server = serverOf();

test("a breach is told once though its finder dies, and its end once, by the successor", async () => {
  const pair = await Pair.open(server(), { alertEvery: 100 });
  const { stage } = pair;
  const { client } = stage;
  const heard = await hear(stage);
  let broken = true;
  await stage.attempts("mail", () => {
    if (broken) throw new NonRetryableError("no disk");
  });
  await client.alerts.put("failing", { kind: "failing", times: 2 });
  await client.alerts.put("rare", { kind: "not-succeeded", within: "1s" });
  await client.schedules.put("s", { every: 200, queue: "mail" });
  await until(() => expect(heard).toHaveLength(2));
  const before = await client.alerts.active();
  expect(before.map(({ rule }) => rule).sort()).toEqual(["failing", "rare"]);
  await pair.crashHolder();
  // The successor has looked when it has found what is new.
  await client.alerts.put("also", { kind: "failing" });
  await until(() => expect(heard).toHaveLength(3));
  expect(statesOf(heard)).toEqual(["raised", "raised", "raised"]);
  const open = await client.alerts.active();
  expect(open.filter(({ rule }) => rule !== "also")).toEqual(before);
  broken = false;
  await until(() => expect(heard).toHaveLength(6));
  expect(statesOf(heard).slice(3)).toEqual(["over", "over", "over"]);
  expect(new Set(heard.map(({ id }) => id)).size).toBe(6);
  expect(await client.alerts.active()).toEqual([]);
});
