/** What each field of a cron line may say, and the errors that tell it. */
import type { PunctualError } from "../errors.js";
import { type FieldText, refused } from "./cron-line.js";

export type FieldName = "second" | "minute" | "hour" | "dayOfMonth" | "month" | "dayOfWeek";

export interface FieldGrammar {
  readonly name: FieldName;
  readonly label: string;
  readonly min: number;
  readonly max: number;
  /** The largest value that `H` may stand for: no month lacks it, and Sunday counts once. */
  readonly maxHashed: number;
  /** Names of the values from `min` on, in lower case. */
  readonly names: readonly string[];
  /** Items beyond values, ranges and steps. */
  readonly special?: RegExp;
  readonly expected: string;
  readonly example: string;
  /** After which unit its steps start again. */
  readonly outer: string;
}

const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/** In the order of a line. */
export const GRAMMAR: readonly FieldGrammar[] = [
  {
    name: "second",
    label: "second",
    min: 0,
    max: 59,
    maxHashed: 59,
    names: [],
    expected: "0-59",
    example: "30 0 3 * * *",
    outer: "minute",
  },
  {
    name: "minute",
    label: "minute",
    min: 0,
    max: 59,
    maxHashed: 59,
    names: [],
    expected: "0-59",
    example: "*/5 * * * *",
    outer: "hour",
  },
  {
    name: "hour",
    label: "hour",
    min: 0,
    max: 23,
    maxHashed: 23,
    names: [],
    expected: "0-23",
    example: "30 3 * * *",
    outer: "day",
  },
  {
    name: "dayOfMonth",
    label: "day of month",
    min: 1,
    max: 31,
    maxHashed: 28,
    names: [],
    special: /^(?:L(?:-(?:[1-9]|[12]\d|30))?W?|(?:0?[1-9]|[12]\d|3[01])W)$/,
    expected:
      "1-31, L for the last day, L-3 for the third day before it, 15W for the weekday nearest to the 15th, LW",
    example: "30 3 L * *",
    outer: "month",
  },
  {
    name: "month",
    label: "month",
    min: 1,
    max: 12,
    maxHashed: 12,
    names: MONTHS,
    expected: "1-12 or JAN-DEC",
    example: "30 3 1 jan,jul *",
    outer: "year",
  },
  {
    name: "dayOfWeek",
    label: "day of week",
    min: 0,
    max: 7,
    maxHashed: 6,
    names: WEEKDAYS,
    special: new RegExp(`^(?:[0-7]|${WEEKDAYS.join("|")})(?:L|#[1-5])$`, "i"),
    expected: "0-7 or SUN-SAT, 5L for the last Friday, 5#2 for the second Friday",
    example: "30 3 * * mon-fri",
    outer: "week",
  },
];

/** The value that a number or a name stands for. */
export function numberOf(grammar: FieldGrammar, value: string): number {
  const named = grammar.names.indexOf(value.toLowerCase());
  return named < 0 ? Number(value) : named + grammar.min;
}

/** A number or a name, as a part of a regular expression. */
export function valuePattern(grammar: FieldGrammar): string {
  return `(?:${["\\d+", ...grammar.names].join("|")})`;
}

export function badItem(grammar: FieldGrammar, field: FieldText, item: FieldText): PunctualError {
  const where = item.text === field.text ? `"${field.text}"` : `"${item.text}" in "${field.text}"`;
  return refusedAt(
    grammar,
    item,
    `expected ${grammar.expected}, ranges such as 1-5, steps such as */5, H for a hashed value, or a list of these, got ${where}${hintFor(grammar, item.text)}`,
  );
}

export function badStep(grammar: FieldGrammar, item: FieldText, steps: number): PunctualError {
  return refusedAt(
    grammar,
    item,
    `expected a step from 1 to ${steps}, got "${item.text}"; steps start again with each ${grammar.outer}`,
  );
}

function refusedAt(grammar: FieldGrammar, { column }: FieldText, message: string): PunctualError {
  return refused(`${grammar.label}, column ${column}: ${message}; for example ${grammar.example}`);
}

function hintFor(grammar: FieldGrammar, item: string): string {
  if (item.includes("=")) return "; the time zone does not belong in the line, it is the field timeZone";
  const [, start, end] = /^(\w+)-(\w+)$/.exec(item) ?? [];
  if (start === undefined || end === undefined || numberOf(grammar, start) <= numberOf(grammar, end))
    return "";
  const highest = grammar.name === "dayOfWeek" ? 6 : grammar.max;
  return `; a range goes upwards: write ${start}-${highest},${grammar.min}-${end}`;
}
