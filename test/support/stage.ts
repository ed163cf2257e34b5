/** A namespace of its own on a real server, with an orchestrator, as a program sees it; and what lies in its streams. */
import {
  type JetStreamClient,
  type JetStreamManager,
  jetstream,
  jetstreamManager,
  type StoredMsg,
} from "@nats-io/jetstream";
import { Kvm } from "@nats-io/kv";
import { connect as connectRaw, type NatsConnection } from "@nats-io/transport-node";
import { afterAll, beforeAll, expect, onTestFinished } from "vitest";
import { type ConnectOptions, connect, type Punctual } from "../../src/connect.js";
import type { ErrorCode, PunctualError } from "../../src/core/errors.js";
import type { QueueRequest } from "../../src/core/queue.js";
import { ConsumerInfos } from "../../src/nats/consumer-infos.js";
import { Publisher } from "../../src/nats/publisher.js";
import { NatsQueueConsumers } from "../../src/nats/queue-consumers.js";
import { NatsQueueStore } from "../../src/nats/queues.js";
import { isMissing } from "../../src/nats/refusal.js";
import { type Names, namesOf } from "../../src/protocol/names.js";
import { systemClock } from "../../src/runtime/clock.js";
import {
  type EmbeddedServer,
  type EmbeddedServerOptions,
  startEmbeddedServer,
} from "../../src/runtime/embedded/server.js";
import type { Handler, JobContext } from "../../src/worker/context.js";
import type { WorkerOptions } from "../../src/worker/options.js";
import type { Worker } from "../../src/worker/worker.js";
import { isTombstone } from "./faults.js";
import { until } from "./scene.js";

/** A server for all tests of a file. */
export function serverOf(options: EmbeddedServerOptions = {}): () => EmbeddedServer {
  let server: EmbeddedServer | undefined;
  beforeAll(async () => {
    server = await startEmbeddedServer(options);
  });
  afterAll(() => server?.stop());
  return () => server as EmbeddedServer;
}

let stages = 0;

export const freshNamespace = (): string => `stage-${process.pid}-${stages++}`;

/** What a handler is expected to see of one attempt; the job itself stays at hand. */
export interface Attempted {
  job: JobContext;
  attempt: number;
  runId: string;
  at: number;
}

export class Stage {
  readonly server: EmbeddedServer;
  readonly names: Names;
  readonly punctual: Punctual;
  /** A plain connection, to look at things and to do what a program in another language would. */
  readonly raw: NatsConnection;
  readonly js: JetStreamClient;
  readonly jsm: JetStreamManager;

  private constructor(server: EmbeddedServer, names: Names, punctual: Punctual, raw: Raw) {
    this.server = server;
    this.names = names;
    this.punctual = punctual;
    this.raw = raw.connection;
    this.js = raw.js;
    this.jsm = raw.jsm;
  }

  static async open(server: EmbeddedServer, options: ConnectOptions = {}): Promise<Stage> {
    const namespace = options.namespace ?? freshNamespace();
    const raw = await openRaw(server);
    const punctual = await connected({ servers: server.url, namespace, shards: 2, ...options });
    return new Stage(server, namesOf(namespace), punctual, raw);
  }

  /** Makes a queue, with these settings. */
  async ensureQueue(queue: string, asked: QueueRequest = {}): Promise<void> {
    const { jsm, names, raw } = this;
    const bucket = await new Kvm(raw).open(names.queues.bucket);
    const publisher = new Publisher(raw, systemClock);
    const consumers = new NatsQueueConsumers(
      raw,
      jsm,
      new ConsumerInfos(raw, jsm, names.work, systemClock),
      names,
    );
    await new NatsQueueStore({ jsm, names, bucket, publisher, consumers }).ensure(queue, asked);
  }

  /** With an orchestrator. */
  static async orchestrated(server: EmbeddedServer, options: ConnectOptions = {}): Promise<Stage> {
    const stage = await Stage.open(server, options);
    const orchestrator = await stage.punctual.orchestrate();
    onTestFinished(() => orchestrator.stop());
    await until(() => expect(orchestrator.held).toHaveLength(2));
    return stage;
  }

  get client() {
    return this.punctual.client;
  }

  /** A worker that is stopped at the end of the test. */
  async work<T>(queue: string, options: WorkerOptions<T>, handler: Handler<T>): Promise<Worker> {
    const worker = await this.punctual.work(
      queue,
      { abortGraceMs: 100, drainTimeoutMs: 0, ...options },
      handler,
    );
    onTestFinished(() => worker.stop());
    return worker;
  }

