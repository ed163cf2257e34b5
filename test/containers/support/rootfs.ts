/**
 * The smallest root file system a program of this machine runs in: the program, the shared libraries that
 * `ldd` names, and what the C library looks up by name at run time. With it an image can be built from
 * `scratch`, so that the tests need no registry.
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { chmod, copyFile, cp, mkdir, readdir, readFile, realpath, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Loaded by the C library when a host name is looked up, so ldd does not name them. */
const NAME_LOOKUP = /^(libnss_(dns|files)|libresolv)\.so/;

const ACCOUNTS = "root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n";
const OPTIONAL_TREES = ["/usr/share/zoneinfo", "/etc/ssl/certs/ca-certificates.crt"];

/** Absolute paths of the shared libraries a program needs; none for a statically linked one. */
export async function sharedLibraries(program: string): Promise<string[]> {
  const listing = await run("ldd", [program]).then(
    ({ stdout }) => stdout,
    () => "", // "not a dynamic executable"
  );
  const linked = [...listing.matchAll(/(?:=>\s+|^\s+)(\/\S+)\s+\(0x/gm)].map((match) => match[1]!);
  const libc = linked.find((path) => /\/libc\.so/.test(path));
  if (libc === undefined) return linked;
  const siblings = await readdir(dirname(libc));
  const lookup = siblings.filter((name) => NAME_LOOKUP.test(name)).map((name) => join(dirname(libc), name));
  return [...new Set([...linked, ...lookup])];
}

async function place(root: string, source: string, target: string): Promise<void> {
  const path = join(root, target);
  await mkdir(dirname(path), { recursive: true });
  await copyFile(await realpath(source), path);
  await chmod(path, 0o755);
}

/** Writes into `root` the given programs (path in the image → path here) with all they need. */
export async function writeRootfs(root: string, programs: Record<string, string>): Promise<void> {
  for (const [target, source] of Object.entries(programs)) {
    await place(root, source, target);
    for (const library of await sharedLibraries(source)) await place(root, library, library);
  }
  await mkdir(join(root, "tmp"), { recursive: true });
  await chmod(join(root, "tmp"), 0o1777);
  await mkdir(join(root, "etc"), { recursive: true });
  await writeFile(join(root, "etc/passwd"), ACCOUNTS);
  await writeFile(join(root, "etc/nsswitch.conf"), "hosts: files dns\n");
  for (const tree of OPTIONAL_TREES) {
    if (!(await stat(tree).catch(() => undefined))) continue;
    await mkdir(dirname(join(root, tree)), { recursive: true });
    await cp(tree, join(root, tree), { recursive: true, verbatimSymlinks: true });
  }
}

/** A short name for the contents of files, for use as an image tag. */
export async function contentTag(files: string[], ...more: string[]): Promise<string> {
  const hash = createHash("sha256");
  for (const text of more) hash.update(`${text}\0`);
  for (const file of files) hash.update(file).update(await readFile(file));
  return hash.digest("hex").slice(0, 12);
}
