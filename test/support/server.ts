/** A real nats-server for a test file, and a namespace of its own for each test. */
import { jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { openConnection } from "../../src/nats/connection.js";
import type { Names } from "../../src/protocol/names.js";
import { type EmbeddedServer, startEmbeddedServer } from "../../src/runtime/embedded/server.js";

/** `NATS_SERVER_BIN` chooses the binary. Start it in `beforeAll`, stop it in `afterAll`. */
export class TestServer {
  readonly server: EmbeddedServer;
  readonly #connections: NatsConnection[] = [];

  private constructor(server: EmbeddedServer) {
    this.server = server;
  }

  static async start(): Promise<TestServer> {
    return new TestServer(await startEmbeddedServer());
  }

  connect(): Promise<NatsConnection> {
    return this.#kept(openConnection({ servers: this.server.url }, "ends with the connection"));
  }

  async stop(): Promise<void> {
    await Promise.all(this.#connections.map((connection) => connection.close()));
    await this.server.stop();
  }

  async #kept(opening: Promise<NatsConnection>): Promise<NatsConnection> {
    const connection = await opening;
    this.#connections.push(connection);
    return connection;
  }
}

let namespaces = 0;

/** Everything on the server carries it, so tests do not meet. */
export function freshNamespace(): string {
  return `t${process.pid}-${++namespaces}`;
}

/** Frees what the streams of a namespace have reserved on the server's disk. */
export async function removeNamespace(connection: NatsConnection, names: Names): Promise<void> {
  const jsm = await jetstreamManager(connection);
  const buckets = [names.schedules, names.leases, names.members, names.backfills].map(({ stream }) => stream);
  const streams = [names.work, names.intake, names.runs, names.dead, ...buckets];
  await Promise.all(streams.map((stream) => jsm.streams.delete(stream)));
}
