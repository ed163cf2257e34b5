/** What cannot be read keeps nobody from being told of the rest. */
import { expect, onTestFinished, test } from "vitest";
import { silentTelemetry } from "../../src/core/telemetry.js";
import { AlertBook } from "../../src/orchestrator/alert-book.js";
import { AlertKeeper } from "../../src/orchestrator/alert-keeper.js";
import { AlertService } from "../../src/orchestrator/alert-service.js";
import { Alerter } from "../../src/orchestrator/alerter.js";
import { Definitions } from "../../src/orchestrator/definitions.js";
import { HeartbeatJudge } from "../../src/orchestrator/heartbeat-judge.js";
import { HeartbeatService } from "../../src/orchestrator/heartbeat-service.js";
import { RuleJudge } from "../../src/orchestrator/rule-judge.js";
import { type AlertInput, alertInput } from "../../src/protocol/alert-input.js";
import { heartbeatInput } from "../../src/protocol/heartbeat-input.js";
import { silentLogger } from "../../src/runtime/log.js";
import { ManualClock, MemoryServer, openMemoryPorts } from "../../src/testing/index.js";
import { definition, lease, START } from "../contract/given.js";

const HOUR = 3_600_000;

/** An orchestrator that looks, and what it tells. */
async function world() {
  const clock = new ManualClock(START);
  const server = new MemoryServer({ clock, shards: 1 });
  const told: string[] = [];
  const ports = {
    ...openMemoryPorts(server),
    ...{ clock, log: silentLogger, telemetry: silentTelemetry },
    alerts: {
      raise: async ({ id, state }: { id: string; state: string }) =>
        void told.push(`${id.split("/")[0]} ${state}`),
    },
  };
  const definitions = new Definitions(1, server.names, silentLogger);
  const book = new AlertBook(ports);
  const following = [await definitions.follow(ports.schedules), await book.follow()];
  onTestFinished(async () => {
    for (const one of following) await one.stop();
  });
  const unanswered = new Set<string>();
  server.faults = { read: (what) => unanswered.has(what) };
  const keeper = new AlertKeeper(ports, () => 1);
  const judges = [new HeartbeatJudge(ports, book), new RuleJudge(ports, definitions, book)];
  const alerter = new Alerter(ports, { book, keeper, judges, everyMs: 5_000 });
  const services = { alerts: new AlertService(ports), heartbeats: new HeartbeatService(ports) };
  const put = (name: string, rule: AlertInput) =>
    services.alerts.put({ name, rule: alertInput.parse(rule), ifRevision: undefined });
  await ports.schedules.write("nightly", definition(), 0);
  await ports.queues.ensure("mail");
  await ports.dead.bury({
    ...{ queue: "mail", subject: "s", seq: 1, headers: {}, body: new Uint8Array() },
    ...{ reason: "r", attempts: 1 },
  });
  await put("dying", { kind: "dead-letters", within: "1d" });
  await put("deep", { kind: "queue-deep", over: 0 });
  await put("rare", { kind: "not-succeeded", within: "1h" });
  await put("late", { kind: "late", after: "1h" });
  const heartbeat = heartbeatInput.parse({ every: "1h", grace: 0 });
  await services.heartbeats.put({ name: "backup", heartbeat, ifRevision: undefined });
  const subject = server.names.job("mail", "j");
  await ports.work.publish({ subject, msgId: "j/1", headers: {}, body: new Uint8Array() });
  await ports.leases.write(0, lease({ cursor: { time: START - 1, id: "~" } }), 0);
  await clock.pass(2 * HOUR);
  return { told, unanswered, look: () => alerter.runOnce() };
}

const ALL = ["heartbeat.missing raised", "late raised", "rare raised", "deep raised", "dying raised"];

test.each<[string, string[]]>([
  ["figures of queues", ["deep"]],
  ["bounds of dead letters", ["dying"]],
  ["dead letters", ["dying"]],
  ["bounds of RUNS", ["late", "rare"]],
  ["lease", ["late"]],
  ["last beat", ["heartbeat.missing"]],
])(
  "no answer to %s: of the others it is told; of this when there is one, and nothing is taken for over",
  async (what, of) => {
    const { told, unanswered, look } = await world();
    unanswered.add(what);
    await look();
    const untold = of.map((rule) => `${rule} raised`);
    expect([...told].sort()).toEqual(ALL.filter((text) => !untold.includes(text)).sort());
    unanswered.clear();
    await look();
    expect([...told].sort()).toEqual([...ALL].sort());
    unanswered.add(what);
    await look();
    expect(told).toHaveLength(ALL.length);
  },
);
