/** The system's package manager as a source of a nats-server. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { allOnPath, type Environment, isExecutable, onPath, reasonOf, run } from "./command.js";
import { type InstallContext, type Installer, inWorkFolder, keep } from "./install.js";

const PACKAGE_TIMEOUT_MS = 300_000;
const SUDO_TIMEOUT_MS = 10_000;

interface PackageManager {
  command: string;
  /** What a person would type. */
  manual: string;
  install(context: InstallContext): Promise<string>;
}

const managers: readonly PackageManager[] = [
  { command: "apt-get", manual: "sudo apt-get install -y nats-server", install: unpackDebianPackage },
  { command: "brew", manual: "brew install nats-server", install: installWithBrew },
  { command: "apk", manual: "sudo apk add nats-server", install: installWithApk },
];

/** apt-get, brew or apk, whichever the machine has. */
export const packageManager: Installer = {
  name: "package manager",
  async install(context) {
    const manager = find(context.env);
    if (manager === undefined) throw new Error("none of apt-get, brew and apk is on PATH");
    context.onProgress(`Installing nats-server with ${manager.command}`);
    try {
      return await manager.install(context);
    } catch (error) {
      throw new Error(`${manager.command}: ${reasonOf(error)}`, { cause: error });
    }
  },
};

/** The command that installs the package by hand, or `undefined` on a machine with none of the managers. */
export function manualPackageCommand(env: Environment): string | undefined {
  return find(env)?.manual;
}

function find(env: Environment): PackageManager | undefined {
  return managers.find((manager) => allOnPath(manager.command, env).length > 0);
}

/**
 * Takes the binary out of the Debian package instead of installing it: that needs no root, and an installed
 * package would add a user and start a server of its own at every boot.
 */
async function unpackDebianPackage(context: InstallContext): Promise<string> {
  const apt = onPath("apt-get", context.env);
  const unpack = onPath("dpkg-deb", context.env);
  return inWorkFolder(context.cacheDir, async (folder) => {
    const options = { env: context.env, timeoutMs: PACKAGE_TIMEOUT_MS, cwd: folder };
    const download = () => run(apt, ["download", "nats-server"], options);
    await download().catch(async () => {
      // Container images come without package lists.
      await runAsRoot(apt, ["update"], context);
      await download();
    });
    const archive = (await readdir(folder)).find((name) => name.endsWith(".deb"));
    if (archive === undefined) throw new Error("apt-get download left no package");
    await run(unpack, ["-x", archive, "unpacked"], options);
    const places = ["usr/sbin", "usr/bin"].map((place) => join(folder, "unpacked", place, "nats-server"));
    const binary = places.find(isExecutable);
    if (binary === undefined) throw new Error("there is no nats-server in its package");
    return keep(binary, context.cacheDir);
  });
}

async function installWithBrew(context: InstallContext): Promise<string> {
  const brew = onPath("brew", context.env);
  const options = { env: context.env, timeoutMs: PACKAGE_TIMEOUT_MS };
  await run(brew, ["install", "nats-server"], options);
  const prefix = (await run(brew, ["--prefix", "nats-server"], options)).trim();
  return join(prefix, "bin", "nats-server");
}

async function installWithApk(context: InstallContext): Promise<string> {
  await runAsRoot(onPath("apk", context.env), ["add", "--no-cache", "nats-server"], context);
  return onPath("nats-server", context.env);
}

async function runAsRoot(command: string, args: readonly string[], context: InstallContext): Promise<void> {
  const options = { env: context.env, timeoutMs: PACKAGE_TIMEOUT_MS };
  if (process.getuid?.() === 0) {
    await run(command, args, options);
    return;
  }
  const [sudo] = allOnPath("sudo", context.env);
  if (sudo === undefined) throw new Error("it needs root, and there is no sudo");
  await run(sudo, ["-n", "true"], { ...options, timeoutMs: SUDO_TIMEOUT_MS }).catch((error: unknown) => {
    throw new Error(`it needs root, and sudo asks for a password: ${reasonOf(error)}`);
  });
  await run(sudo, ["-n", command, ...args], options);
}
