/** Child processes: started, listened to, killed, and never left behind. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { PunctualError } from "../core/errors.js";

export interface FleetProcess {
  readonly pid: number;
  readonly name: string;
  kill(signal: NodeJS.Signals): void;
  /** Resolves when the process has ended. */
  readonly ended: Promise<void>;
}

export interface SpawnOptions {
  /** Called for each line of standard output; the first one means that the process is ready. */
  onLine(line: string): void;
}

const READY_WITHIN_MS = 30_000;
/** As in deploy/Dockerfile: a large nursery halves the time that a busy process spends on collecting garbage. */
const NODE_OPTIONS = ["--min-semi-space-size=64", "--max-semi-space-size=64"];

export class Fleet {
  readonly #children = new Set<ChildProcess>();
  readonly #onExit = () => this.killAll();

  constructor() {
    process.on("exit", this.#onExit);
  }

  /** Starts a Node program; resolves at its first line of output. */
  async spawn(name: string, args: readonly string[], options: SpawnOptions): Promise<FleetProcess> {
    const child = spawn(process.execPath, [...NODE_OPTIONS, ...args], { stdio: ["ignore", "pipe", "pipe"] });
    this.#children.add(child);
    const ended = once(child, "close").then(() => {
      this.#children.delete(child);
    });
    const errors: string[] = [];
    createInterface({ input: child.stderr }).on("line", (line) => {
      errors.push(line);
      if (errors.length > 20) errors.shift();
    });
    await this.#firstLine(name, child, ended, errors, options);
    return { pid: child.pid as number, name, kill: (signal) => child.kill(signal), ended };
  }

  /** Ends every process in good order, then not so. */
  async stop(withinMs = 10_000): Promise<void> {
    const children = [...this.#children];
    const ends = children.map((child) => once(child, "close"));
    for (const child of children) child.kill("SIGTERM");
    const timer = setTimeout(() => this.killAll(), withinMs);
    await Promise.all(ends);
    clearTimeout(timer);
    process.off("exit", this.#onExit);
  }

  killAll(): void {
    for (const child of this.#children) {
      child.kill("SIGCONT");
      child.kill("SIGKILL");
    }
  }

  async #firstLine(
    name: string,
    child: ChildProcess,
    ended: Promise<void>,
    errors: readonly string[],
    { onLine }: SpawnOptions,
  ): Promise<void> {
    const first = new Promise<void>((resolve) => {
      createInterface({ input: child.stdout as NodeJS.ReadableStream }).on("line", (line) => {
        resolve();
        onLine(line);
      });
    });
    const failed = (why: string) =>
      new PunctualError("internal", `${name} ${why}: ${errors.join(" ") || "no output"}`);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(failed("was not ready in time")), READY_WITHIN_MS);
    });
    const early = ended.then(() => Promise.reject(failed("ended at once")));
    try {
      await Promise.race([first, early, late]);
    } finally {
      clearTimeout(timer);
      early.catch(() => {});
    }
  }
}
