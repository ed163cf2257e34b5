import { headers } from "@nats-io/transport-node";
import { describe, expect, onTestFinished, test } from "vitest";
import { headers as h } from "../../../src/protocol/headers.js";
import { Pair } from "../../support/pair.js";
import { until } from "../../support/scene.js";
import { expectRefusal, Stage, serverOf } from "../../support/stage.js";

const server = serverOf();

const onDone = { queue: "after", payload: "all are over" };

/** What follows upon groups, as its worker gets it: run id and number of members that failed. */
async function following(stage: Stage): Promise<[string, string | undefined][]> {
  const seen: [string, string | undefined][] = [];
  await stage.work("after", {}, ({ runId, headers: given }) => {
    seen.push([runId, given[h.groupFailed]]);
  });
  return seen;
}

test("what is to follow upon a group follows once, when all are over, and is told how many failed", async () => {
  const stage = await Stage.orchestrated(server());
  const seen = await following(stage);
  await stage.work<number>("mail", { concurrency: 20 }, ({ payload }) => {
    expect(seen).toEqual([]);
    if (payload % 10 === 0) throw new Error("no");
  });
  const jobs = Array.from({ length: 200 }, (_, n) => ({
    queue: "mail",
    payload: n,
    retry: { maxAttempts: 1 },
  }));
  const { id, outcomes } = await stage.client.groups.run({ jobs, onDone });
  expect(outcomes.map(({ kind }) => kind)).toEqual(jobs.map(() => "enqueued"));
  await until(() => expect(seen).toEqual([[`${id}:done`, "20"]]));
  const group = await until(async () => {
    const view = await stage.client.groups.get(id);
    expect(view.state).toBe("done");
    return view;
  });
  expect(group).toMatchObject({ members: 200, done: 200, failed: 20 });
});

test("a group that is asked for again is the same one, and its members are not enqueued twice", async () => {
  const stage = await Stage.orchestrated(server());
  const ran = await stage.attempts("mail");
  const seen = await following(stage);
  const request = { id: "import-7", jobs: [{ queue: "mail" }, { queue: "mail" }], onDone };
  await stage.client.groups.run(request);
  await until(() => expect(seen).toHaveLength(1));
  const { outcomes } = await stage.client.groups.run(request);
  expect(outcomes).toMatchObject([0, 1].map(() => ({ kind: "enqueued", accepted: false })));
  expect(ran.map(({ runId }) => runId).sort()).toEqual(["import-7:0", "import-7:1"]);
  expect(seen).toHaveLength(1);
  await expectRefusal(
    stage.client.groups.create({ id: "import-7", members: 3, onDone }),
    "conflict",
    /another/,
  );
});

test("members come from the front door too", async () => {
  const stage = await Stage.orchestrated(server());
  await stage.ensureQueue("mail");
  await stage.attempts("mail");
  const seen = await following(stage);
  const { id } = await stage.client.groups.create({ members: 2, onDone });
  for (const index of [0, 1]) {
    const options = headers();
    options.set(h.group, `${id}/${index}`);
    await stage.js.publish(stage.names.enqueue("mail"), "{}", { headers: options });
  }
  await until(() => expect(seen).toEqual([[`${id}:done`, "0"]]));
});

test("a group whose orchestrator is killed is done once", async () => {
  const pair = await Pair.open(server());
  const { stage } = pair;
  const seen = await following(stage);
  let killed: Promise<void> | undefined;
  const worker = await stage.punctual.work<number>("mail", { concurrency: 20 }, ({ payload }) => {
    if (payload === 250) killed = pair.crashHolder();
  });
  onTestFinished(() => worker.stop());
  const jobs = Array.from({ length: 500 }, (_, n) => ({ queue: "mail", payload: n }));
  const { id } = await stage.client.groups.run({ jobs, onDone });
  await until(() => expect(seen).toEqual([[`${id}:done`, "0"]]));
  await killed;
  expect((await stage.client.groups.get(id)).done).toBe(500);
});

describe("a member is refused", () => {
  test.each([
    ["of a group that nobody has made", "nobody/0", /there is no group nobody/],
    ["beyond the members", "import/2", /expected an index from 0 to 1 of group import, got 2/],
    ["that is none", "import", /expected <group id>\/<index from 0>/],
  ])("%s", async (_, group, message) => {
    const stage = await Stage.orchestrated(server());
    await stage.client.groups.create({ id: "import", members: 2, onDone });
    await expectRefusal(stage.client.enqueue({ queue: "mail", group }), "invalid", message);
    expect(await stage.inWork()).toEqual([]);
    const options = headers();
    options.set(h.group, group);
    await stage.js.publish(stage.names.enqueue("mail"), "{}", { headers: options });
    expect((await stage.deadLetter("mail")).header(h.error)).toMatch(message);
  });

  test("that another run is", async () => {
    const stage = await Stage.orchestrated(server());
    await stage.client.groups.create({ id: "import", members: 2, onDone });
    await stage.client.enqueue({ queue: "mail", jobId: "a", group: "import/0" });
    const other = stage.client.enqueue({ queue: "mail", jobId: "b", group: "import/0" });
    await expectRefusal(other, "invalid", /member 0 of group import is run a/);
    await expectRefusal(stage.client.groups.get("none"), "not_found", /there is no group none/);
  });
});
