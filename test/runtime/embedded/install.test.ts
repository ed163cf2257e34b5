import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import {
  goToolchain,
  type InstallContext,
  installArchive,
  officialRelease,
} from "../../../src/runtime/embedded/install.js";
import { inspect } from "../../../src/runtime/embedded/locate.js";
import { packageManager } from "../../../src/runtime/embedded/packages.js";
import { isAtLeast, PINNED_VERSION, releaseArchive } from "../../../src/runtime/embedded/releases.js";
import { fakeCommand, fakeServer, temporaryFolder } from "./fakes.js";

async function context(more: Partial<InstallContext> = {}): Promise<InstallContext & { root: string }> {
  const root = await temporaryFolder();
  const env = { PATH: process.env.PATH };
  const cacheDir = join(root, "cache");
  return { root, cacheDir, env, platform: "linux", arch: "x64", onProgress: () => {}, ...more };
}

/** An archive as releases are, on a web server of this test's own. */
async function publishedArchive(root: string) {
  await fakeServer(join(root, "release", "nats-server-v9.9.9"), "nats-server: v9.9.9");
  execFileSync("tar", ["-czf", "archive.tar.gz", "-C", "release", "nats-server-v9.9.9"], { cwd: root });
  const bytes = await readFile(join(root, "archive.tar.gz"));
  const server = createServer((request, response) => {
    if (request.url === "/archive.tar.gz") response.end(bytes);
    else response.writeHead(404).end();
  }).listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/archive.tar.gz`,
    sha256: createHash("sha256").update(bytes).digest("hex"),
    member: "nats-server-v9.9.9/nats-server",
  };
}

describe("the release archive", () => {
  test("is downloaded, verified, unpacked and kept in the cache, with nothing left beside it", async () => {
    const where = await context();
    const path = await installArchive(await publishedArchive(where.root), where);
    expect(path).toBe(join(where.cacheDir, "nats-server"));
    expect(await inspect(path)).toEqual({ binary: { path, version: "9.9.9" } });
    expect(await readdir(where.cacheDir)).toEqual(["nats-server"]);
  });

  test("is refused when its SHA-256 is not the pinned one, and nothing is kept", async () => {
    const where = await context();
    const archive = await publishedArchive(where.root);
    const expected = "0".repeat(64);
    const installing = installArchive({ ...archive, sha256: expected }, where);
    await expect(installing).rejects.toThrow(`expected SHA-256 ${expected}, got ${archive.sha256}`);
    expect(await readdir(where.cacheDir)).toEqual([]);
  });

  test("that is not there is told with the answer of the server", async () => {
    const where = await context();
    const archive = await publishedArchive(where.root);
    const installing = installArchive({ ...archive, url: `${archive.url}.gone` }, where);
    await expect(installing).rejects.toThrow(/archive\.tar\.gz\.gone answered 404/);
  });

  test("is not looked for on a platform without a pinned hash", async () => {
    await expect(officialRelease.install(await context({ arch: "mips" }))).rejects.toThrow(
      "no archive is pinned for linux mips",
    );
  });

  test.each([
    ["linux", "x64", "linux-amd64.tar.gz"],
    ["linux", "arm64", "linux-arm64.tar.gz"],
    ["darwin", "x64", "darwin-amd64.tar.gz"],
    ["darwin", "arm64", "darwin-arm64.tar.gz"],
    ["win32", "x64", "windows-amd64.zip"],
  ])("of %s %s ends in %s", (platform, arch, ending) => {
    const archive = releaseArchive(platform, arch);
    expect(archive?.url.endsWith(`/v${PINNED_VERSION}/nats-server-v${PINNED_VERSION}-${ending}`)).toBe(true);
    expect(archive?.sha256).toMatch(/^[0-9a-f]{64}$/);
  });
});

describe("the Go toolchain", () => {
  test("builds the pinned version into the cache", async () => {
    const where = await context();
    const bin = join(where.root, "bin");
    const script = `echo "$@" > '${where.root}/asked'\nprintf '#!/bin/sh\\necho nats-server: v2.14.5\\n' > "$GOBIN/nats-server"`;
    await fakeCommand(bin, "go", script);
    const path = await goToolchain.install({ ...where, env: { PATH: `${bin}:${process.env.PATH}` } });
    expect(path).toBe(join(where.cacheDir, "nats-server"));
    expect(await inspect(path)).toMatchObject({ binary: { version: "2.14.5" } });
    const asked = await readFile(join(where.root, "asked"), "utf8");
    expect(asked.trim()).toBe(`install github.com/nats-io/nats-server/v2@v${PINNED_VERSION}`);
  });

  test("says why it failed", async () => {
    const where = await context();
    await fakeCommand(join(where.root, "bin"), "go", "echo 'module not found' >&2; exit 3");
    const env = { PATH: join(where.root, "bin") };
    await expect(goToolchain.install({ ...where, env })).rejects.toThrow("exit 3: module not found");
  });

  test("may be missing", async () => {
    await expect(goToolchain.install(await context({ env: { PATH: "" } }))).rejects.toThrow(
      "go is not on PATH",
    );
  });
});

describe("the package manager", () => {
  test("apt-get: the binary is taken out of the package, nothing is installed on the machine", async () => {
    const where = await context();
    const bin = join(where.root, "bin");
    await fakeCommand(bin, "apt-get", `[ "$1" = download ] && touch nats-server_9_amd64.deb`);
    const content = "#!/bin/sh\\necho nats-server: v2.9.10\\n";
    const unpack = `mkdir -p "$3/usr/sbin"; printf '${content}' > "$3/usr/sbin/nats-server"; chmod +x "$3/usr/sbin/nats-server"`;
    await fakeCommand(bin, "dpkg-deb", unpack);
    const path = await packageManager.install({ ...where, env: { PATH: `${bin}:${process.env.PATH}` } });
    expect(path).toBe(join(where.cacheDir, "nats-server"));
    expect(await inspect(path)).toMatchObject({ binary: { version: "2.9.10" } });
    expect(await readdir(where.cacheDir)).toEqual(["nats-server"]);
  });

  test("brew: the binary stays where brew keeps it", async () => {
    const where = await context({ platform: "darwin" });
    const bin = join(where.root, "bin");
    await fakeCommand(bin, "brew", `[ "$1" = --prefix ] && echo /opt/brew/nats-server || exit 0`);
    const path = await packageManager.install({ ...where, env: { PATH: bin } });
    expect(path).toBe("/opt/brew/nats-server/bin/nats-server");
  });

  test("may be missing", async () => {
    const installing = packageManager.install(await context({ env: { PATH: "" } }));
    await expect(installing).rejects.toThrow("none of apt-get, brew and apk is on PATH");
  });
});

test.each([
  ["2.9.10", "2.9.10", true],
  ["2.9.9", "2.9.10", false],
  ["2.10.0", "2.9.10", true],
  ["3.0.0", "2.9.10", true],
  ["1.99.99", "2.9.10", false],
  ["2.10.0-RC.3", "2.10.0", true],
])("%s is at least %s: %s", (version, minimum, expected) => {
  expect(isAtLeast(version, minimum)).toBe(expected);
});
