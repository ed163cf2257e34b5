/**
 * The embedded server: a real nats-server on loopback, started and ended by this process, for programs that were
 * given none.
 */
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { invalid, PunctualError } from "../../core/errors.js";
import { findBinary } from "./binary.js";
import { type ExitStatus, type ServerProcess, spawnServer, waitUntilReady } from "./child.js";
import { canSyncAlways, configPath, configText, portsFolder } from "./config.js";
import {
  closeDataFolder,
  type DataFolder,
  openDataFolder,
  recordHolder,
  removeTemporaryNow,
} from "./data-folder.js";
import { endWithProcess } from "./guard.js";
import { type Binary, inspect } from "./locate.js";

export type { ExitStatus } from "./child.js";

const STOP_GRACE_MS = 10_000;

export interface EmbeddedServerOptions {
  /** Where data is kept. Default: a temporary folder that is removed at the end. */
  dataDir?: string | undefined;
  /** Default 0: any free port. */
  port?: number | undefined;
  /** Path of the nats-server. Default: what `findBinary` finds or installs. */
  binary?: string | undefined;
  /**
   * Sync every write to disk before it is acknowledged, so that a power failure loses nothing. Servers before
   * 2.10 cannot; `EmbeddedServer.syncAlways` tells. Default false: synced every two minutes.
   */
  syncAlways?: boolean | undefined;
  /** Where the server's log is appended. Default: `nats-server.log` in the data folder. */
  logFile?: string | undefined;
  /** Told what takes long, as an installation does. Default: nobody. */
  onProgress?: ((text: string) => void) | undefined;
  /** More lines for the server's configuration file. */
  extraConfig?: string | undefined;
  /** How long a start may take, the recovery of stored data included. Default 60 000. */
  readyTimeoutMs?: number | undefined;
}

export interface EmbeddedServer {
  /** As in `nats://127.0.0.1:4222`. */
  readonly url: string;
  readonly port: number;
  /** Of the process that runs now or ran last. */
  readonly pid: number;
  readonly dataDir: string;
  /** Path of the nats-server. */
  readonly binary: string;
  /** As in `2.9.10`. */
  readonly version: string;
  /** Whether every write is synced to disk before it is acknowledged. */
  readonly syncAlways: boolean;
  /** Resolves when the process that runs now has ended, for whatever reason; never rejects. */
  readonly exited: Promise<ExitStatus>;
  /** Ends the server in good order and removes a temporary data folder. May be called again. */
  stop(): Promise<void>;
  /** Sends the process a signal; false when it has ended already. The data stays. */
  kill(signal: NodeJS.Signals): boolean;
  /** Starts the server again on the same port and data; ends it in good order first if it runs. */
  restart(): Promise<void>;
}

/**
 * Starts a server and waits until it is ready, JetStream included. It ends with this process.
 *
 * Throws `invalid` (a binary or port that cannot be used), `unavailable` (no binary to be had, or the server
 * ended at once: the message has its last words), `conflict` (the data folder is in use), `timeout`.
 */
export async function startEmbeddedServer(options: EmbeddedServerOptions = {}): Promise<EmbeddedServer> {
  const port = options.port ?? 0;
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw invalid("port", `expected a whole number from 0 to 65535, got ${port}`);
  }
  const binary = await resolveBinary(options);
  const folder = await openDataFolder(options.dataDir);
  const server = new RunningServer(binary, folder, port, options);
  try {
    await server.launch();
  } catch (error) {
    await server.stop();
    throw error;
  }
  return server;
}

async function resolveBinary(options: EmbeddedServerOptions): Promise<Binary> {
  if (options.binary === undefined) return findBinary({ onProgress: options.onProgress });
  const found = await inspect(options.binary);
  if ("binary" in found) return found.binary;
  throw invalid("binary", `expected a nats-server, got ${options.binary}: ${found.refused}`);
}

class RunningServer implements EmbeddedServer {
  readonly dataDir: string;
  readonly binary: string;
  readonly version: string;
  readonly syncAlways: boolean;
  readonly #folder: DataFolder;
  readonly #options: EmbeddedServerOptions;
  #port: number;
  #process: ServerProcess | undefined;
  #running = false;
  #turn: Promise<unknown> = Promise.resolve();
  #stopping: Promise<void> | undefined;
  #forget: (() => void) | undefined;

  constructor(binary: Binary, folder: DataFolder, port: number, options: EmbeddedServerOptions) {
    this.dataDir = folder.path;
    this.binary = binary.path;
    this.version = binary.version;
    this.syncAlways = options.syncAlways === true && canSyncAlways(binary.version);
    if (options.syncAlways === true && !this.syncAlways) {
      options.onProgress?.(
        `nats-server ${binary.version} cannot sync every write to disk; 2.10 and newer can`,
      );
    }
    this.#folder = folder;
    this.#options = options;
    this.#port = port;
  }

  get url(): string {
    return `nats://127.0.0.1:${this.#port}`;
  }

  get port(): number {
    return this.#port;
  }

  get pid(): number {
    return this.#launched().pid;
  }

  get exited(): Promise<ExitStatus> {
    return this.#launched().exited;
  }

  async launch(): Promise<void> {
    this.#forget ??= endWithProcess(() => this.#endNow());
    const ports = portsFolder(this.dataDir);
    await rm(ports, { recursive: true, force: true });
    await mkdir(ports);
    await writeFile(configPath(this.dataDir), this.#configText());
    const logFile = this.#options.logFile ?? join(this.dataDir, "nats-server.log");
    const child = await spawnServer(this.binary, configPath(this.dataDir), logFile);
    this.#process = child;
    this.#running = true;
    void child.exited.then(() => {
      if (this.#process === child) this.#running = false;
    });
    recordHolder(this.#folder, child.pid);
    const ready = await waitUntilReady(child, ports, this.#options.readyTimeoutMs ?? 60_000);
    this.#port = ready.port;
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#inTurn(async () => {
      await this.#end();
      this.#forget?.();
      await closeDataFolder(this.#folder);
    });
    return this.#stopping;
  }

  kill(signal: NodeJS.Signals): boolean {
    return this.#running && this.#launched().kill(signal);
  }

  async restart(): Promise<void> {
    if (this.#stopping !== undefined) {
      throw new PunctualError("conflict", "the embedded server was stopped; start a new one");
    }
    await this.#inTurn(async () => {
      await this.#end();
      await this.launch();
    });
  }

  /** One at a time: a stop waits for a restart under way. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => {});
    return done;
  }

  #configText(): string {
    return configText({
      dataDir: this.dataDir,
      port: this.#port,
      syncAlways: this.syncAlways,
      extra: this.#options.extraConfig ?? "",
    });
  }

  #launched(): ServerProcess {
    if (this.#process === undefined)
      throw new PunctualError("internal", "the embedded server was never started");
    return this.#process;
  }

  async #end(): Promise<void> {
    if (!this.#running) return;
    const { exited } = this.#launched();
    this.kill("SIGTERM");
    // A server that was suspended takes no other signal.
    this.kill("SIGCONT");
    const done = new AbortController();
    const tooLong = delay(STOP_GRACE_MS, undefined, { signal: done.signal }).then(() => this.kill("SIGKILL"));
    tooLong.catch(() => {}); // stopped in time
    await exited;
    done.abort();
  }

  /** The process is exiting: no time to wait. */
  #endNow(): void {
    if (this.#folder.temporary) {
      this.kill("SIGKILL");
      removeTemporaryNow(this.#folder);
    } else {
      this.kill("SIGTERM");
      this.kill("SIGCONT");
    }
  }
}
