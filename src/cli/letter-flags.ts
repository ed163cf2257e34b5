/** Which dead letters are meant, as the commands take it. */
import type { Command } from "commander";
import type { LetterChoice, LetterFilter } from "../client/dead-letters.js";
import { invalid } from "../core/errors.js";
import { addFlags, type Flag, readFlags } from "./flags.js";
import { instantOf } from "./time-flag.js";

export const letterFlags: readonly Flag[] = [
  { flags: "--queue <queue>", field: "queue", kind: "text", text: "only those of this queue" },
  { flags: "--schedule <id>", field: "schedule", kind: "text", text: "only those of this schedule" },
  { flags: "--run <id>", field: "run", kind: "text", text: "only that of this run" },
  { flags: "--reason <text>", field: "reason", kind: "text", text: "only those with this in their reason" },
  { flags: "--error <text>", field: "error", kind: "text", text: "only those with this in their error" },
  { flags: "--since <time>", field: "since", kind: "text", text: "only those that died then or later" },
  { flags: "--until <time>", field: "until", kind: "text", text: "only those that died before" },
];

/** What an error names in a request, and what the user typed. */
export const letterNames: Readonly<Record<string, string>> = {
  id: "ID",
  rate: "--rate",
  ...Object.fromEntries(
    letterFlags.map(({ field, flags }) => [`filter.${field}`, flags.split(" ")[0] ?? ""]),
  ),
};

export type LetterOptions = Record<string, unknown> & { all?: boolean; rate?: string; limit?: string };

export function addLetterFlags(command: Command): Command {
  return addFlags(command, letterFlags);
}

export async function filterOf(options: LetterOptions): Promise<LetterFilter> {
  const { since, until, ...rest } = await readFlags(letterFlags, options, () => Promise.resolve(""));
  return {
    ...rest,
    ...(since !== undefined && { since: instantOf("--since", String(since)) }),
    ...(until !== undefined && { until: instantOf("--until", String(until)) }),
  };
}

export function letterId(text: string): number {
  if (/^[1-9]\d{0,15}$/.test(text)) return Number(text);
  throw invalid("ID", `expected the number of a dead letter, got ${JSON.stringify(text)}`);
}

/** One letter, or those that are chosen; everything only if it is asked for. */
export async function choiceOf(
  id: string | undefined,
  options: LetterOptions,
): Promise<number | LetterChoice> {
  const filter = await filterOf(options);
  const isFiltered = Object.keys(filter).length > 0;
  const given = [id !== undefined, isFiltered, options.all === true].filter(Boolean).length;
  if (given !== 1)
    throw invalid("", "expected one of an ID, flags that choose by, as --queue mail, and --all");
  if (id !== undefined) return letterId(id);
  return isFiltered ? filter : "all";
}
