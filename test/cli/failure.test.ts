import { CommanderError } from "commander";
import { expect, test } from "vitest";
import { exitCodes, failureOf } from "../../src/cli/failure.js";
import { invalid, PunctualError } from "../../src/core/errors.js";
import { statusOf } from "../../src/protocol/api.js";

test("every code has an exit status of its own, and none is 0", () => {
  expect(Object.keys(exitCodes).sort()).toEqual(Object.keys(statusOf).sort());
  expect(new Set(Object.values(exitCodes)).size).toBe(Object.keys(exitCodes).length);
  expect(Object.values(exitCodes)).not.toContain(0);
});

test.each([
  [invalid("--cron", "expected a line"), 2, "punctual: --cron: expected a line"],
  [
    new PunctualError("not_found", "schedule a does not exist"),
    4,
    'punctual: schedule a does not exist; see "punctual schedule list"',
  ],
  [
    new PunctualError("not_found", "calendar a does not exist"),
    4,
    'punctual: calendar a does not exist; see "punctual calendar list"',
  ],
  [
    new PunctualError("not_found", "backfill a does not exist"),
    4,
    'punctual: backfill a does not exist; see "punctual backfill list"',
  ],
  [
    new PunctualError("not_found", "alert a does not exist"),
    4,
    'punctual: alert a does not exist; see "punctual alert list"',
  ],
  [
    new PunctualError("not_found", "heartbeat a does not exist"),
    4,
    'punctual: heartbeat a does not exist; see "punctual heartbeat list"',
  ],
  [
    new PunctualError("not_found", "run a: nothing is known of it"),
    4,
    'punctual: run a: nothing is known of it; see "punctual runs list"',
  ],
  [
    new PunctualError("not_found", "timer a@20260101T000000Z does not wait"),
    4,
    "punctual: timer a@20260101T000000Z does not wait; if its time has come, see its run",
  ],
  [new PunctualError("conflict", "it has changed"), 5, "punctual: it has changed"],
  [
    new PunctualError("unavailable", "no server"),
    6,
    'punctual: no server; "punctual dev" starts everything on this machine',
  ],
  [new Error("two\nlines"), 1, "punctual: two lines; PUNCTUAL_LOG=debug says more"],
  [
    new CommanderError(1, "commander.unknownOption", "error: unknown option '--x'\n(Did you mean --y?)"),
    2,
    "punctual: unknown option '--x' (Did you mean --y?); see \"punctual put --help\"",
  ],
])("%s is told in one line", (error, exitCode, line) => {
  expect(failureOf(error, false, "punctual put --help")).toEqual({ exitCode, line });
});

test("programs get code, message and issues", () => {
  const { line } = failureOf(invalid("--cron", "expected a line"), true, "");
  expect(JSON.parse(line)).toEqual({
    error: {
      code: "invalid",
      message: "--cron: expected a line",
      issues: [{ path: "--cron", message: "expected a line" }],
    },
  });
});
