import type { z } from "zod";
import { type Issue, PunctualError } from "../core/errors.js";
import { expectation, UNKNOWN } from "./issue-words.js";

/** Reads `input` by a schema; what is wrong with it is said in our words. */
export const read = <T extends z.ZodType>(schema: T, input: unknown): z.ZodSafeParseResult<z.output<T>> =>
  schema.safeParse(input, { error: expectation });

/** Reads `input` by a schema or throws an `invalid` error that names each field. */
export function parseWith<T extends z.ZodType>(schema: T, input: unknown, what: string): z.output<T> {
  const result = read(schema, input);
  if (result.success) return result.data;
  const issues: Issue[] = result.error.issues.map((issue) => ({
    path: pathOf(issue.path),
    message: sentenceOf(issue, input),
  }));
  throw new PunctualError("invalid", `${what}: ${issues.map(wordsOf).join("; ")}`, { issues });
}

const wordsOf = (issue: Issue): string =>
  issue.path === "" ? issue.message : `${issue.path}: ${issue.message}`;

function pathOf(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === "number") return `${text}[${key}]`;
    return text === "" ? String(key) : `${text}.${String(key)}`;
  }, "");
}

/** What came is added where a schema does not name it. */
function sentenceOf(issue: z.core.$ZodIssue, input: unknown): string {
  const { message, path } = issue;
  return message.startsWith(UNKNOWN) || /\bgot\b/.test(message)
    ? message
    : `${message}, got ${show(valueAt(input, path))}`;
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) => (value as Record<PropertyKey, unknown> | undefined)?.[key],
    input,
  );
}

/** A value as an error message shows it: JSON, cut. */
export function show(value: unknown): string {
  const text =
    value === undefined
      ? "nothing"
      : typeof value === "number"
        ? String(value)
        : (jsonOf(value) ?? typeof value);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

/** Undefined for what has no JSON, as a function, a BigInt, or a circle. */
export function jsonOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}

/** JSON or an `invalid` error. */
export function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new PunctualError("invalid", `${what}: expected JSON, got ${show(text)}`, {
      issues: [{ path: "", message: "expected JSON" }],
      cause,
    });
  }
}
