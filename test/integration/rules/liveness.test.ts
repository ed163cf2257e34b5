import { describe, expect, onTestFinished, test } from "vitest";
import { Peers } from "../../../src/orchestrator/members.js";
import { systemClock } from "../../../src/runtime/clock.js";
import { silentLogger } from "../../../src/runtime/log.js";
import { never } from "../../support/faults.js";
import { Holder } from "../../support/holder.js";
import { Scene, until, useServer } from "../../support/scene.js";
import { memberOf, startSession, watchLeases, withProbes } from "../../support/sessions.js";

const server = useServer();

describe("a shard changes hands", () => {
  test("when its holder, though connected, has not renewed for the lease's duration, and not earlier", async () => {
    const scene = await Scene.open(server());
    const seen = await watchLeases(scene);
    const leaseDuration = 2_000;
    const first = await startSession(scene, "first", { leaseDuration });
    await until(() => expect(first.session.held).toEqual([0]));
    first.leases.onWrite = never;
    await startSession(scene, "second", { leaseDuration });

    await until(() => expect(seen.at(-1)).toMatchObject({ holder: "second" }));
    const taken = seen.findIndex(({ holder }) => holder === "second");
    const [last, next] = [seen[taken - 1], seen[taken]];
    expect(last).toMatchObject({ holder: "first" });
    expect(next).toMatchObject({ term: (last?.term ?? 0) + 1 });
    // What the watch needs to tell us of the two is not exact.
    expect((next?.at ?? 0) - (last?.at ?? 0)).toBeGreaterThan(leaseDuration - 250);
    const { runId } = await scene.define("nightly");
    await scene.firedOnce(runId);
  });

  test("at once when its holder stops in good order: it lets go before it leaves", async () => {
    const scene = await Scene.open(server());
    const seen = await watchLeases(scene);
    // No lease runs out during this test.
    const first = await startSession(scene, "first", { leaseDuration: "10m" });
    await until(() => expect(first.session.held).toEqual([0]));
    const second = await startSession(scene, "second", { leaseDuration: "10m" });
    const holder = await scene.record();
    const [leaving, staying] = holder.holder === "first" ? [first, second] : [second, first];
    await leaving.session.stop();

    const { id } = leaving.session;
    await until(() => {
      const holders = seen.map((hint) => hint.holder);
      const last = holders.lastIndexOf(id);
      expect(holders.slice(last, last + 3)).toEqual([id, null, staying.session.id]);
    });
    const { runId } = await scene.define("nightly");
    await scene.firedOnce(runId);
  });
});

test("an orchestrator that is stopped while it takes a shard lets go of it at once", async () => {
  const scene = await Scene.open(server());
  const holder = await Holder.start(scene, "holder");
  let stopped: Promise<void> | undefined;
  holder.leases.onWrite = (_record, send) => {
    stopped ??= holder.shard.stop();
    return send();
  };
  holder.shard.consider();
  await until(() => expect(stopped).toBeDefined());
  await stopped;
  expect(await scene.record()).toMatchObject({ holder: null, term: 1 });
});

test("a holder that could not renew in time publishes no more, even what it has committed", async () => {
  const scene = await Scene.open(server());
  const first = await Holder.start(scene, "first", { settings: { ahead: 5_000 } });
  await first.take();
  const at = systemClock.now() + 2_500;
  const { runId } = await scene.define("nightly", { spec: { kind: "at", at } });
  await scene.recordWhere(({ firing }) => firing.length === 1);
  first.leases.onWrite = never;

  await until(() => expect(systemClock.now()).toBeGreaterThan(at + 200));
  expect(first.work.published).toEqual([]);
  const second = await Holder.start(scene, "second");
  await second.takeFrom(first);
  await scene.firedOnce(runId);
  await scene.quiet(2);
  expect(await scene.stored()).toEqual([runId]);
});

describe("no responders", () => {
  test("counts only twice in a row", async () => {
    const scene = await Scene.open(server());
    const other = await scene.open();
    await other.ports.membership.announce(memberOf("other"));
    let answering = other.ports.membership.answerProbes("other");
    const answers: string[] = [];
    const membership = withProbes(scene.ports.membership, async (probe) => {
      const isMissed = answers.length === 1;
      if (isMissed) {
        await answering.stop();
        await other.connection.flush();
      }
      const answer = await probe();
      if (isMissed) {
        answering = other.ports.membership.answerProbes("other");
        await other.connection.flush();
      }
      answers.push(answer);
      return answer;
    });
    const changes: boolean[] = [];
    const ports = {
      membership,
      clock: systemClock,
      log: silentLogger,
      probeMs: 50,
      formerIds: new Set<string>(),
    };
    const peers = new Peers(ports, memberOf("self"), () => changes.push(peers.isGone("other")));
    await peers.start();
    onTestFinished(() => peers.stop());

    await until(() => expect(answers.length).toBeGreaterThan(4));
    expect(answers.slice(0, 4)).toEqual(["alive", "gone", "alive", "alive"]);
    expect(peers.live()).toEqual(["self", "other"]);
    expect(changes).toEqual([false]); // it came, and has not gone
    await other.connection.close();
    await until(() => expect(peers.isGone("other")).toBe(true));
    expect(answers.slice(-2)).toEqual(["gone", "gone"]);
    expect(peers.live()).toEqual(["self"]);
  });

  test("frees the shards of a holder whose connection is gone, long before its lease runs out", async () => {
    const scene = await Scene.open(server());
    const seen = await watchLeases(scene);
    const first = await startSession(scene, "first", { leaseDuration: "10m" });
    await until(() => expect(first.session.held).toEqual([0]));
    const second = await startSession(scene, "second", { leaseDuration: "10m" });
    const { holder } = await scene.record();
    const [dying, staying] = holder === "first" ? [first, second] : [second, first];
    const before = seen.length;
    await dying.connection.close();

    await until(() => expect(seen.at(-1)).toMatchObject({ holder: staying.session.id }));
    expect(seen.slice(before).map((hint) => hint.holder)).not.toContain(null);
    await until(() => expect(staying.session.held).toEqual([0]));
  });
});
