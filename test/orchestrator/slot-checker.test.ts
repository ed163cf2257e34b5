/** What the always-on check says when a store has gone back: acknowledged writes are lost. */
import { expect, test } from "vitest";
import type { Alert } from "../../src/core/alert.js";
import { silentTelemetry } from "../../src/core/telemetry.js";
import { Definitions } from "../../src/orchestrator/definitions.js";
import { Memory } from "../../src/orchestrator/memory.js";
import { SlotChecker } from "../../src/orchestrator/slot-checker.js";
import { silentLogger } from "../../src/runtime/log.js";
import { ManualClock, MemoryServer, openMemoryPorts } from "../../src/testing/index.js";
import { START } from "../contract/given.js";

function world(memory = new Memory()) {
  const clock = new ManualClock(START);
  const ports = openMemoryPorts(new MemoryServer({ clock, shards: 1 }));
  const alerts: Alert[] = [];
  const kinds: string[] = [];
  let sequence = 40;
  let mine = true;
  const runs = Object.assign(Object.create(ports.runs), { lastSequence: async () => sequence });
  const checker = new SlotChecker(
    {
      ...ports,
      ...{ clock, runs, log: silentLogger },
      alerts: { raise: (alert) => void alerts.push(alert) },
      telemetry: { ...silentTelemetry, anomalyFound: (kind) => void kinds.push(kind) },
      ledger: { told: async () => ({ fired: [], reports: [], keptFrom: null }) },
    },
    new Definitions(1, ports.names, silentLogger),
    memory,
    () => mine,
  );
  const look = (at: number) => {
    sequence = at;
    return checker.runOnce();
  };
  const lose = () => {
    mine = false;
  };
  return { alerts, kinds, look, lose };
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

test("what was seen before a connection ended is remembered after it", async () => {
  const memory = new Memory();
  await world(memory).look(41);
  const { alerts, look } = world(memory);
  await look(3);
  expect(alerts).toHaveLength(1);
});

test("whoever does not hold the first shard looks at nothing", async () => {
  const { alerts, look, lose } = world();
  await look(41);
  lose();
  await look(3);
  expect(alerts).toEqual([]);
});
