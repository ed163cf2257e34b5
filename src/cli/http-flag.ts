/** `--http`: where a process that keeps running shows its metrics and its health. */
import { type Command, Option } from "commander";
import { namingFlags } from "./flags.js";
import type { CliContext, HttpOption, Punctual } from "./runtime.js";
import type { Session } from "./session.js";

const VARIABLE = "PUNCTUAL_HTTP";

export interface HttpFlag {
  http?: string;
}

export const addHttpFlag = (command: Command): Command =>
  command.addOption(
    new Option(
      "--http <address>",
      `serve /metrics, /livez and /readyz at a port of this machine, or at host:port (default: not) [${VARIABLE}]`,
    ),
  );

/** The flag, or else its variable. */
export function httpOption({ http }: HttpFlag, { env }: CliContext): HttpOption {
  const given = http ?? env[VARIABLE];
  return given === undefined || given === "" ? {} : { http: given };
}

/** Errors about the address name the flag. */
export const namingHttp = <T>(start: () => Promise<T>): Promise<T> =>
  namingFlags([], { http: "--http" }, start);

export function showUrls({ output }: Session, { httpUrls }: Punctual): void {
  for (const url of httpUrls) output.note(`metrics and health at ${url}`);
}
