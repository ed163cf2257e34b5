import { type Logger, pino } from "pino";
import { invalid } from "../core/errors.js";
import { prettyLine } from "./pretty.js";

export type { Logger } from "pino";

type Environment = Readonly<Record<string, string | undefined>>;

const LEVELS = [...Object.values(pino.levels.labels), "silent"];
/** The first that is set counts. */
const VARIABLES = ["PUNCTUAL_LOG", "LOG_LEVEL"];

/**
 * The level that the environment asks for.
 *
 * @throws invalid naming the variable
 */
export function logLevel(env: Environment, otherwise: string): string {
  const name = VARIABLES.find((variable) => env[variable] !== undefined && env[variable] !== "");
  if (name === undefined) return otherwise;
  const level = env[name] as string;
  if (!LEVELS.includes(level))
    throw invalid(name, `expected one of ${LEVELS.join(", ")}, got ${JSON.stringify(level)}`);
  return level;
}

/**
 * Lines on stderr, so that stdout stays free for a command's own output: JSON, or text for people when stderr is a
 * terminal. Level: `PUNCTUAL_LOG`, else `LOG_LEVEL`, else `info`.
 */
export function createLogger(level: string = logLevel(process.env, "info")): Logger {
  const stderr = pino.destination({ fd: 2, sync: true });
  const pretty = { write: (line: string) => stderr.write(prettyLine(line)) };
  return pino({ level, base: null }, process.stderr.isTTY ? pretty : stderr);
}

/** Says nothing: the default inside a program. */
export const silentLogger: Logger = pino({ level: "silent" });
