/** Ways to install the pinned nats-server into the cache folder. */
import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { chmod, mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type Environment, onPath, run } from "./command.js";
import { executableName, PINNED_VERSION, type ReleaseArchive, releaseArchive } from "./releases.js";

const DOWNLOAD_TIMEOUT_MS = 120_000;
const EXTRACT_TIMEOUT_MS = 60_000;
const BUILD_TIMEOUT_MS = 300_000;

/** What an installer has to know. */
export interface InstallContext {
  /** Where the binary goes; it may not exist yet. */
  cacheDir: string;
  env: Environment;
  /** In Node's words: `linux`, `darwin`, `win32`. */
  platform: string;
  /** In Node's words: `x64`, `arm64`. */
  arch: string;
  onProgress: (text: string) => void;
}

/** One way to get a nats-server. */
export interface Installer {
  /** For progress and for the list of what was tried. */
  name: string;
  /** Gives the path of the binary; throws with the reason when this way is closed. */
  install(context: InstallContext): Promise<string>;
}

/** The official archive of the pinned release. */
export const officialRelease: Installer = {
  name: `official release ${PINNED_VERSION}`,
  async install(context) {
    const archive = releaseArchive(context.platform, context.arch);
    if (archive === undefined)
      throw new Error(`no archive is pinned for ${context.platform} ${context.arch}`);
    return installArchive(archive, context);
  },
};

/** The pinned release, built by the Go toolchain, which checks the source against Go's checksum database. */
export const goToolchain: Installer = {
  name: "Go toolchain",
  async install(context) {
    const go = onPath("go", context.env);
    const module = `github.com/nats-io/nats-server/v2@v${PINNED_VERSION}`;
    context.onProgress(`Building nats-server ${PINNED_VERSION} with Go`);
    return inWorkFolder(context.cacheDir, async (folder) => {
      const env = { ...context.env, GOBIN: folder, CGO_ENABLED: "0" };
      await run(go, ["install", module], { env, timeoutMs: BUILD_TIMEOUT_MS, cwd: folder });
      return keep(join(folder, executableName(context.platform)), context.cacheDir);
    });
  },
};

/** Downloads an archive, refuses it unless its SHA-256 is the pinned one, and keeps the binary inside. */
export async function installArchive(archive: ReleaseArchive, context: InstallContext): Promise<string> {
  const tar = onPath(context.platform === "win32" ? "tar.exe" : "tar", context.env);
  context.onProgress(`Downloading ${archive.url}`);
  return inWorkFolder(context.cacheDir, async (folder) => {
    const file = basename(new URL(archive.url).pathname);
    const sha256 = await download(archive.url, join(folder, file));
    if (sha256 !== archive.sha256) {
      throw new Error(`refused ${archive.url}: expected SHA-256 ${archive.sha256}, got ${sha256}`);
    }
    const options = { env: context.env, timeoutMs: EXTRACT_TIMEOUT_MS, cwd: folder };
    await run(tar, ["-xf", file, archive.member], options);
    return keep(join(folder, archive.member), context.cacheDir);
  });
}

/** Saves what a URL gives and returns its SHA-256 in hex. */
async function download(url: string, path: string): Promise<string> {
  const response = await fetch(url, { signal: AbortSignal.timeout(DOWNLOAD_TIMEOUT_MS) });
  if (!response.ok || response.body === null) throw new Error(`${url} answered ${response.status}`);
  const hash = createHash("sha256");
  await pipeline(
    Readable.fromWeb(response.body),
    async function* (chunks: AsyncIterable<Uint8Array>) {
      for await (const chunk of chunks) {
        hash.update(chunk);
        yield chunk;
      }
    },
    createWriteStream(path),
  );
  return hash.digest("hex");
}

/** Runs something in a temporary folder inside the cache, so that a finished file can be renamed into place. */
export async function inWorkFolder<T>(cacheDir: string, work: (folder: string) => Promise<T>): Promise<T> {
  await mkdir(cacheDir, { recursive: true });
  const folder = await mkdtemp(join(cacheDir, ".install-"));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Moves a finished binary into the cache in one step: others see no file or a whole one. */
export async function keep(binary: string, cacheDir: string): Promise<string> {
  await chmod(binary, 0o755);
  const place = join(cacheDir, basename(binary));
  await rename(binary, place);
  return place;
}
