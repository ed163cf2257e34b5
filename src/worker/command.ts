/** Runs a command in a process group of its own, which ends with it: nothing of it is left behind. */
import { type ChildProcess, spawn } from "node:child_process";
import type { Clock } from "../core/ports.js";
import { OutputLines } from "./output-lines.js";
import { OutputTail } from "./output-tail.js";

export interface Command {
  file: string;
  args: readonly string[];
  /** The whole environment. */
  env: Readonly<Record<string, string>>;
  cwd?: string | undefined;
  /** Default: no input. */
  stdin?: string | undefined;
}

export interface CommandEnd {
  /** Null when a signal ended it. */
  status: number | null;
  signal: string | null;
  /** The last `tailBytes` of both outputs. */
  output: string;
}

export interface CommandContext {
  /** Ends the whole group: SIGTERM, and SIGKILL `killAfterMs` later. */
  abort: AbortSignal;
  clock: Clock;
  killAfterMs: number;
  tailBytes: number;
  /** Called with each line, or each 1,000 characters of one. */
  onLine(line: string, from: OutputName): void;
}

export type OutputName = "stdout" | "stderr";
const LONGEST_LINE = 1_000;

/** Resolves when the command has ended and its outputs are closed. Rejects when it cannot be started. */
export function runCommand(command: Command, context: CommandContext): Promise<CommandEnd> {
  const { abort, clock, killAfterMs, tailBytes } = context;
  return new Promise((resolve, reject) => {
    if (abort.aborted) return reject(abort.reason);
    const child = start(command);
    const tail = new OutputTail(tailBytes);
    const outputs = (["stdout", "stderr"] as const).map((from) => {
      const lines = new OutputLines(LONGEST_LINE, (line) => context.onLine(line, from));
      child[from]?.on("data", (chunk: Buffer) => {
        tail.push(chunk);
        lines.push(chunk);
      });
      return lines;
    });
    let cancelKill = () => {};
    const onAbort = () => {
      killGroup(child, "SIGTERM");
      cancelKill = clock.after(killAfterMs, () => killGroup(child, "SIGKILL"));
    };
    abort.addEventListener("abort", onAbort, { once: true });
    const finish = () => {
      cancelKill();
      abort.removeEventListener("abort", onAbort);
      // What closed its outputs and did not heed the SIGTERM.
      if (abort.aborted) killGroup(child, "SIGKILL");
    };
    child.once("error", (error) => {
      finish();
      reject(error);
    });
    child.once("close", (status, signal) => {
      finish();
      for (const lines of outputs) lines.end();
      resolve({ status, signal, output: tail.toString() });
    });
  });
}

function start({ file, args, env, cwd, stdin }: Command): ChildProcess {
  const child = spawn(file, args, {
    env: { ...env },
    cwd,
    // Makes it the leader of a group, so that its children can be reached.
    detached: true,
    windowsHide: true,
    stdio: [stdin === undefined ? "ignore" : "pipe", "pipe", "pipe"],
  });
  // A command need not read its input to the end.
  child.stdin?.on("error", () => {});
  child.stdin?.end(stdin);
  return child;
}

function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // Nobody of the group is left.
  }
}
