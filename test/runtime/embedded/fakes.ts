import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { InstallContext, Installer } from "../../../src/runtime/embedded/install.js";

/** A folder that is gone after the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "punctual-test-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}

/** An executable that prints what `nats-server --version` would. */
export async function fakeServer(folder: string, prints: string, exitCode = 0): Promise<string> {
  return fakeCommand(folder, "nats-server", `echo '${prints}'\nexit ${exitCode}`);
}

/** An executable shell script. */
export async function fakeCommand(folder: string, name: string, script: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, name);
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
  return path;
}

export const installerThat = (
  name: string,
  install: (context: InstallContext) => Promise<string>,
): Installer => ({
  name,
  install,
});

export const failingInstaller = (name: string, reason: string): Installer =>
  installerThat(name, () => Promise.reject(new Error(reason)));
