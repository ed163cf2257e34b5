import { shardOf } from "../../src/core/hash.js";
import { ManualClock, MemoryServer, openMemoryPorts } from "../../src/testing/index.js";
import { Arrivals } from "../support/until.js";
import { describeAllPorts } from "./all.js";
import type { PortsUnderTest } from "./ports.js";

async function makeMemoryPorts(): Promise<PortsUnderTest> {
  const clock = new ManualClock();
  const server = new MemoryServer({ clock });
  const { names } = server;
  const [one, other] = [openMemoryPorts(server), openMemoryPorts(server)];
  return {
    names,
    clock,
    one,
    other,
    pass: (ms) => clock.pass(ms),
    limitWork: async (messages) => {
      server.work.maxMessages = messages;
    },
    fadeMembersAfter: async (ms) => {
      server.memberTtlMs = ms;
    },
    eraseDefinition: async (id) => server.eraseDefinition(names.scheduleKey(shardOf(id, server.shards), id)),
    overwriteDefinition: async (id, text) => {
      const subject = names.scheduleKey(shardOf(id, server.shards), id);
      server.schedules.store({ subject, headers: {}, body: new TextEncoder().encode(text) });
    },
    overwriteQueue: async (queue, text) => {
      server.queueSettings.store({ subject: queue, headers: {}, body: new TextEncoder().encode(text) });
    },
    deadLetters: async (queue) => server.dead.of(names.deadLetter(queue)),
    hearAlerts: async () => {
      const heard = new Arrivals<{ subject: string; body: unknown }>();
      server.hearing.add((subject, json) => heard.add({ subject, body: JSON.parse(json) }));
      return heard;
    },
    cutOne: async () => one.link.cut(),
    cleanup: async () => {
      one.link.cut();
      other.link.cut();
    },
  };
}

describeAllPorts("memory", makeMemoryPorts);
