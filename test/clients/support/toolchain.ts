/**
 * Programs in other languages, built by the tools of their language.
 *
 * A build is kept in the cache folder under a hash of all that goes into it, so only what has changed is built again,
 * and nothing is built in the repository.
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { cp, mkdir, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { cacheFolder } from "../../../src/runtime/embedded/locate.js";

const execute = promisify(execFile);
const programs = join(import.meta.dirname, "../programs");

export type CommandLine = readonly [command: string, ...args: string[]];

export interface Toolchain {
  /** For people. */
  language: string;
  /** Its folder in `programs`; null when there is no source of ours. */
  source: string | null;
  /** What has to be there, asked for its version. */
  tools: readonly CommandLine[];
  /** Carried out in a copy of the source. */
  steps: readonly CommandLine[];
  /** For the steps and for the program. */
  env?: (folder: string) => Record<string, string>;
  /** What starts the program that lies in `folder`. */
  command: (folder: string) => CommandLine;
}

/** The tools of a toolchain that this machine does not have. */
export async function missingTools({ tools }: Toolchain): Promise<string[]> {
  const versions = await Promise.all(tools.map(async (tool) => [tool[0], await versionOf(tool)] as const));
  return versions.flatMap(([name, version]) => (version === null ? [name] : []));
}

async function versionOf([command, ...args]: CommandLine): Promise<string | null> {
  try {
    const { stdout, stderr } = await execute(command, args);
    return stdout + stderr;
  } catch {
    return null;
  }
}

/** The folder that holds the program, which is built when it has not been before. */
export async function build(toolchain: Toolchain): Promise<string> {
  const { language, source, steps } = toolchain;
  const home = join(cacheFolder(process.env), "clients");
  const folder = join(home, `${language.toLowerCase()}-${await hashOf(toolchain)}`);
  if (existsSync(folder)) return folder;
  const workshop = `${folder}.${process.pid}`;
  await mkdir(workshop, { recursive: true });
  try {
    if (source !== null) await cp(join(programs, source), workshop, { recursive: true });
    const env = { ...process.env, ...toolchain.env?.(workshop) };
    for (const [command, ...args] of steps) await execute(command, args, { cwd: workshop, env });
    await rename(workshop, folder);
  } catch (error) {
    // Another run may have been faster.
    if (!existsSync(folder)) throw new Error(`the ${language} client cannot be built: ${error}`);
  } finally {
    await rm(workshop, { recursive: true, force: true });
  }
  return folder;
}

async function hashOf({ source, tools, steps }: Toolchain): Promise<string> {
  const hash = createHash("sha256").update(JSON.stringify(steps));
  for (const tool of tools) hash.update(String(await versionOf(tool)));
  if (source !== null) {
    for (const name of (await readdir(join(programs, source))).sort())
      hash.update(name).update(await readFile(join(programs, source, name)));
  }
  return hash.digest("hex").slice(0, 16);
}
