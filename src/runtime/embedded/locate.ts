/** Looks for a nats-server that is on the machine already. */
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { invalid } from "../../core/errors.js";
import { allOnPath, type Environment, isExecutable, reasonOf, run } from "./command.js";
import { executableName, isAtLeast, MINIMUM_VERSION } from "./releases.js";

const VERSION_TIMEOUT_MS = 10_000;

/** A nats-server that can be started. */
export interface Binary {
  path: string;
  /** As in `2.9.10`. */
  version: string;
}

/** Something that was tried and did not give a binary. */
export interface Attempt {
  what: string;
  reason: string;
}

/** What a look at one file found: a usable server, or why it is none. */
export type Inspection = { binary: Binary } | { refused: string };

/** Asks a file which nats-server it is. */
export async function inspect(file: string, env: Environment = process.env): Promise<Inspection> {
  const path = resolve(file);
  if (!isExecutable(path)) return { refused: "there is no executable file" };
  let printed: string;
  try {
    printed = await run(path, ["--version"], { env, timeoutMs: VERSION_TIMEOUT_MS });
  } catch (error) {
    return { refused: `it does not run: ${reasonOf(error)}` };
  }
  const version = /nats-server:? v?(\d+\.\d+\.\d+\S*)/.exec(printed)?.[1];
  if (version === undefined)
    return { refused: "it is not a nats-server: --version printed no version of one" };
  if (!isAtLeast(version, MINIMUM_VERSION)) {
    return { refused: `it is version ${version}, at least ${MINIMUM_VERSION} is needed` };
  }
  return { binary: { path, version } };
}

/** Where installed binaries are kept: `PUNCTUAL_CACHE_DIR`, else `punctual` in the user's cache folder. */
export function cacheFolder(env: Environment): string {
  const set = (name: string) => (env[name] === "" ? undefined : env[name]);
  const home = set("HOME") ?? homedir();
  return resolve(
    set("PUNCTUAL_CACHE_DIR") ?? join(set("XDG_CACHE_HOME") ?? join(home, ".cache"), "punctual"),
  );
}

/**
 * The first usable nats-server: `NATS_SERVER_BIN`, then PATH, then the cache. What was passed over on the way
 * is told in `attempts`. Throws `invalid` when `NATS_SERVER_BIN` is set and not usable: who names one wants it.
 */
export async function locate(
  env: Environment,
  platform: string,
): Promise<{ binary: Binary | undefined; attempts: Attempt[] }> {
  const named = env.NATS_SERVER_BIN;
  if (named !== undefined && named !== "") return { binary: await inspectNamed(named, env), attempts: [] };

  const name = executableName(platform);
  const attempts: Attempt[] = [];
  const candidates = allOnPath(name, env);
  if (candidates.length === 0) attempts.push({ what: "PATH", reason: `no ${name} there` });
  for (const path of [...candidates, join(cacheFolder(env), name)]) {
    const found = await inspect(path, env);
    if ("binary" in found) return { binary: found.binary, attempts };
    attempts.push({ what: path, reason: found.refused });
  }
  return { binary: undefined, attempts };
}

async function inspectNamed(path: string, env: Environment): Promise<Binary> {
  const found = await inspect(path, env);
  if ("binary" in found) return found.binary;
  throw invalid(
    "NATS_SERVER_BIN",
    `expected a nats-server ${MINIMUM_VERSION} or newer, got ${path}: ${found.refused}`,
  );
}