  /** A worker that notes its attempts; `act` is what it does in each. */
  async attempts(queue: string, act: (job: JobContext) => unknown = () => {}): Promise<Attempted[]> {
    const seen: Attempted[] = [];
    await this.work(queue, {}, (job) => {
      seen.push({ job, attempt: job.attempt, runId: job.runId, at: performance.now() });
      return act(job);
    });
    return seen;
  }

  /** Messages of a stream in the order of storing, from a subject or from all. */
  async messages(stream: string, subject = ">"): Promise<StoredMsg[]> {
    const found: StoredMsg[] = [];
    for (let seq = 1; ; ) {
      const query = { seq, next_by_subj: subject };
      const message = await this.jsm.streams.getMessage(stream, query);
      if (message === null) return found;
      found.push(message);
      seq = message.seq + 1;
    }
  }

  /** Subjects of the jobs that are queued or running. */
  async inWork(): Promise<string[]> {
    const subjects = (await this.messages(this.names.work)).map(({ subject }) => subject);
    return subjects.filter((subject) => !isTombstone({ subject }));
  }

  /** Resolves when everything that was queued is done. */
  async workIsEmpty(): Promise<void> {
    await until(async () => expect(await this.inWork()).toEqual([]));
  }

  /** The events of all runs, oldest first. */
  async events(): Promise<{ runId: string; type: string; data: Record<string, unknown> }[]> {
    const stored = await this.messages(this.names.runs, this.names.allRunEvents);
    return stored.map((message) => {
      const [, , runId = "", type = ""] = message.subject.split(".");
      return { runId, type, data: message.json<Record<string, unknown>>() };
    });
  }

  /** Resolves with a run's first event of a type. */
  async event(type: string, runId?: string): Promise<Record<string, unknown>> {
    return until(async () => {
      const events = await this.events();
      const found = events.find((event) => event.type === type && (runId ?? event.runId) === event.runId);
      expect(found, `${type} among ${events.map((event) => event.type)}`).toBeDefined();
      return (found as NonNullable<typeof found>).data;
    });
  }

  /** Resolves with the first dead letter of a queue. */
  async deadLetter(queue: string): Promise<{ body: string; header(name: string): string }> {
    return until(async () => {
      const [letter] = await this.messages(this.names.dead, this.names.deadLetter(queue));
      expect(letter).toBeDefined();
      const { header } = letter as StoredMsg;
      return { body: (letter as StoredMsg).string(), header: (name: string) => header.get(name) };
    });
  }

  deadCount = async (): Promise<number> => (await this.messages(this.names.dead)).length;

  /** The consumer of a queue, or null when there is none. */
  async consumer(queue: string) {
    try {
      return await this.jsm.consumers.info(this.names.work, this.names.consumer(queue));
    } catch (error) {
      if (isMissing(error)) return null;
      throw error;
    }
  }
}

interface Raw {
  connection: NatsConnection;
  js: JetStreamClient;
  jsm: JetStreamManager;
}

async function openRaw(server: EmbeddedServer): Promise<Raw> {
  const connection = await connectRaw({
    servers: server.url,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 100,
  });
  onTestFinished(() => connection.close());
  const js = jetstream(connection);
  return { connection, js, jsm: await jetstreamManager(connection) };
}

/** Connects, and closes at the end of the test. */
export async function connected(options: ConnectOptions): Promise<Punctual> {
  const punctual = await connect(options);
  onTestFinished(() => punctual.close());
  return punctual;
}

/** Resolves with the error that something is refused with. */
export async function refusal(attempt: Promise<unknown> | (() => unknown)): Promise<PunctualError> {
  try {
    await (typeof attempt === "function" ? attempt() : attempt);
  } catch (error) {
    return error as PunctualError;
  }
  throw new Error("expected a refusal");
}

/** Checks that something is refused with a code and a message. */
export async function expectRefusal(
  attempt: Promise<unknown> | (() => unknown),
  code: ErrorCode,
  message: RegExp,
): Promise<PunctualError> {
  const error = await refusal(attempt);
  expect(error).toMatchObject({ name: "PunctualError", code });
  expect(error.message).toMatch(message);
  return error;
}

/** Something that a test lets go on. */
export function latch(): { waited: Promise<void>; release(): void } {
  let release = () => {};
  const waited = new Promise<void>((resolve) => {
    release = resolve;
  });
  onTestFinished(() => release());
  return { waited, release: () => release() };
}
