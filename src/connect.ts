/** The composition root: the only place that knows every part. */
import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { z } from "zod";
import { Client } from "./client/client.js";
import type { LeaseHint, Member, Subscription } from "./core/ports.js";
import { silentTelemetry } from "./core/telemetry.js";
import type { Metrics } from "./http/metrics.js";
import { type HttpAddress, Observatory } from "./http/observatory.js";
import { openConnection, type ServerOptions } from "./nats/connection.js";
import { type NatsPorts, openPorts } from "./nats/open.js";
import { managerOf } from "./nats/reads.js";
import { checkServer } from "./nats/server-check.js";
import { type OrchestratorOptions, orchestratorOptions } from "./orchestrator/options.js";
import { type Lifetime, Orchestrator } from "./orchestrator/orchestrator.js";
import { limits } from "./protocol/limits.js";
import { ALERT_QUEUE, namesOf } from "./protocol/names.js";
import { parseWith } from "./protocol/parse.js";
import { systemClock } from "./runtime/clock.js";
import { type Logger, silentLogger } from "./runtime/log.js";
import { OtelTracing } from "./tracing/otel.js";
import { version } from "./version.js";
import type { BatchHandler } from "./worker/batches.js";
import type { Handler } from "./worker/context.js";
import { LongWaits } from "./worker/long-waits.js";
import type { BatchOptions, WorkerOptions } from "./worker/options.js";
import { startBatchWorker, startWorker } from "./worker/start.js";
import { ALERT_ATTEMPTS, WebhookCourier } from "./worker/webhooks/courier.js";
import { webhookHandler } from "./worker/webhooks/handler.js";
import { type AlertOptions, type Webhook, webhooksOf } from "./worker/webhooks/options.js";
import type { Worker, WorkerPorts } from "./worker/worker.js";

/** How to reach a namespace. */
export interface ConnectOptions extends ServerOptions {
  /** Everything of Punctual on the server carries this name. Default `punctual`. */
  namespace?: string | undefined;
  /** Copies of every stream that has to be made: 1, 3 or 5. Default 1. */
  replicas?: number | undefined;
  /** Shards of the namespace if it has to be made, 1 to 1,024; fixed from then on. Default 16. */
  shards?: number | undefined;
  /** Whether to make what is missing on the server; if not, a missing namespace is `unavailable`. Default true. */
  create?: boolean | undefined;
  /** Who changes schedules here, for their history. Default: nobody is named. */
  author?: string | undefined;
  /** Where log lines go. Default: nowhere. */
  log?: Logger | undefined;
}

const numbers = z.object({
  replicas: z.union([z.literal(1), z.literal(3), z.literal(5)], { error: "expected 1, 3 or 5" }).default(1),
  shards: z.int().min(limits.minShards).max(limits.maxShards).optional(),
});

/**
 * Connects to a namespace and makes what is missing there. The connection comes back by itself for ever.
 *
 * @throws invalid, denied, unavailable, unsupported (the server is too old or has no JetStream), conflict (a
 *   stream of that name exists with other settings)
 */
export async function connect(options: ConnectOptions = {}): Promise<Punctual> {
  const names = namesOf(options.namespace ?? "punctual");
  const { replicas, shards } = parseWith(
    numbers,
    { replicas: options.replicas, shards: options.shards },
    "options",
  );
  const create = options.create ?? true;
  const tracing = new OtelTracing(version);
  const open = async (lifetime: Parameters<typeof openConnection>[1]) => {
    const connection = await openConnection(options, lifetime);
    try {
      const ports = await openPorts(connection, {
        names,
        clock: systemClock,
        replicas,
        shards,
        version,
        create,
      });
      return { connection, ports: { ...ports, tracing } };
    } catch (error) {
      await connection.close();
      throw error;
    }
  };
  const { connection, ports } = await open("reconnects for ever");
  const openLifetime = async (metrics: Metrics | undefined): Promise<Lifetime> => {
    const own = await open("ends with the connection");
    const unwatch = metrics?.watchWindow(own.ports.window);
    return {
      ports: { ...own.ports, log, newNonce, telemetry: metrics ?? silentTelemetry },
      ended: own.connection.closed().then(unwatch),
      close: () => own.connection.close(),
    };
  };
  const log = options.log ?? silentLogger;
  return new Punctual({
    ports,
    log,
    author: options.author,
    openLifetime,
    close: () => connection.drain().catch(() => {}),
  });
}

const newNonce = (): string => randomBytes(9).toString("hex");

interface PunctualDeps {
  ports: NatsPorts;
  log: Logger;
  author: string | undefined;
  openLifetime(metrics: Metrics | undefined): Promise<Lifetime>;
  close(): Promise<void>;
}

/** A server that answers, may be used and has JetStream. */
export interface Health {
  server: string;
  version: string;
}

/**
 * Asks the server, whatever namespaces it holds, and makes nothing.
 *
 * @throws what `connect` throws
 */
export async function checkHealth(options: ServerOptions = {}): Promise<Health> {
  const connection = await openConnection(options, "ends with the connection");
  try {
    const { name, version } = await checkServer(connection, await managerOf(connection));
    return { server: name, version };
  } finally {
    await connection.close();
  }
}

/** Where the metrics and the health of this process can be read; until `close`. Default: nowhere. */
interface HttpOption {
  http?: HttpAddress | undefined;
}

export type OrchestrateOptions = OrchestratorOptions & HttpOption & { alerts?: AlertOptions | undefined };
export type WorkOptions<T = unknown> = WorkerOptions<T> & HttpOption;
export type BatchWorkOptions<T = unknown> = BatchOptions<T> & HttpOption;

