/** What the command line needs of the rest of Punctual; `parts.ts` brings the real things. */
import type { Client } from "../client/client.js";
import type { Logger } from "../runtime/log.js";

export interface ConnectOptions {
  servers?: string | string[];
  creds?: string;
  nkey?: string;
  user?: string;
  password?: string;
  token?: string;
  tls?: { ca?: string; cert?: string; key?: string };
  namespace?: string;
  replicas?: number;
  shards?: number;
  create?: boolean;
  name?: string;
  author?: string;
  log?: Logger;
}

export interface Running {
  /** Finishes what was begun. */
  stop(): Promise<void>;
}

export interface Health {
  server: string;
  version: string;
}

/** A handler as the command line sees it: something to hand on. */
export type Handler = (...args: never[]) => unknown;

/** Where to serve metrics and health: a port, or `host:port`. */
export interface HttpOption {
  http?: string;
}

/** Whom an orchestrator calls about alerts. */
export interface AlertsOption {
  alerts?: { webhooks: { url: string; secret?: string }[] };
}

export interface WorkOptions extends HttpOption {
  concurrency: number;
  drainTimeoutMs?: number;
  labels?: Record<string, string>;
}

/** A connection and what can be done with it. */
export interface Punctual {
  readonly client: Client;
  orchestrate(options?: HttpOption & AlertsOption): Promise<Running & { readonly id: string }>;
  work(queue: string, options: WorkOptions, handler: Handler): Promise<Running>;
  /** Where metrics and health can be read. */
  readonly httpUrls: readonly string[];
  close(): Promise<void>;
}

export interface DevServer extends Running {
  readonly url: string;
  /** Resolves when the server has ended, for whatever reason. */
  readonly exited: Promise<unknown>;
}

export interface HttpOptions {
  /** Hosts that jobs may call. Default: every host. */
  allowHosts?: string[];
}

export interface ExecOptions {
  /** Programs a job may name. */
  allow: string[];
  /** Whether a job may be a line for the shell, as those of a crontab are. */
  allowShell: boolean;
}

/** Loaded when a command needs them, so that `punctual --help` loads none. */
export interface Parts {
  connect(options: ConnectOptions): Promise<Punctual>;
  checkHealth(options: ConnectOptions): Promise<Health>;
  startServer(options: { dataDir: string; port: number; onProgress(text: string): void }): Promise<DevServer>;
  httpHandler(options: HttpOptions): Promise<Handler>;
  execHandler(options: ExecOptions): Promise<Handler>;
  /** Resolves to the exit status. */
  runDemo(options: { forMs: number; json: boolean }): Promise<number>;
}

export interface TextSink {
  write(text: string): unknown;
}

/** The process around a command. */
export interface CliContext {
  readonly parts: Parts;
  readonly stdout: TextSink;
  readonly stderr: TextSink;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Who is at the keyboard, as `anna@build-7`. */
  readonly user: string;
  /** The lines of a file; `-` is the standard input. */
  readLines(path: string): AsyncIterable<string>;
  /** A whole file; `-` is the standard input. Throws `invalid` when it cannot be read. */
  readText(path: string): Promise<string>;
  /** Resolves when somebody asks the process to end. Asked again, it ends at once. */
  untilStopped(): Promise<void>;
}
