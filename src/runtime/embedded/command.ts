/** Finding and running the programs of the machine. */
import { execFile } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, resolve } from "node:path";
import { messageOf } from "../../core/errors.js";

export type Environment = Readonly<Record<string, string | undefined>>;

/** Every executable file of that name on PATH, in its order. */
export function allOnPath(name: string, env: Environment): string[] {
  const folders = (env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  return [...new Set(folders)].map((folder) => resolve(folder, name)).filter(isExecutable);
}

/** The first one; throws when there is none. */
export function onPath(name: string, env: Environment): string {
  const [first] = allOnPath(name, env);
  if (first === undefined) throw new Error(`${name} is not on PATH`);
  return first;
}

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

export interface RunOptions {
  env: Environment;
  timeoutMs: number;
  cwd?: string;
}

/** Runs a program and gives what it printed; throws with its last words when it fails. */
export function run(command: string, args: readonly string[], options: RunOptions): Promise<string> {
  const settings = {
    env: { ...options.env },
    timeout: options.timeoutMs,
    maxBuffer: 16 * 1024 * 1024,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  };
  return new Promise((resolve, reject) => {
    const child = execFile(command, args, settings, (error, stdout, stderr) => {
      if (error === null) return resolve(stdout);
      reject(new Error(failure(error, stderr, options.timeoutMs), { cause: error }));
    });
    child.stdin?.end();
  });
}

function failure(
  error: { code?: unknown; killed?: boolean; message: string },
  stderr: string,
  timeoutMs: number,
): string {
  if (error.killed === true) return `it took longer than ${timeoutMs / 1000} s`;
  const said = lastLines(stderr, 3);
  if (typeof error.code === "number") return `exit ${error.code}${said === "" ? "" : `: ${said}`}`;
  return said === "" ? messageOf(error) : said;
}

/** The last lines that say something, on one line. */
export function lastLines(text: string, count: number): string {
  const lines = text.split("\n").map((line) => line.trim());
  return lines
    .filter((line) => line !== "")
    .slice(-count)
    .join(" | ");
}

/** A message with what caused it, as `fetch` hides the reason one level down. */
export function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  const reason = cause instanceof Error ? cause.message : "";
  return reason === "" || messageOf(error).includes(reason)
    ? messageOf(error)
    : `${messageOf(error)}: ${reason}`;
}
