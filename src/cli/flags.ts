/** Flags that stand for the fields of a request: read into it, and named in its errors. */
import { type Command, Option } from "commander";
import { type Issue, invalid, PunctualError } from "../core/errors.js";
import { parseJson } from "../protocol/parse.js";

export interface Flag {
  /** As commander reads it: `--time-zone <name>`. */
  flags: string;
  /** The field of the request, as in `retry.maxAttempts`. */
  field: string;
  kind: "text" | "list" | "number" | "duration" | "json" | "switch" | "headers" | "labels";
  text: string;
}

type Values = Readonly<Record<string, unknown>>;

export function addFlags(command: Command, flags: readonly Flag[]): Command {
  for (const flag of flags) {
    const option = new Option(flag.flags, flag.text);
    if (flag.kind === "headers" || flag.kind === "labels" || flag.kind === "list")
      option.argParser((value: string, before: string[] | undefined) => [...(before ?? []), value]);
    command.addOption(option);
  }
  return command;
}

/** What was given, as a request with its fields in their places. */
export async function readFlags(
  flags: readonly Flag[],
  options: Values,
  readText: (path: string) => Promise<string>,
): Promise<Record<string, unknown>> {
  const request: Record<string, unknown> = {};
  for (const flag of flags) {
    const given = options[new Option(flag.flags).attributeName()];
    if (given === undefined) continue;
    const [head, tail] = flag.field.split(".") as [string, string | undefined];
    const value = await read(flag, given, readText);
    if (tail === undefined) request[head] = value;
    else request[head] = { ...(request[head] as object | undefined), [tail]: value };
  }
  return request;
}

async function read(
  flag: Flag,
  given: unknown,
  readText: (path: string) => Promise<string>,
): Promise<unknown> {
  const name = nameOf(flag);
  if (flag.kind === "switch") return given === true;
  if (flag.kind === "headers") return pairsOf(name, given as string[], ":", "Name: value");
  if (flag.kind === "labels") return pairsOf(name, given as string[], "=", "key=value");
  if (flag.kind === "list") return (given as string[]).length === 1 ? (given as string[])[0] : given;
  const text = String(given);
  if (flag.kind === "json") return readPayload(name, text, readText);
  if (flag.kind === "duration") return /^\d+$/.test(text) ? Number(text) : text;
  if (flag.kind === "text") return text;
  if (text.trim() === "" || Number.isNaN(Number(text)))
    throw invalid(name, `expected a number, got ${JSON.stringify(text)}`);
  return Number(text);
}

/** JSON as it stands, or `@FILE`. */
export async function readPayload(
  name: string,
  text: string,
  readText: (path: string) => Promise<string>,
): Promise<unknown> {
  if (text.startsWith("@")) return parseJson(await readText(text.slice(1)), `${name} ${text}`);
  try {
    return parseJson(text, name);
  } catch (cause) {
    throw new PunctualError(
      "invalid",
      `${(cause as Error).message}; a text goes in double quotes: '"text"'`,
      {
        issues: [{ path: name, message: "expected JSON" }],
        cause,
      },
    );
  }
}

export function pairsOf(
  name: string,
  lines: readonly string[],
  separator: string,
  form: string,
): Record<string, string> {
  const pairs: Record<string, string> = {};
  for (const line of lines) {
    const at = line.indexOf(separator);
    if (at < 1) throw invalid(name, `expected "${form}", got ${JSON.stringify(line)}`);
    pairs[line.slice(0, at).trim()] = line.slice(at + 1).trim();
  }
  return pairs;
}

const nameOf = (flag: Flag): string => flag.flags.split(/[ ,]/)[0] ?? flag.flags;

/** Where an `invalid` error names a field of the request, lets it name what the user typed instead. */
export async function namingFlags<T>(
  flags: readonly Flag[],
  others: Readonly<Record<string, string>>,
  request: () => T | Promise<T>,
): Promise<T> {
  try {
    return await request();
  } catch (error) {
    if (!(error instanceof PunctualError) || error.code !== "invalid" || error.issues.every(isOfNoFlag))
      throw error;
    const names = new Map([...flags.map((f) => [f.field, nameOf(f)] as const), ...Object.entries(others)]);
    const issues = error.issues.map((issue) => renamed(issue, names));
    const message = issues.map((i) => (i.path === "" ? i.message : `${i.path}: ${i.message}`)).join("; ");
    throw new PunctualError("invalid", message, { issues, cause: error });
  }
}

/** A field of a file that is none, or a stored record that cannot be read: no flag would mend it. */
const isOfNoFlag = ({ path, message }: Issue): boolean =>
  ["", "schedule"].includes(path) && (message.startsWith("unknown field ") || message === "expected JSON");

/** `schedule.retry.factor` → `--retry-factor`; `schedule.headers.X-A` → `--header X-A`; `allow[0]` → `--allow`. */
function renamed(issue: Issue, names: ReadonlyMap<string, string>): Issue {
  if (isOfNoFlag(issue)) return issue;
  const whole = names.get(issue.path);
  if (whole !== undefined) return { path: whole, message: issue.message };
  const field = issue.path.replace(/^schedule\./, "").replace(/\[\d+\]$/, "");
  for (let end = field.length; end > 0; end = field.lastIndexOf(".", end - 1)) {
    const name = names.get(field.slice(0, end));
    const rest = field.slice(end + 1);
    if (name !== undefined) return { path: rest === "" ? name : `${name} ${rest}`, message: issue.message };
  }
  return issue;
}
