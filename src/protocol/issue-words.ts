/** What is wrong with a value, in our words: what was expected. Schemas that say it themselves are left alone. */
import type { z } from "zod";

const THINGS: Readonly<Record<string, string>> = {
  array: "a list",
  boolean: "true or false",
  function: "a function",
  int: "a whole number",
  nonoptional: "a value",
  null: "null",
  number: "a number",
  object: "an object",
  record: "an object",
  string: "a text",
  tuple: "a list",
  undefined: "nothing",
};

const UNITS: Readonly<Record<string, string>> = { array: " entries", string: " characters" };

export const UNKNOWN = "unknown field";

/** For the parse: what zod would say otherwise names its own terms. Null: zod's words. */
export function expectation(issue: z.core.$ZodRawIssue): string | null {
  switch (issue.code) {
    case "invalid_type":
      return `expected ${THINGS[issue.expected] ?? issue.expected}`;
    case "too_small":
      return `expected at least ${issue.minimum}${UNITS[issue.origin] ?? ""}`;
    case "too_big":
      return `expected at most ${issue.maximum}${UNITS[issue.origin] ?? ""}`;
    case "invalid_value":
      return `expected ${oneOf(issue.values)}`;
    case "invalid_union":
      return `expected ${issue.options === undefined ? "JSON" : oneOf(issue.options as readonly unknown[])}`;
    case "unrecognized_keys":
      return `${UNKNOWN} ${issue.keys.map((key) => JSON.stringify(key)).join(", ")}`;
    case "invalid_key":
      return issue.issues[0]?.message ?? null;
    default:
      return null;
  }
}

function oneOf(values: readonly unknown[]): string {
  return `${values.length > 1 ? "one of " : ""}${values.map((value) => JSON.stringify(value)).join("|")}`;
}
