/** `promtool`, of Debian's package `prometheus`: judges what Prometheus would read. In CI it has to be there. */
import { spawn } from "node:child_process";
import { test } from "vitest";

interface Verdict {
  status: number;
  said: string;
}

/** Resolves to null where there is no promtool. */
function run(args: readonly string[], input: string): Promise<Verdict | null> {
  return new Promise((resolve, reject) => {
    const child = spawn("promtool", args, { stdio: ["pipe", "pipe", "pipe"] });
    let said = "";
    child.stdout.on("data", (piece) => {
      said += piece;
    });
    child.stderr.on("data", (piece) => {
      said += piece;
    });
    child.once("error", (error: NodeJS.ErrnoException) =>
      error.code === "ENOENT" ? resolve(null) : reject(error),
    );
    child.once("close", (status) => resolve({ status: status ?? -1, said }));
    child.stdin.on("error", () => {});
    child.stdin.end(input);
  });
}

const isThere = (await run(["--version"], "")) !== null;

/** A test that needs it. */
export const promtoolTest = test.skipIf(!isThere && !process.env.CI);

export async function promtool(args: readonly string[], input = ""): Promise<Verdict> {
  const verdict = await run(args, input);
  if (verdict === null) throw new Error("promtool is missing: install the package prometheus");
  return verdict;
}
