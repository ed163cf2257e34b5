import { jetstreamManager } from "@nats-io/jetstream";
import { Kvm } from "@nats-io/kv";
import { type Msg, type NatsConnection, nanos } from "@nats-io/transport-node";
import { afterAll, beforeAll } from "vitest";
import { shardOf } from "../../src/core/hash.js";
import type { StoredMessage } from "../../src/core/ports.js";
import { openPorts } from "../../src/nats/open.js";
import { storedMessage } from "../../src/nats/work.js";
import { limits } from "../../src/protocol/limits.js";
import { type Names, namesOf } from "../../src/protocol/names.js";
import { systemClock } from "../../src/runtime/clock.js";
import { freshNamespace, removeNamespace, TestServer } from "../support/server.js";
import { Arrivals } from "../support/until.js";
import { describeAllPorts } from "./all.js";
import type { PortsUnderTest } from "./ports.js";

let server: TestServer;

beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(() => server?.stop());

async function makeNatsPorts(): Promise<PortsUnderTest> {
  const names = namesOf(freshNamespace());
  const options = { names, clock: systemClock, replicas: 1, shards: undefined, version: "0.0.0" };
  const connections = [await server.connect(), await server.connect()] as const;
  const one = await openPorts(connections[0], options);
  const other = await openPorts(connections[1], options);
  return {
    names,
    clock: systemClock,
    one,
    other,
    pass: async () => {},
    ...(await operator(connections[1], names)),
    cutOne: () => connections[0].close(),
    cleanup: async () => {
      await removeNamespace(connections[1], names);
      await Promise.all(connections.map((connection) => connection.close()));
    },
  };
}

/** What someone with the server's own tools can do. */
async function operator(connection: NatsConnection, names: Names) {
  const jsm = await jetstreamManager(connection);
  return {
    limitWork: async (max_msgs: number) => {
      await jsm.streams.update(names.work, { max_msgs });
    },
    fadeMembersAfter: async (ms: number) => {
      await jsm.streams.update(names.members.stream, { max_age: nanos(ms), duplicate_window: nanos(ms) });
    },
    eraseDefinition: async (id: string) => {
      const bucket = await new Kvm(connection).open(names.schedules.bucket);
      await bucket.delete(names.scheduleKey(shardOf(id, limits.defaultShards), id));
    },
    overwriteDefinition: async (id: string, text: string) => {
      const bucket = await new Kvm(connection).open(names.schedules.bucket);
      await bucket.put(names.scheduleKey(shardOf(id, limits.defaultShards), id), text);
    },
    overwriteQueue: async (queue: string, text: string) => {
      await (await new Kvm(connection).open(names.queues.bucket)).put(queue, text);
    },
    hearAlerts: async () => {
      const heard = new Arrivals<{ subject: string; body: unknown }>();
      const callback = (_: unknown, message: Msg) =>
        heard.add({ subject: message.subject, body: message.json() });
      connection.subscribe(names.alert(">"), { callback });
      await connection.flush();
      return heard;
    },
    deadLetters: async (queue: string) => {
      const found: StoredMessage[] = [];
      for (let seq = 1; ; seq = (found.at(-1) as StoredMessage).seq + 1) {
        const query = { seq, next_by_subj: names.deadLetter(queue) };
        const message = storedMessage(await jsm.streams.getMessage(names.dead, query));
        if (message === null) return found;
        found.push(message);
      }
    },
  };
}

describeAllPorts("NATS", makeNatsPorts);
