/** Which nats-server is good enough, and which one is installed when there is none. */

/** The oldest server Punctual works with. */
export const MINIMUM_VERSION = "2.9.10";

/** The release that is installed. */
export const PINNED_VERSION = "2.14.5";

/** An official release archive. */
export interface ReleaseArchive {
  url: string;
  /** Of the archive, in hex. An archive with another one is refused before it is unpacked. */
  sha256: string;
  /** The path of the binary inside. */
  member: string;
}

/**
 * SHA-256 of the archives of `PINNED_VERSION`. Linux and Windows as pinned by the official images
 * (github.com/nats-io/nats-docker, folder 2.14.x); macOS as pinned by other projects, not yet compared with the
 * release itself: a wrong one makes the download be refused. Change them together with the version.
 */
const sha256ByPlatform: Readonly<Record<string, string>> = {
  "linux-amd64": "5e3b603d47c447bda1f77f9ac16dbf91c90aac4ff3681f8fbbc7201e4ed99355",
  "linux-arm64": "673a98d3faa79dde3f9ebf16d6dfac36a5f694e7ad2015e4954dd7939c85cd4c",
  "darwin-amd64": "f95c98d6b6ed2b63c5681b46b092c9585c99767d547cf495730c329234625e96",
  "darwin-arm64": "ddd907854d9a2de834af133fa396915fe6442fe6d8909ae31390d1ea7a0fea50",
  "windows-amd64": "f66f840a211ab665083b88e9b7edbcf6296cda143be47e53e6f6bb8520692bbb",
};

const goPlatforms: Readonly<Record<string, string>> = { linux: "linux", darwin: "darwin", win32: "windows" };
const goArchitectures: Readonly<Record<string, string>> = { x64: "amd64", arm64: "arm64" };

/** The archive for a platform in Node's words, or `undefined` when none is pinned for it. */
export function releaseArchive(platform: string, arch: string): ReleaseArchive | undefined {
  const key = `${goPlatforms[platform] ?? platform}-${goArchitectures[arch] ?? arch}`;
  const sha256 = sha256ByPlatform[key];
  if (sha256 === undefined) return undefined;
  const name = `nats-server-v${PINNED_VERSION}-${key}`;
  const suffix = platform === "win32" ? "zip" : "tar.gz";
  return {
    url: `https://github.com/nats-io/nats-server/releases/download/v${PINNED_VERSION}/${name}.${suffix}`,
    sha256,
    member: `${name}/${executableName(platform)}`,
  };
}

export function executableName(platform: string): string {
  return platform === "win32" ? "nats-server.exe" : "nats-server";
}

/** Whether one version is at least another; both as in `2.9.10`, what follows a `-` does not count. */
export function isAtLeast(version: string, minimum: string): boolean {
  const [ours, theirs] = [parts(version), parts(minimum)];
  for (let i = 0; i < 3; i++) {
    const difference = (ours[i] ?? 0) - (theirs[i] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}

function parts(version: string): number[] {
  return version.split("-", 1)[0]!.split(".").map(Number);
}
