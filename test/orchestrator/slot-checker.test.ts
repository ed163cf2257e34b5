/** What the always-on check says when a store has gone back: acknowledged writes are lost. */
import { expect, test } from "vitest";
import type { Alert } from "../../src/core/alert.js";
import { silentTelemetry } from "../../src/core/telemetry.js";
import { AlertKeeper } from "../../src/orchestrator/alert-keeper.js";
import { Definitions } from "../../src/orchestrator/definitions.js";
import { Memory } from "../../src/orchestrator/memory.js";
import { SlotChecker } from "../../src/orchestrator/slot-checker.js";
import { silentLogger } from "../../src/runtime/log.js";
import { ManualClock, MemoryServer, openMemoryPorts } from "../../src/testing/index.js";
import { START } from "../contract/given.js";

function world(
  memory = new Memory(),
  server = new MemoryServer({ clock: new ManualClock(START), shards: 1 }),
) {
  const { clock } = server;
  const ports = openMemoryPorts(server);
  const alerts: Alert[] = [];
  const kinds: string[] = [];
  let sequence = 40;
  let mine = true;
  let isAnswered = true;
  const lastSequence = async () => {
    if (!isAnswered) throw new Error("no answer");
    return sequence;
  };
  const runs = Object.assign(Object.create(ports.runs), { lastSequence });
  const all = {
    ...ports,
    ...{ clock, runs, log: silentLogger },
    alerts: { raise: async (alert: Alert) => void alerts.push(alert) },
    telemetry: { ...silentTelemetry, anomalyFound: (kind: string) => void kinds.push(kind) },
    ledger: { told: async () => ({ fired: [], reports: [], keptFrom: null }) },
  };
  const keeper = new AlertKeeper(all, () => (mine ? 1 : null));
  const checker = new SlotChecker(all, new Definitions(1, ports.names, silentLogger), memory, keeper);
  const look = (at: number) => {
    sequence = at;
    return checker.runOnce();
  };
  const lose = () => {
    mine = false;
  };
  const answerNoMore = () => {
    isAnswered = false;
  };
  return { server, alerts, kinds, look, lose, answerNoMore };
}

test("a sequence that goes back is told once, with how far", async () => {
  const { alerts, kinds, look } = world();
  await look(40);
  await look(41);
  expect(alerts).toEqual([]);
  await look(17);
  await look(17);
  await look(18);
  expect(kinds).toEqual(["lost"]);
  expect(alerts).toMatchObject([
    {
      rule: "store.lost",
      state: "raised",
      scheduleId: null,
      data: { store: "runs", highest: 41, sequence: 17 },
    },
  ]);
});

test("a store that does not answer keeps nobody from looking at the other", async () => {
  const memory = new Memory();
  memory.highest.set("schedules", 7);
  const { alerts, look, answerNoMore } = world(memory);
  answerNoMore();
  await look(40);
  expect(alerts).toMatchObject([
    { rule: "store.lost", data: { store: "schedules", highest: 7, sequence: 0 } },
  ]);
});

test("what was seen before a connection ended is remembered after it", async () => {
  const memory = new Memory();
  await world(memory).look(41);
  const { alerts, look } = world(memory);
  await look(3);
  expect(alerts).toHaveLength(1);
});

test("what another has told is not told again; a further loss is", async () => {
  const first = world();
  await first.look(41);
  await first.look(17);
  const memory = new Memory();
  // It held the shard before, and saw less.
  memory.highest.set("runs", 30);
  const second = world(memory, first.server);
  await second.look(18);
  expect(second.alerts).toEqual([]);
  await second.look(5);
  expect(second.alerts).toMatchObject([{ rule: "store.lost", data: { highest: 18, sequence: 5 } }]);
});

test("a loss is forgotten, and not told to be over, when the sequence has passed what was lost", async () => {
  const { server, alerts, look } = world();
  await look(41);
  await look(17);
  await look(42);
  expect(alerts.map(({ state }) => state)).toEqual(["raised"]);
  expect(await openMemoryPorts(server).alertStore.list("state")).toEqual([]);
});

test("whoever does not hold the first shard looks at nothing", async () => {
  const { alerts, look, lose } = world();
  await look(41);
  lose();
  await look(3);
  expect(alerts).toEqual([]);
});
