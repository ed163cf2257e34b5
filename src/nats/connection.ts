/** Opening a connection: how to reach the server, who we are, and what a refusal means. */
import { readFile } from "node:fs/promises";
import {
  type Authenticator,
  connect,
  credsAuthenticator,
  type NatsConnection,
  type NodeConnectionOptions,
  nkeyAuthenticator,
} from "@nats-io/transport-node";
import { messageOf, PunctualError } from "../core/errors.js";

/** Where the server is and how to sign in. At most one of the ways of signing in is needed. */
export interface ServerOptions {
  /** One or more URLs. Default `nats://127.0.0.1:4222`. */
  servers?: string | readonly string[] | undefined;
  /** Path of a credentials file. */
  creds?: string | undefined;
  /** Path of a file with an nkey seed. */
  nkey?: string | undefined;
  user?: string | undefined;
  password?: string | undefined;
  token?: string | undefined;
  /** Paths of PEM files; an empty object: TLS with the system's authorities. */
  tls?: { ca?: string | undefined; cert?: string | undefined; key?: string | undefined } | undefined;
  /** Shown in the server's list of connections. Default `punctual`. */
  name?: string | undefined;
}

export const DEFAULT_SERVER = "nats://127.0.0.1:4222";

/** Whether a connection comes back by itself. One that does not is a lifetime: when it ends, so does all that was
 * checked on it. */
export type Lifetime = "reconnects for ever" | "ends with the connection";

/** Opens a connection or throws: `unavailable` when nobody answers, `denied` when the server refuses us. */
export async function openConnection(options: ServerOptions, lifetime: Lifetime): Promise<NatsConnection> {
  const servers = serverList(options.servers);
  const settings: NodeConnectionOptions = {
    servers,
    name: options.name ?? "punctual",
    noAsyncTraces: true,
    timeout: 5_000,
    pingInterval: 10_000,
    reconnect: lifetime === "reconnects for ever",
    maxReconnectAttempts: -1,
    reconnectTimeWait: 250,
    ...(await signIn(options)),
  };
  try {
    return await connect(settings);
  } catch (cause) {
    throw refusal(cause, servers);
  }
}

function serverList(servers: ServerOptions["servers"]): string[] {
  const list =
    typeof servers === "string" ? servers.split(",").map((server) => server.trim()) : [...(servers ?? [])];
  const given = list.filter((server) => server !== "");
  return given.length === 0 ? [DEFAULT_SERVER] : given;
}

async function signIn(options: ServerOptions): Promise<Partial<NodeConnectionOptions>> {
  const authenticator: Authenticator[] = [];
  if (options.creds !== undefined)
    authenticator.push(credsAuthenticator(await secret(options.creds, "creds")));
  if (options.nkey !== undefined) {
    const seed = new TextDecoder().decode(await secret(options.nkey, "nkey")).trim();
    authenticator.push(nkeyAuthenticator(new TextEncoder().encode(seed)));
  }
  const { ca, cert, key } = options.tls ?? {};
  return {
    ...(authenticator.length > 0 && { authenticator }),
    ...(options.user !== undefined && { user: options.user }),
    ...(options.password !== undefined && { pass: options.password }),
    ...(options.token !== undefined && { token: options.token }),
    ...(options.tls !== undefined && {
      tls: { ...(ca && { caFile: ca }), ...(cert && { certFile: cert }), ...(key && { keyFile: key }) },
    }),
  };
}

async function secret(path: string, field: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new PunctualError("invalid", `${field}: cannot read ${path} (${messageOf(cause)})`, {
      issues: [{ path: field, message: `expected a readable file, got ${path}` }],
      cause,
    });
  }
}

function refusal(cause: unknown, servers: readonly string[]): PunctualError {
  const text = messageOf(cause);
  const where = servers.map(withoutSecrets).join(", ");
  if (/authorization|authentication|permissions|nkey|jwt/i.test(text)) {
    return new PunctualError("denied", `${where}: the server refused the credentials (${text})`, { cause });
  }
  return new PunctualError(
    "unavailable",
    `${where}: no NATS server answers (${text}); is it running, and is --server right?`,
    { cause },
  );
}

function withoutSecrets(server: string): string {
  return server.replace(/\/\/[^@/]*@/, "//");
}
