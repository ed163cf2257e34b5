/** How a command fails: one line on stderr that says what to do, and an exit status that scripts can tell apart. */
import { CommanderError } from "commander";
import { type ErrorCode, messageOf, PunctualError } from "../core/errors.js";

export const exitCodes: Readonly<Record<ErrorCode, number>> = {
  internal: 1,
  invalid: 2,
  denied: 3,
  not_found: 4,
  conflict: 5,
  unavailable: 6,
  timeout: 7,
  full: 8,
  unsupported: 9,
};

const hints: Readonly<Partial<Record<ErrorCode, string>>> = {
  denied: "sign in with --creds, --nkey, --user and --password, or --token",
  unavailable: '"punctual dev" starts everything on this machine',
  timeout: 'see "punctual health"; the request may or may not have been carried out',
  full: "nothing was stored; let the workers catch up and try again",
  internal: "PUNCTUAL_LOG=debug says more",
};

export interface Failure {
  exitCode: number;
  /** For stderr. */
  line: string;
}

/** @param usage the command line that shows help, as in `punctual schedule put --help` */
export function failureOf(error: unknown, json: boolean, usage: string): Failure {
  const { code, message, issues } = readError(error, usage);
  const text = oneLine(message);
  const hint = code === "not_found" ? whereToLook(text) : hints[code];
  const line = json
    ? JSON.stringify({ error: { code, message: text, issues } })
    : `punctual: ${text}${hint === undefined ? "" : `; ${hint}`}`;
  return { exitCode: exitCodes[code], line };
}

/** The list that has what was probably meant. */
function whereToLook(message: string): string {
  const [kind = "schedule"] =
    /^(calendar|backfill|queue|dead|run|timer|alert|heartbeat)(?= )/.exec(message) ?? [];
  if (kind === "timer") return "if its time has come, see its run";
  return `see "punctual ${kind === "run" ? "runs" : kind} list"`;
}

function readError(error: unknown, usage: string): Pick<PunctualError, "code" | "message" | "issues"> {
  if (error instanceof PunctualError) return error;
  if (error instanceof CommanderError) {
    const message = error.message.replace(/^error: /, "");
    return { code: "invalid", message: `${message}; see "${usage}"`, issues: [] };
  }
  return { code: "internal", message: messageOf(error), issues: [] };
}

/** Control characters could move the cursor or forge a second line. */
export function oneLine(text: string): string {
  return text.replace(/\p{Cc}+/gu, " ").trim();
}
