/** The benchmark's end of a job system's program. */
import { type ChildProcess, execFileSync, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Calls } from "./arm.js";

/** As in deploy/Dockerfile, for every system alike. */
const NODE_OPTIONS = ["--min-semi-space-size=64", "--max-semi-space-size=64"];
const ANSWER_WITHIN_MS = 120_000;

interface Waiter {
  resolve(result: unknown): void;
  reject(error: Error): void;
}

export class Program {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, Waiter>();
  #next = 1;

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.on("message", (message: { id: number; result?: unknown; error?: string }) => {
      const waiter = this.#waiting.get(message.id);
      this.#waiting.delete(message.id);
      if (message.error === undefined) waiter?.resolve(message.result);
      else waiter?.reject(new Error(message.error));
    });
    child.once("exit", (code) => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`the program ended (${code})`));
    });
  }

  /**
   * Resolves when it can be called.
   *
   * @param path of the program, seen from this file
   */
  static async start(path: string, args: readonly string[]): Promise<Program> {
    const file = fileURLToPath(new URL(path, import.meta.url));
    const execArgv = [...NODE_OPTIONS, ...profile(), "--import", "tsx"];
    const child = fork(file, args, { execArgv, stdio: ["ignore", "ignore", "inherit", "ipc"] });
    const program = new Program(child);
    const ended = once(child, "exit").then(() => Promise.reject(new Error(`${path} ended at once`)));
    await Promise.race([once(child, "message"), ended]);
    ended.catch(() => {});
    return program;
  }

  call<Name extends keyof Calls>(
    call: Name,
    args: Parameters<Calls[Name]>[0],
    withinMs = ANSWER_WITHIN_MS,
  ): Promise<Awaited<ReturnType<Calls[Name]>>> {
    const id = this.#next++;
    let timer: NodeJS.Timeout | undefined;
    const answer = new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      const late = () => reject(new Error(`no answer to ${call} within ${withinMs} ms`));
      timer = setTimeout(late, withinMs);
    }).finally(() => clearTimeout(timer));
    this.#child.send({ id, call, args });
    return answer as Promise<Awaited<ReturnType<Calls[Name]>>>;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, "exit");
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), 10_000);
    this.#child.send({ id: 0, call: "close" });
    await ended;
    clearTimeout(timer);
  }
}

/** For whoever wants to know where the time goes. */
function profile(): string[] {
  const dir = process.env.BENCH_CPU_PROF;
  return dir === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${dir}`];
}

/** Memory that a process holds, in MiB. */
export function residentMiB(pid: number): number {
  return Math.round(Number(execFileSync("ps", ["-o", "rss=", "-p", String(pid)]).toString()) / 1024);
}
