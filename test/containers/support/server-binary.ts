import { join } from "node:path";
import { allOnPath, reasonOf } from "../../../src/runtime/embedded/command.js";
import { goToolchain, type InstallContext, officialRelease } from "../../../src/runtime/embedded/install.js";
import { type Binary, cacheFolder, inspect } from "../../../src/runtime/embedded/locate.js";
import { executableName, isAtLeast } from "../../../src/runtime/embedded/releases.js";

/** Older servers can delete a replicated work queue's message at its delivery limit. */
const OLDEST = "2.12.5";

/**
 * A nats-server fit for a replicated cluster: NATS_SERVER_BIN, else on PATH, else in Punctual's cache, else
 * installed there. A single test server may be older, so this can be another one than the product finds.
 */
export async function clusterServerBinary(): Promise<string> {
  const context: InstallContext = {
    cacheDir: cacheFolder(process.env),
    env: process.env,
    platform: process.platform,
    arch: process.arch,
    onProgress: (text) => console.warn(text),
  };
  const refused: string[] = [];
  for (const path of candidates(context)) {
    const found = await inspect(path);
    if ("binary" in found && isFit(found.binary)) return path;
    refused.push(`${path}: ${"binary" in found ? found.binary.version : found.refused}`);
  }
  for (const installer of [officialRelease, goToolchain]) {
    try {
      return await installer.install(context);
    } catch (error) {
      refused.push(`${installer.name}: ${reasonOf(error)}`);
    }
  }
  throw new Error(`the cluster needs nats-server ${OLDEST} or newer. Tried:\n${refused.join("\n")}`);
}

function isFit(binary: Binary): boolean {
  return isAtLeast(binary.version, OLDEST);
}

function candidates(context: InstallContext): string[] {
  const name = executableName(context.platform);
  const named = context.env.NATS_SERVER_BIN;
  return [...(named ? [named] : []), ...allOnPath(name, context.env), join(context.cacheDir, name)];
}
