/** What a suite came to, read from the JSON report of vitest, so that `npm test` can end with what failed. */
import { relative } from "node:path";

export interface Outcome {
  passed: number;
  skipped: number;
  /** What failed, each with where it is and the message. */
  failures: string[];
}

export interface VitestReport {
  numPassedTests: number;
  numPendingTests: number;
  numTodoTests: number;
  testResults: FileReport[];
}

interface FileReport {
  /** The file's path. */
  name: string;
  status: string;
  /** What kept the file from being loaded, if anything did. */
  message: string;
  assertionResults: { status: string; fullName: string; failureMessages: string[] }[];
}

/** @param ok whether vitest itself calls the run good: an error that no test caught makes it bad, and is in no report */
export function outcomeOf(report: VitestReport, ok: boolean): Outcome {
  const failures = report.testResults.flatMap(failuresOf);
  if (failures.length === 0 && !ok) failures.push("no test, but the run: what it printed says why");
  return {
    passed: report.numPassedTests,
    skipped: report.numPendingTests + report.numTodoTests,
    failures,
  };
}

/** A file that could not be loaded has no failed test, and counts as one. */
function failuresOf({ name, status, message, assertionResults }: FileReport): string[] {
  const file = relative(process.cwd(), name);
  const failed = assertionResults.filter((assertion) => assertion.status === "failed");
  if (failed.length === 0 && status === "failed") return [described(file, [message])];
  return failed.map(({ fullName, failureMessages }) => described(`${file}: ${fullName}`, failureMessages));
}

/** Without the lines of the stack that are in libraries. */
function described(place: string, messages: string[]): string {
  const lines = messages.flatMap((message) => message.split("\n"));
  const own = lines.filter((line) => !/node_modules|\(<anonymous>\)$/.test(line));
  return [place, ...own.map((line) => `  ${line}`)].join("\n");
}
