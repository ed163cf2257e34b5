/**
 * All tests, suite after suite. The last line is `N passed, N failed, N skipped`; the exit status is 1 when
 * anything failed. What a machine cannot run is skipped with one line that says so; in CI it fails.
 */
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { dockerAnswers } from "./containers/support/docker.js";
import { missingTools } from "./model/verify.js";

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

interface VitestReport {
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  numTodoTests: number;
  testResults: { status: string; assertionResults: { status: string }[] }[];
}

const SUITE_LIMIT_MS = 15 * 60_000;
const CRASHED: Counts = { passed: 0, failed: 1, skipped: 0 };
const SKIPPED: Counts = { passed: 0, failed: 0, skipped: 1 };
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

async function vitest(project: string): Promise<Counts> {
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
    return count(report, ok);
  } catch (error) {
    console.error(`the ${project} suite left no report: ${error}`);
    return CRASHED;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A file that could not be loaded has no failed test, and an unhandled error belongs to none: they count too. */
function count(report: VitestReport, ok: boolean): Counts {
  const broken = report.testResults.filter(
    ({ status, assertionResults }) =>
      status === "failed" && !assertionResults.some((assertion) => assertion.status === "failed"),
  );
  const failed = report.numFailedTests + broken.length;
  return {
    passed: report.numPassedTests,
    failed: failed === 0 && !ok ? 1 : failed,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

async function containers(): Promise<Counts> {
  if (inCi || (await dockerAnswers())) return vitest("containers");
  console.log("skipped: the container tests, as no Docker daemon answers (.ci/docker.sh start starts one)");
  return SKIPPED;
}

async function models(): Promise<Counts> {
  const missing = await missingTools();
  if (missing.length > 0 && !inCi) {
    console.log(`skipped: the protocol's models, as there is no ${missing.join(" and no ")}`);
    return SKIPPED;
  }
  const script = join(import.meta.dirname, "model/run.ts");
  const { ok, printed } = await runScript(["--import", "tsx", script], true);
  const [, passed, failed, skipped] = /(\d+) passed, (\d+) failed, (\d+) skipped\s*$/.exec(printed) ?? [];
  if (passed === undefined) return CRASHED;
  return { passed: Number(passed), failed: Math.max(Number(failed), ok ? 0 : 1), skipped: Number(skipped) };
}

const suites: Record<string, () => Promise<Counts>> = {
  unit: () => vitest("unit"),
  integration: () => vitest("integration"),
  clients: () => vitest("clients"),
  containers,
  models,
};

const total: Counts = { passed: 0, failed: 0, skipped: 0 };
for (const [name, run] of Object.entries(suites)) {
  console.log(`\n== ${name}`);
  const counts = await run();
  total.passed += counts.passed;
  total.failed += counts.failed;
  total.skipped += counts.skipped;
}
console.log(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exit(total.failed > 0 ? 1 : 0);
