import { expect, test } from "vitest";
import { Reconciler } from "../../src/orchestrator/reconciler.js";
import { silentLogger } from "../../src/runtime/log.js";
import { ManualClock, MemoryServer, openMemoryPorts } from "../../src/testing/index.js";

test("where there was nothing is looked at again when a term begins: the server may have been killed", async () => {
  const clock = new ManualClock();
  const ports = openMemoryPorts(new MemoryServer({ clock, shards: 1 }));
  const looks: (boolean | undefined)[] = [];
  const find = async (anew?: boolean) => {
    looks.push(anew);
    if (looks.length === 1) throw new Error("no connection");
    return [];
  };
  let term: number | null = 1;
  const all = { ...ports, clock, log: silentLogger, stuck: { find } };
  const reconciler = new Reconciler(
    all,
    async () => {},
    () => term,
  ).start();
  await clock.pass(40_000);
  term = null;
  await clock.pass(40_000);
  term = 3;
  await clock.pass(20_000);
  expect(looks).toEqual([true, true, false, false, true, false]);
  await reconciler.stop();
});
