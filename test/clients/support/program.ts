/** A client as a process, and what it prints. */
import { type ChildProcess, spawn } from "node:child_process";
import { onTestFinished } from "vitest";
import type { CommandLine } from "./toolchain.js";

/** One line of a program's output, which is JSON. */
export type Line = Record<string, unknown>;

export class Program {
  readonly #command: CommandLine;
  readonly #env: Record<string, string>;

  constructor(command: CommandLine, env: Record<string, string>) {
    this.#command = command;
    this.#env = env;
  }

  /** Lets it run to its end, which has to be a good one. */
  async run(...args: string[]): Promise<Line[]> {
    const running = this.start(...args);
    await running.ended();
    return running.lines;
  }

  /** Likewise, for a program that does not print JSON. */
  async text(...args: string[]): Promise<string> {
    const running = this.start(...args);
    await running.ended();
    return running.text;
  }

  /** Killed at the end of the test, when it has not ended by itself. */
  start(...args: string[]): Running {
    const [command, ...first] = this.#command;
    const env = { ...process.env, ...this.#env };
    const running = new Running(
      spawn(command, [...first, ...args], { env, stdio: ["ignore", "pipe", "pipe"] }),
    );
    onTestFinished(() => running.kill());
    return running;
  }
}

export class Running {
  readonly #child: ChildProcess;
  readonly #closed: Promise<number | null>;
  #printed = "";
  #complaints = "";

  constructor(child: ChildProcess) {
    this.#child = child;
    child.stdout?.on("data", (piece: Buffer) => {
      this.#printed += piece;
    });
    child.stderr?.on("data", (piece: Buffer) => {
      this.#complaints += piece;
    });
    this.#closed = new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", resolve);
    });
  }

  /** What it has printed so far. */
  get text(): string {
    return this.#printed;
  }

  /** What it has said on stderr. */
  get complaints(): string {
    return this.#complaints;
  }

  /** The lines of what it has printed that are complete. */
  get lines(): Line[] {
    const complete = this.#printed.split("\n").slice(0, -1);
    return complete.map((line) => JSON.parse(line) as Line);
  }

  /** @throws what it said on stderr, when its exit status is not 0 */
  async ended(): Promise<void> {
    const status = await this.#closed;
    if (status !== 0) throw new Error(`${this.#child.spawnfile} ended with ${status}: ${this.#complaints}`);
  }

  /** As a machine that loses its power does. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#closed;
  }
}
