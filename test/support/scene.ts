/** A namespace of its own on a real server, and an observer who sees all that was ever stored there. */
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { afterAll, beforeAll, expect, onTestFinished, vi } from "vitest";
import type { Cursor, LeaseRecord } from "../../src/core/lease.js";
import { defaultPolicies } from "../../src/core/policies.js";
import type { WorkMessage } from "../../src/core/ports.js";
import { defaultRetry } from "../../src/core/retry.js";
import type { ScheduleDefinition } from "../../src/core/schedule.js";
import { openConnection } from "../../src/nats/connection.js";
import { openPorts } from "../../src/nats/open.js";
import { headers as h } from "../../src/protocol/headers.js";
import { msgIdOf } from "../../src/protocol/job-message.js";
import { namesOf, runIdOf } from "../../src/protocol/names.js";
import { systemClock } from "../../src/runtime/clock.js";
import { type EmbeddedServer, startEmbeddedServer } from "../../src/runtime/embedded/server.js";
import { isTombstone } from "./faults.js";

const WAIT = { timeout: 20_000, interval: 20 };

/** Tries until it no longer throws. */
export const until = <T>(attempt: () => T | Promise<T>): Promise<T> =>
  vi.waitFor(attempt, WAIT) as Promise<T>;

/** A server for all tests of a file. */
export function useServer(): () => EmbeddedServer {
  let server: EmbeddedServer | undefined;
  beforeAll(async () => {
    server = await startEmbeddedServer();
  });
  afterAll(() => server?.stop());
  return () => server as EmbeddedServer;
}

/** What RUNS says of slots that were not fired. */
export interface Told {
  runId: string;
  type: string;
  reason: string;
  count: number;
}

/** Fires at once when first seen: due five seconds ago, in effect for longer. */
export function definition(change: Partial<ScheduleDefinition> = {}): ScheduleDefinition {
  const now = systemClock.now();
  return {
    spec: { kind: "at", at: now - 5_000 },
    job: { queue: "default", payload: { hello: "world" }, headers: {}, retry: defaultRetry, timeoutMs: 0 },
    overlap: "skip",
    misfire: "once",
    catchUpWindowMs: 86_400_000,
    delivery: "at-least-once",
    paused: false,
    ...defaultPolicies,
    deleted: false,
    effectiveFrom: now - 10_000,
    firstRevision: 0,
    ...change,
  };
}

let scenes = 0;

export async function openOn(server: EmbeddedServer, namespace: string, shards: number) {
  const connection = await openConnection({ servers: server.url }, "ends with the connection");
  onTestFinished(() => connection.close());
  const names = namesOf(namespace);
  const ports = await openPorts(connection, {
    names,
    clock: systemClock,
    replicas: 1,
    shards,
    version: "0.0.0",
  });
  return { connection, ports };
}

type Opened = Awaited<ReturnType<typeof openOn>>;

export class Scene {
  readonly server: EmbeddedServer;
  readonly namespace: string;
  readonly shards: number;
  /** What was taken off the queue, by sequence in WORK: the run. */
  readonly #done = new Map<number, string>();
  #observer: Opened;

  private constructor(server: EmbeddedServer, namespace: string, shards: number, observer: Opened) {
    this.server = server;
    this.namespace = namespace;
    this.shards = shards;
    this.#observer = observer;
  }

  static async open(server: EmbeddedServer, shards = 1): Promise<Scene> {
    const namespace = `scene-${process.pid}-${scenes++}`;
    const observer = await openOn(server, namespace, shards);
    await observer.ports.queues.ensure("default");
    return new Scene(server, namespace, shards, observer);
  }

  get names() {
    return namesOf(this.namespace);
  }

  get ports() {
    return this.#observer.ports;
  }

  open(): Promise<Opened> {
    return openOn(this.server, this.namespace, this.shards);
  }

  /** Ends the server in good order and starts it on the same data; only the observer comes back. */
  async restartServer(): Promise<void> {
    await this.server.restart();
    this.#observer = await this.open();
  }

