/** The smallest ports a client can talk to. */
import { Client } from "../../src/client/client.js";
import type { PublishOutcome, Versioned, WorkMessage } from "../../src/core/ports.js";
import {
  defaultQueueSettings,
  type QueueRequest,
  type QueueSettings,
  settingsOf,
} from "../../src/core/queue.js";
import { noTracing, type Tracing } from "../../src/core/tracing.js";
import type { Claim } from "../../src/core/unique-period.js";
import { namesOf } from "../../src/protocol/names.js";
import { ManualClock, MemoryServer, openMemoryPorts } from "../../src/testing/index.js";

export const queueDefaults: QueueSettings = defaultQueueSettings;

export interface FakeServer {
  /** Requests that reached the API. */
  calls: { endpoint: string; request: unknown }[];
  /** Answers of the API, the next one first. */
  answers: unknown[];
  published: WorkMessage[];
  /** Outcomes of publishes; `stored` when there are no more. */
  outcomes: PublishOutcome[];
  ensured: string[];
  beats: string[];
  /** Of every queue. */
  settings: QueueRequest;
  /** Jobs in the queue, and how often somebody asked. */
  depth: number;
  counted: number;
  claims: Map<string, Versioned<Claim>>;
  /** Thrown by the next look at a queue. */
  queueTrouble: Error | undefined;
}

export function fakeClient({ tracing = noTracing }: { tracing?: Tracing } = {}) {
  const server: FakeServer = {
    calls: [],
    answers: [],
    published: [],
    outcomes: [],
    ensured: [],
    beats: [],
    settings: {},
    depth: 0,
    counted: 0,
    claims: new Map(),
    queueTrouble: undefined,
  };
  let ids = 0;
  const clock = new ManualClock();
  const { chains } = openMemoryPorts(new MemoryServer({ clock }));
  const refuse = (): Promise<never> => Promise.reject(new Error("not used"));
  const client = new Client(
    {
      names: namesOf("test"),
      maxPayload: 1_048_576,
      tracing,
      shards: 4,
      chains,
      beats: { beat: async (name) => void server.beats.push(name) },
      timers: {
        async put(message) {
          server.published.push(message);
          return server.outcomes.shift() ?? { kind: "stored", seq: server.published.length };
        },
        ready: () => undefined,
      },
      api: {
        async call(endpoint, request) {
          server.calls.push({ endpoint, request });
          const answer = server.answers.shift();
          if (answer instanceof Error) throw answer;
          return answer;
        },
      },
      work: {
        async publish(message) {
          server.published.push(message);
          return server.outcomes.shift() ?? { kind: "stored", seq: server.published.length };
        },
        prepare(message) {
          return { send: () => this.publish(message) };
        },
        ready: () => undefined,
        lastOn: refuse,
        at: refuse,
        remove: refuse,
        tombstones: refuse,
      },
      clock,
      gates: { count: async () => 0 },
      queueConsumers: {
        async counts() {
          server.counted++;
          return [
            { lane: "work", queued: server.depth, running: 0, redelivered: 0, pulls: 0, paused: false },
          ];
        },
      },
      claims: {
        async get(queue, key) {
          return server.claims.get(`${queue}.${key}`) ?? null;
        },
        async write(queue, key, value, revision) {
          const existing = server.claims.get(`${queue}.${key}`)?.revision ?? 0;
          if (existing !== revision) return { kind: "lost" };
          server.claims.set(`${queue}.${key}`, { value, revision: existing + 1 });
          return { kind: "stored", revision: existing + 1 };
        },
      },
      queues: {
        async ensure(queue) {
          server.ensured.push(queue);
          const trouble = server.queueTrouble;
          server.queueTrouble = undefined;
          if (trouble !== undefined) throw trouble;
          return settingsOf(server.settings);
        },
      },
    },
    { newId: () => `id-${++ids}` },
  );
  return { client, server, clock, chains };
}

export const viewOf = (id: string, schedule: Record<string, unknown> = { every: "5s" }) => ({
  id,
  revision: 7,
  shard: 1,
  schedule,
  nextFireTime: "2026-07-30T03:00:00.000Z",
});
