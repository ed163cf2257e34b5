/** Finds a nats-server on the machine, else installs one. */
import { PunctualError } from "../../core/errors.js";
import { type Environment, reasonOf } from "./command.js";
import { goToolchain, type InstallContext, type Installer, officialRelease } from "./install.js";
import { type Attempt, type Binary, cacheFolder, inspect, locate } from "./locate.js";
import { manualPackageCommand, packageManager } from "./packages.js";
import { MINIMUM_VERSION, PINNED_VERSION, releaseArchive } from "./releases.js";

/** The ways to install a nats-server, in the order they are tried. */
export const defaultInstallers: readonly Installer[] = [officialRelease, goToolchain, packageManager];

export interface FindBinaryOptions {
  /** Default `process.env`. Read: NATS_SERVER_BIN, PATH, PUNCTUAL_CACHE_DIR, XDG_CACHE_HOME, HOME. */
  env?: Environment | undefined;
  /** In Node's words. Default: this machine's. */
  platform?: string | undefined;
  arch?: string | undefined;
  /** Default `defaultInstallers`; an empty list only looks. */
  installers?: readonly Installer[] | undefined;
  /** Told what takes long. Default: nobody. */
  onProgress?: ((text: string) => void) | undefined;
}

/**
 * A nats-server of at least `MINIMUM_VERSION`: the one `NATS_SERVER_BIN` names, on PATH, in the cache, or else
 * a newly installed one. Throws `invalid` when `NATS_SERVER_BIN` is set and not usable, `unavailable` with all
 * that was tried when every way failed.
 */
export async function findBinary(options: FindBinaryOptions = {}): Promise<Binary> {
  const env = options.env ?? process.env;
  const context: InstallContext = {
    cacheDir: cacheFolder(env),
    env,
    platform: options.platform ?? process.platform,
    arch: options.arch ?? process.arch,
    onProgress: options.onProgress ?? (() => {}),
  };
  const { binary, attempts } = await locate(env, context.platform);
  if (binary !== undefined) return binary;
  for (const installer of options.installers ?? defaultInstallers) {
    const outcome = await tryInstaller(installer, context);
    if ("binary" in outcome) return outcome.binary;
    attempts.push(outcome.attempt);
    context.onProgress(`${outcome.attempt.what}: ${outcome.attempt.reason}`);
  }
  throw unavailable(attempts, context);
}

async function tryInstaller(
  installer: Installer,
  context: InstallContext,
): Promise<{ binary: Binary } | { attempt: Attempt }> {
  try {
    const path = await installer.install(context);
    const found = await inspect(path, context.env);
    if ("binary" in found) {
      context.onProgress(`Installed nats-server ${found.binary.version}: ${path}`);
      return found;
    }
    return { attempt: { what: installer.name, reason: `installed ${path}, but ${found.refused}` } };
  } catch (error) {
    return { attempt: { what: installer.name, reason: reasonOf(error) } };
  }
}

function unavailable(attempts: readonly Attempt[], context: InstallContext): PunctualError {
  const tried = attempts.map(({ what, reason }) => `  - ${what}: ${reason}`);
  return new PunctualError(
    "unavailable",
    [
      `no nats-server ${MINIMUM_VERSION} or newer was found, and none could be installed. Tried:`,
      ...tried,
      `Install one yourself and start again: ${helpfulCommand(attempts, context)}`,
    ].join("\n"),
  );
}

/** The package manager's command, unless its package was just seen to be of no use; else the release by hand. */
function helpfulCommand(attempts: readonly Attempt[], context: InstallContext): string {
  const tooOld = attempts.some(
    ({ what, reason }) => what === packageManager.name && reason.startsWith("installed"),
  );
  const manual = manualPackageCommand(context.env);
  if (manual !== undefined && !tooOld) return manual;
  const archive = releaseArchive(context.platform, context.arch);
  if (archive === undefined || context.platform === "win32") {
    return `go install github.com/nats-io/nats-server/v2@v${PINNED_VERSION}`;
  }
  const folder = `'${context.cacheDir}'`;
  return `mkdir -p ${folder} && curl -fL ${archive.url} | tar -xzf - -C ${folder} --strip-components=1`;
}
