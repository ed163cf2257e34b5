/**
 * All tests, suite after suite. It ends with what failed, if anything did, and the last line is
 * `N passed, N failed, N skipped`; the exit status is 1 when anything failed. What a machine cannot run is skipped with one line that says so; in CI it fails.
 */
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { dockerAnswers } from "./containers/support/docker.js";
import { missingTools } from "./model/verify.js";
import { type Outcome, outcomeOf, type VitestReport } from "./report.js";

const SUITE_LIMIT_MS = 15 * 60_000;
const SKIPPED: Outcome = { passed: 0, skipped: 1, failures: [] };
const inCi = Boolean(process.env.CI);

/** Runs a Node script in a process of its own; what it prints is shown, and the end of it returned. */
async function runScript(args: string[], capture: boolean): Promise<{ ok: boolean; printed: string }> {
  const stdout = capture ? "pipe" : "inherit";
  const child = spawn(process.execPath, args, {
    stdio: ["ignore", stdout, "inherit"],
    timeout: SUITE_LIMIT_MS,
  });
  let printed = "";
  child.stdout?.on("data", (piece: Buffer) => {
    process.stdout.write(piece);
    printed += piece.toString();
  });
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { ok: code === 0, printed };
}

async function vitest(project: string): Promise<Outcome> {
  const folder = await mkdtemp(join(tmpdir(), "punctual-test-"));
  const file = join(folder, "report.json");
  try {
    const program = join(
      dirname(createRequire(import.meta.url).resolve("vitest/package.json")),
      "vitest.mjs",
    );
    const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${file}`];
    const { ok } = await runScript([program, "run", "--project", project, ...reporters], false);
    const report = JSON.parse(await readFile(file, "utf8")) as VitestReport;
    return outcomeOf(report, ok);
  } catch (error) {
    return crashed(`the ${project} suite left no report: ${error}`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function crashed(why: string): Outcome {
  return { passed: 0, skipped: 0, failures: [why] };
}

async function containers(): Promise<Outcome> {
  if (inCi || (await dockerAnswers())) return vitest("containers");
  console.log("skipped: the container tests, as no Docker daemon answers (.ci/docker.sh start starts one)");
  return SKIPPED;
}

async function models(): Promise<Outcome> {
  const missing = await missingTools();
  if (missing.length > 0 && !inCi) {
    console.log(`skipped: the protocol's models, as there is no ${missing.join(" and no ")}`);
    return SKIPPED;
  }
  const script = join(import.meta.dirname, "model/run.ts");
  const { ok, printed } = await runScript(["--import", "tsx", script], true);
  const [, passed, skipped] = /(\d+) passed, \d+ failed, (\d+) skipped\s*$/.exec(printed) ?? [];
  if (passed === undefined) return crashed("the models left no counts");
  const failures = printed.split("\n").filter((line) => line.startsWith("FAIL"));
  if (failures.length === 0 && !ok) failures.push("no model, but the run: what it printed says why");
  return { passed: Number(passed), skipped: Number(skipped), failures };
}

const suites: Record<string, () => Promise<Outcome>> = {
  unit: () => vitest("unit"),
  integration: () => vitest("integration"),
  clients: () => vitest("clients"),
  containers,
  models,
};

const total: Outcome = { passed: 0, skipped: 0, failures: [] };
for (const [name, run] of Object.entries(suites)) {
  console.log(`\n== ${name}`);
  const { passed, skipped, failures } = await run();
  total.passed += passed;
  total.skipped += skipped;
  total.failures.push(...failures);
}
for (const failure of total.failures) console.log(`\nfailed: ${failure}`);
console.log(`\n${total.passed} passed, ${total.failures.length} failed, ${total.skipped} skipped`);
process.exit(total.failures.length > 0 ? 1 : 0);
