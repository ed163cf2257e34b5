import { join } from "node:path";
import { expect, test } from "vitest";
import { findBinary } from "../../../src/runtime/embedded/binary.js";
import { PINNED_VERSION } from "../../../src/runtime/embedded/releases.js";
import { failingInstaller, fakeCommand, fakeServer, installerThat, temporaryFolder } from "./fakes.js";

const linux = { platform: "linux", arch: "x64" };

async function machine() {
  const root = await temporaryFolder();
  const [first, second, cache] = [join(root, "first"), join(root, "second"), join(root, "cache")];
  return { root, first, second, cache, env: { PATH: `${first}:${second}`, PUNCTUAL_CACHE_DIR: cache } };
}

test("NATS_SERVER_BIN wins over PATH and cache", async () => {
  const { root, first, cache, env } = await machine();
  const named = await fakeServer(join(root, "named"), "nats-server: v2.12.0");
  await fakeServer(first, "nats-server: v2.12.1");
  await fakeServer(cache, "nats-server: v2.12.2");
  const found = await findBinary({ ...linux, env: { ...env, NATS_SERVER_BIN: named }, installers: [] });
  expect(found).toEqual({ path: named, version: "2.12.0" });
});

test.each([
  ["too old", "nats-server: v2.9.9", /NATS_SERVER_BIN.*version 2\.9\.9, at least 2\.9\.10/s],
  ["something else", "GNU bash 5.2", /NATS_SERVER_BIN.*not a nats-server/s],
])("a NATS_SERVER_BIN that is %s is an error, though PATH has a good one", async (_, prints, message) => {
  const { root, first, env } = await machine();
  const named = await fakeServer(join(root, "named"), prints);
  await fakeServer(first, "nats-server: v2.12.1");
  const finding = findBinary({ ...linux, env: { ...env, NATS_SERVER_BIN: named }, installers: [] });
  await expect(finding).rejects.toMatchObject({ code: "invalid", message: expect.stringMatching(message) });
});

test("a NATS_SERVER_BIN that is not there is an error", async () => {
  const { root, env } = await machine();
  const finding = findBinary({
    ...linux,
    env: { ...env, NATS_SERVER_BIN: join(root, "gone") },
    installers: [],
  });
  await expect(finding).rejects.toMatchObject({
    code: "invalid",
    message: expect.stringMatching(/no executable/),
  });
});

test("PATH comes before the cache", async () => {
  const { first, cache, env } = await machine();
  const path = await fakeServer(first, "nats-server: v2.9.10");
  await fakeServer(cache, "nats-server: v2.12.2");
  expect(await findBinary({ ...linux, env, installers: [] })).toEqual({ path, version: "2.9.10" });
});

test("an old server on PATH is passed over for a newer one further on, and a broken one too", async () => {
  const { first, second, cache, env } = await machine();
  await fakeServer(first, "nats-server: v2.9.9");
  await fakeServer(second, "nats-server: v2.12.1", 1);
  const path = await fakeServer(cache, "nats-server: v2.14.0-RC.1");
  expect(await findBinary({ ...linux, env, installers: [] })).toEqual({ path, version: "2.14.0-RC.1" });
});

test("with none on the machine, the installers are tried in order until one gives a usable server", async () => {
  const { root, cache, env } = await machine();
  const progress: string[] = [];
  const found = await findBinary({
    ...linux,
    env,
    onProgress: (text) => progress.push(text),
    installers: [
      failingInstaller("first way", "no network"),
      installerThat("second way", () => fakeServer(join(root, "elsewhere"), "nats-server: v2.2.0")),
      installerThat("third way", ({ cacheDir }) => fakeServer(cacheDir, "nats-server: v2.14.5")),
      installerThat("fourth way", () => expect.unreachable("there is a server already")),
    ],
  });
  expect(found).toEqual({ path: join(cache, "nats-server"), version: "2.14.5" });
  expect(progress).toEqual([
    "first way: no network",
    expect.stringMatching(/^second way: installed .*version 2\.2\.0/),
    expect.stringMatching(/^Installed nats-server 2\.14\.5/),
  ]);
  expect(await findBinary({ ...linux, env, installers: [] }), "and the next time it is there").toEqual(found);
});

test("when all fails, the error lists every attempt with its reason and the one command that helps", async () => {
  const { first, env } = await machine();
  const old = await fakeServer(first, "nats-server: v2.9.9");
  const finding = findBinary({
    ...linux,
    env,
    installers: [
      failingInstaller("official release", "no network"),
      failingInstaller("Go", "go is not on PATH"),
    ],
  });
  const error = await finding.catch((thrown: Error) => thrown);
  expect(error).toMatchObject({ code: "unavailable" });
  const lines = (error as Error).message.split("\n");
  expect(lines.slice(1, -1)).toEqual([
    `  - ${old}: it is version 2.9.9, at least 2.9.10 is needed`,
    `  - ${join(env.PUNCTUAL_CACHE_DIR, "nats-server")}: there is no executable file`,
    "  - official release: no network",
    "  - Go: go is not on PATH",
  ]);
  expect(lines.at(-1)).toContain(
    `v${PINNED_VERSION}-linux-amd64.tar.gz | tar -xzf - -C '${env.PUNCTUAL_CACHE_DIR}'`,
  );
});

test("the command that helps is the package manager's where there is one", async () => {
  const { first, env } = await machine();
  await fakeCommand(first, "apt-get", "exit 1");
  const finding = findBinary({
    ...linux,
    env,
    installers: [failingInstaller("package manager", "not root")],
  });
  await expect(finding).rejects.toThrow(/: sudo apt-get install -y nats-server$/);
});

test("but not when its package was too old", async () => {
  const { root, first, env } = await machine();
  await fakeCommand(first, "apt-get", "exit 1");
  const old = installerThat("package manager", () => fakeServer(join(root, "old"), "nats-server: v2.1.0"));
  await expect(findBinary({ ...linux, env, installers: [old] })).rejects.toThrow(
    /again: mkdir -p .*curl -fL/,
  );
});

test("the cache folder follows XDG_CACHE_HOME, then HOME", async () => {
  const { root } = await machine();
  const inXdg = await fakeServer(join(root, "xdg", "punctual"), "nats-server: v2.12.1");
  const inHome = await fakeServer(join(root, "home", ".cache", "punctual"), "nats-server: v2.12.2");
  const home = { HOME: join(root, "home"), PATH: "" };
  expect((await findBinary({ ...linux, env: home, installers: [] })).path).toBe(inHome);
  const xdg = { ...home, XDG_CACHE_HOME: join(root, "xdg") };
  expect((await findBinary({ ...linux, env: xdg, installers: [] })).path).toBe(inXdg);
});
