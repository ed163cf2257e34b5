import { execFile } from "node:child_process";
import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Variant, Verdict } from "./variants.js";

const execute = promisify(execFile);

/** Safety only, states compressed; up to 4 GB, of which the largest variant listed uses about 0.8. */
const COMPILE = ["-O1", "-w", "-DSAFETY", "-DCOLLAPSE", "-DVECTORSZ=2048", "-DMEMLIM=4000"];
const DEPTH = 200_000;
const PATIENCE_MS = 240_000;

export interface Outcome {
  /** undefined: the search was not finished, or would not start. */
  verdict: Verdict | undefined;
  /** How many states were looked at; or, without a verdict, why. */
  detail: string;
}

/** Verifies one variant exhaustively in a temporary folder, stopping at the first error. */
export async function verify(variant: Variant): Promise<Outcome> {
  const folder = await mkdtemp(join(tmpdir(), "punctual-model-"));
  const step = (command: string, args: string[]) =>
    execute(command, args, { cwd: folder, timeout: PATIENCE_MS, maxBuffer: 64 * 1024 * 1024 });
  try {
    await copyFile(join(import.meta.dirname, variant.model), join(folder, variant.model));
    await step("spin", ["-a", ...flags(variant), variant.model]);
    await step("cc", [...COMPILE, "-o", "pan", "pan.c"]);
    const { stdout } = await step("./pan", [`-m${DEPTH}`]);
    return judge(stdout);
  } catch (error) {
    return { verdict: undefined, detail: error instanceof Error ? error.message : String(error) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export function flags({ defines }: Variant): string[] {
  const words = defines.split(" ").filter((word) => word !== "");
  return words.map((word) => `-D${word.includes("=") ? word : `${word}=1`}`);
}

function judge(report: string): Outcome {
  const errors = /errors: (\d+)/.exec(report)?.[1];
  const states = /([\d.e+]+) states, stored/.exec(report)?.[1] ?? "?";
  const violation = /pan:1: (assertion violated|invalid end state)/.test(report);
  if (errors === "1" && violation) return { verdict: "caught", detail: `${states} states` };
  const complete = !/Search not completed|max search depth too small|out of memory/.test(report);
  if (errors === "0" && complete) return { verdict: "clean", detail: `${states} states` };
  return { verdict: undefined, detail: `no verdict from: ${report.slice(0, 300)}` };
}

/** The names of the missing programs. */
export async function missingTools(): Promise<string[]> {
  const present = (command: string, args: string[]) =>
    execute(command, args).then(
      () => true,
      () => false,
    );
  const found = { spin: await present("spin", ["-V"]), cc: await present("cc", ["--version"]) };
  return Object.entries(found).flatMap(([name, there]) => (there ? [] : [name]));
}
