/**
 * Images for the container tests, built from what this machine has: no registry is asked.
 * Tags name the content, so a second call finds the image and returns at once.
 */
import { execFile } from "node:child_process";
import { access, cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { docker } from "./docker.js";
import { contentTag, sharedLibraries, writeRootfs } from "./rootfs.js";
import { clusterServerBinary } from "./server-binary.js";

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, "../../..");

const NATS_DOCKERFILE = `FROM scratch
ADD rootfs/ /
ENTRYPOINT ["/usr/bin/nats-server"]
`;

const NODE_DOCKERFILE = `FROM scratch
ADD rootfs/ /
ENV PATH=/usr/bin:/bin
CMD ["node"]
`;

/** A NATS server from this machine's binary; entry point and flags as in the official image. */
export async function natsImage(): Promise<string> {
  return scratchImage("punctual-test-nats", NATS_DOCKERFILE, {
    "/usr/bin/nats-server": await clusterServerBinary(),
  });
}

/** A base with `node` and `sh`, from this machine's binaries: stands in for node:22-alpine. */
export async function nodeImage(): Promise<string> {
  return scratchImage("punctual-test-node", NODE_DOCKERFILE, {
    "/usr/bin/node": process.execPath,
    "/bin/sh": "/bin/sh",
  });
}

/** The product, from deploy/Dockerfile and the `dist` folder as it is now: build first. */
export async function productImage(): Promise<string> {
  const base = await nodeImage();
  const context = await productContext();
  const files = [join(ROOT, "deploy/Dockerfile"), join(ROOT, "package-lock.json"), ...(await built())];
  const image = `punctual-test:${await contentTag(files, base)}`;
  if (await exists(image)) return image;
  await docker(
    "build",
    "-f",
    join(context, "deploy/Dockerfile"),
    "--build-arg",
    `BASE_IMAGE=${base}`,
    "-t",
    image,
    context,
  );
  return image;
}

async function built(): Promise<string[]> {
  const main = join(ROOT, "dist/cli/main.js");
  await access(main).catch(() => {
    throw new Error("dist/cli/main.js is missing: run `npm run build` first");
  });
  const names = await readdir(join(ROOT, "dist"), { recursive: true });
  return names
    .filter((name) => name.endsWith(".js"))
    .map((name) => join(ROOT, "dist", name))
    .sort();
}

/** A folder with all that deploy/Dockerfile would otherwise fetch or compile, so that the build needs no network. */
async function productContext(): Promise<string> {
  const context = join(ROOT, "node_modules/.cache/punctual/context");
  await mkdir(context, { recursive: true });
  await installProduction(context);
  for (const folder of ["dist", "deploy"]) {
    await rm(join(context, folder), { recursive: true, force: true });
    await cp(join(ROOT, folder), join(context, folder), { recursive: true });
  }
  return context;
}

/** `npm ci --omit=dev` into the folder, unless it was done there for this very lock file. */
async function installProduction(folder: string): Promise<void> {
  const done = join(folder, "node_modules/.done");
  const tag = await contentTag([join(ROOT, "package.json"), join(ROOT, "package-lock.json")]);
  if ((await readFile(done, "utf8").catch(() => "")) === tag) return;
  for (const file of ["package.json", "package-lock.json", ".npmrc"])
    await cp(join(ROOT, file), join(folder, file));
  try {
    await run("npm", ["ci", "--omit=dev", "--ignore-scripts"], { cwd: folder });
  } catch (cause) {
    const lines = String((cause as { stderr?: string }).stderr ?? cause).split("\n");
    const errors = lines.filter((line) => line.startsWith("npm error")).slice(0, 12);
    throw new Error(`npm ci --omit=dev failed for the image's modules:\n${errors.join("\n")}`, { cause });
  }
  await writeFile(done, tag);
}

async function scratchImage(
  name: string,
  dockerfile: string,
  programs: Record<string, string>,
): Promise<string> {
  const libraries = await Promise.all(Object.values(programs).map(sharedLibraries));
  const files = [...Object.values(programs), ...libraries.flat()];
  const image = `${name}:${await contentTag(files, dockerfile)}`;
  if (await exists(image)) return image;
  const context = await mkdtemp(join(tmpdir(), "punctual-image-"));
  try {
    await writeRootfs(join(context, "rootfs"), programs);
    await writeFile(join(context, "Dockerfile"), dockerfile);
    await docker("build", "-t", image, context);
    return image;
  } finally {
    await rm(context, { recursive: true, force: true });
  }
}

async function exists(image: string): Promise<boolean> {
  return docker("image", "inspect", "--format", "{{.Id}}", image).then(
    () => true,
    () => false,
  );
}
