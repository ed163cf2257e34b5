/** The real process around a command. */
import { createReadStream } from "node:fs";
import { hostname, userInfo } from "node:os";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { messageOf, PunctualError } from "../core/errors.js";
import { limits } from "../protocol/limits.js";
import { untilStopped } from "../runtime/stop-signal.js";
import { parts } from "./parts.js";
import type { CliContext } from "./runtime.js";

export function processContext(): CliContext {
  return {
    parts,
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    user: userAtHost(),
    readText: (path) => reading(path, () => text(open(path))),
    readLines,
    untilStopped,
  };
}

function userAtHost(): string {
  return `${nameOf(process.env)}@${hostname()}`.slice(0, limits.authorLength);
}

/** A user id without a name, as in a container, has none in the system's list. */
function nameOf(env: NodeJS.ProcessEnv): string {
  try {
    return userInfo().username;
  } catch {
    return env.USER ?? "unknown";
  }
}

const open = (path: string) => (path === "-" ? process.stdin : createReadStream(path));

async function* readLines(path: string): AsyncGenerator<string, void, undefined> {
  const stream = open(path);
  const failed = new Promise<never>((_, reject) => stream.once("error", reject));
  failed.catch(() => {}); // told where it is waited for
  const lines = createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY })[
    Symbol.asyncIterator
  ]();
  for (;;) {
    const line = await reading(path, () => Promise.race([lines.next(), failed]));
    if (line.done === true) return;
    yield line.value;
  }
}

async function reading<T>(path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    throw new PunctualError("invalid", `cannot read ${path} (${messageOf(cause)})`, { cause });
  }
}