const NO_CONNECTION = "has no connection";

/** A namespace that we are connected to. */
export class Punctual {
  /** Schedules and enqueueing. */
  readonly client: Client;
  readonly #deps: PunctualDeps;
  /** There from the first time that somebody wants to look. */
  #observatory: Observatory | undefined;
  #urls: readonly string[] = [];

  /** Use `connect`. */
  constructor(deps: PunctualDeps) {
    this.#deps = deps;
    this.client = new Client(deps.ports, { author: deps.author });
  }

  /** Runs an orchestrator in this process, on connections of its own. Resolves when it is up. */
  async orchestrate({ http, alerts, ...options }: OrchestrateOptions = {}): Promise<Orchestrator> {
    const { log, openLifetime } = this.#deps;
    const settings = parseWith(orchestratorOptions, options, "orchestrator options");
    const webhooks = webhooksOf(alerts);
    const newMember = () => memberOf("orchestrator", settings.id);
    const observatory = await this.#observe(http);
    const open = async (): Promise<Lifetime> => {
      const lifetime = await openLifetime(observatory?.metrics);
      const courier = webhooks.length === 0 ? undefined : new WebhookCourier(lifetime.ports, webhooks);
      return { ...lifetime, ports: { ...lifetime.ports, courier } };
    };
    const alongside = await this.#deliver(webhooks);
    const orchestrator = new Orchestrator({ clock: systemClock, log, settings, open, newMember, alongside });
    observatory?.health.add("orchestrator", orchestrator);
    observatory?.metrics.watchShards(orchestrator);
    try {
      return await orchestrator.start();
    } catch (error) {
      await alongside?.stop();
      throw error;
    }
  }

  /** Works the queue of alerts, where there is somebody to be called. */
  async #deliver(webhooks: readonly Webhook[]): Promise<Worker | undefined> {
    if (webhooks.length === 0) return undefined;
    const handler = webhookHandler(webhooks, systemClock);
    await this.#deps.ports.queues.ensure(ALERT_QUEUE, { maxAttempts: ALERT_ATTEMPTS });
    return this.#start(ALERT_QUEUE, undefined, (ports) =>
      startWorker(ports, ALERT_QUEUE, { concurrency: 10 }, handler),
    );
  }

  /**
   * Works a queue: calls `handler` for each job until stopped. Resolves when the pull has begun.
   *
   * @throws invalid for wrong options
   */
  work<T>(queue: string, options: WorkOptions<T>, handler: Handler<T>): Promise<Worker>;
  /** The handler is the default export of a module, and runs in threads: for work that computes for long. */
  work<T>(queue: string, options: WorkOptions<T>, module: URL): Promise<Worker>;
  async work<T>(
    queue: string,
    { http, ...options }: WorkOptions<T>,
    handler: Handler<T> | URL,
  ): Promise<Worker> {
    return this.#start(queue, http, (ports) => startWorker(ports, queue, options, handler));
  }

  async #start(
    queue: string,
    http: HttpAddress | undefined,
    start: (ports: WorkerPorts) => Promise<Worker>,
  ): Promise<Worker> {
    const { ports, log } = this.#deps;
    const observatory = await this.#observe(http);
    const telemetry = observatory?.metrics ?? silentTelemetry;
    const worker = await start({
      ...ports,
      members: ports.membership,
      longWaits: new LongWaits(ports),
      telemetry,
      log,
    });
    const problem = () => (ports.isConnected() ? worker.problem : NO_CONNECTION);
    observatory?.health.add(`worker of ${queue}`, {
      get problem() {
        return problem();
      },
      get isOver() {
        return worker.isOver;
      },
    });
    return worker;
  }

  /** Where metrics and health of what runs here can be read, by the options `http` that were given. */
  get httpUrls(): readonly string[] {
    return this.#urls;
  }

  /**
   * Works a queue in batches: calls `handler` with up to `size` jobs at once. Each of them is acknowledged, tried again
   * or buried by itself, as `handler` says of it.
   *
   * @throws invalid for wrong options
   */
  async workBatch<T>(
    queue: string,
    { http, ...options }: BatchWorkOptions<T>,
    handler: BatchHandler<T>,
  ): Promise<Worker> {
    return this.#start(queue, http, (ports) => startBatchWorker(ports, queue, options, handler));
  }

  /** The orchestrators and workers that are alive. */
  members(): Promise<Member[]> {
    return this.#deps.ports.membership.list();
  }

  /** Calls back with who holds each shard, now and at every change of its record. */
  watchShards(onChange: (shard: LeaseHint) => void): Promise<Subscription> {
    return this.#deps.ports.leases.watch(onChange);
  }

  /** Closes the connection. Stop workers and orchestrators first. */
  async close(): Promise<void> {
    await this.#observatory?.stop();
    await this.#deps.close();
  }

  async #observe(http: HttpAddress | undefined): Promise<Observatory | undefined> {
    if (http === undefined) return this.#observatory;
    this.#observatory ??= new Observatory(version);
    this.#urls = [...new Set([...this.#urls, await this.#observatory.serve(http)])];
    return this.#observatory;
  }
}

function memberOf(role: Member["role"], name = hostname()): Member {
  const prefix =
    name
      .replace(/[^A-Za-z0-9_-]/g, "-")
      .replace(/^-+/, "")
      .slice(0, 40) || "member";
  const id = `${prefix}-${newNonce().slice(0, 8)}`;
  return { role, id, host: hostname(), pid: process.pid, startedAt: systemClock.now() };
}