  manager() {
    return jetstreamManager(this.#observer.connection);
  }

  /** Writes a definition; resolves with its slot's run id and its revision. */
  async define(id: string, change: Partial<ScheduleDefinition> = {}, revision = 0) {
    const made = definition(change);
    const outcome = await this.ports.schedules.write(id, made, revision);
    if (outcome.kind !== "stored") throw new Error(`${id}: ${outcome.kind}`);
    const runId = made.spec.kind === "at" ? runIdOf(id, made.spec.at) : "";
    return { runId, revision: outcome.revision, definition: made };
  }

  async record(shard = 0): Promise<LeaseRecord> {
    const lease = await this.ports.leases.read(shard);
    if (lease === null) throw new Error(`shard ${shard} has no record yet`);
    return lease.value;
  }

  /** Resolves when a record says so. */
  recordWhere(isSo: (record: LeaseRecord) => boolean): Promise<LeaseRecord> {
    return until(async () => {
      const record = await this.record();
      expect(record).toSatisfy(isSo);
      return record;
    });
  }

  /** Resolves when nothing is in flight under a term of at least `term`. */
  quiet(term = 1): Promise<LeaseRecord> {
    return this.recordWhere((record) => record.term >= term && record.firing.length === 0);
  }

  async cursor(): Promise<Cursor> {
    return (await this.record()).cursor;
  }

  /** Run ids of every job that WORK ever stored, gone or not, in order; tombstones left out. */
  async stored(): Promise<string[]> {
    return until(async () => {
      const { streams } = await this.manager();
      const { state } = await streams.info(this.names.work);
      const found = new Map<number, string | null>(this.#done);
      for (let seq = 1; seq <= state.last_seq; seq++) {
        const message = found.has(seq) ? null : await streams.getMessage(this.names.work, { seq });
        if (message !== null)
          found.set(seq, isTombstone(message) ? null : (message.header.get(h.runId) ?? ""));
      }
      // Whoever takes jobs off the queue does so through this scene.
      expect(found.size).toBe(state.last_seq);
      const inOrder = [...found].sort(([a], [b]) => a - b);
      return inOrder.flatMap(([, runId]) => (runId === null ? [] : [runId]));
    });
  }

  /** Resolves when WORK stored the run. */
  firedOnce(runId: string): Promise<void> {
    return until(async () => expect(await this.stored()).toContain(runId));
  }

  /** What RUNS was told of slots that were not fired. */
  async told(): Promise<Told[]> {
    const { streams } = await this.manager();
    const found: Told[] = [];
    for (let seq = 1; ; ) {
      const query = { seq, next_by_subj: this.names.allRunEvents };
      const message = await streams.getMessage(this.names.runs, query);
      if (message === null) return found;
      const [, , runId = "", type = ""] = message.subject.split(".");
      const { reason, count } = message.json<{ reason: string; count: number }>();
      found.push({ runId, type, reason, count });
      seq = message.seq + 1;
    }
  }

  /**
   * Does one job: takes it off the queue, acknowledges it, and hears that the server has removed it.
   *
   * @param tells as a worker of the SDK does, RUNS before the server
   */
  async doOne({ tells = false } = {}): Promise<string> {
    const js = jetstream(this.#observer.connection);
    const consumer = await js.consumers.get(this.names.work, this.names.consumer("default"));
    const message = await consumer.next({ expires: 10_000 });
    if (message === null) throw new Error("the queue is empty");
    const runId = message.headers?.get(h.runId) ?? "";
    this.#done.set(message.seq, runId);
    if (tells) await this.ports.runs.append({ runId, type: "succeeded", msgId: `${runId}/done`, data: {} });
    await message.ackAck();
    return runId;
  }

  /** A worker that does everything at once, so that no subject stays taken. */
  async employ(): Promise<void> {
    const worker = await this.ports.source.consume("default", {
      concurrency: 100,
      onDelivery: (delivery) => {
        this.#done.set(delivery.seq, delivery.headers[h.runId] ?? "");
        delivery.ack();
      },
    });
    onTestFinished(() => worker.stop());
  }

  /** Puts a job of some run on a schedule's subject, past every orchestrator. */
  async occupy(id: string, runId: string): Promise<void> {
    const message: WorkMessage = {
      subject: this.names.fire("default", id, "1"),
      msgId: msgIdOf(runId, 999),
      headers: { [h.runId]: runId },
      body: new Uint8Array(),
    };
    expect(await this.ports.work.publish(message)).toMatchObject({ kind: "stored" });
  }

  /** Runs that the slot records tell of, in their order. */
  async firedSlots(): Promise<string[]> {
    const { fired } = await this.ports.runs.slotsAfter(0, 0);
    return fired.map(({ scheduleId, slot }) => runIdOf(scheduleId, slot));
  }

  async limitQueue(messages: number): Promise<void> {
    await (await this.manager()).streams.update(this.names.work, { max_msgs: messages });
  }
}
