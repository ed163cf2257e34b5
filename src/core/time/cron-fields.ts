/**
 * The grammar of a cron line.
 *
 * `cron-parser` says which values an item stands for; it is asked one item at a time (`1-5/2` of
 * `1-5/2,9`), in a line whose other fields are harmless. That names the field at fault, and keeps away what it
 * does silently with whole lines: missing fields are filled in, days are dropped that the month lacks, and the
 * empty line means every minute. What an item may look like is checked here first, because it also reads
 * `JANFEB` as December and picks a random value for `H`.
 */
import { CronExpressionParser } from "cron-parser";
import { invalid, type PunctualError } from "../errors.js";

/** One field of a line. */
export interface CronField {
  /** False only for a literal `*` or `?`. */
  readonly restricted: boolean;
  /** The plain values, sorted, each once. Day of week: 0 is Sunday, never 7. */
  readonly values: readonly number[];
  /** At `i`: the smallest value not below `i`, or -1; from 0 to one past the largest possible value. */
  readonly next: Int8Array;
  /** Day of month: 1 when `L`, the last day, is among the items. Day of week: bit `n` for `nL`. */
  readonly last: number;
  /** Day of week: bit `n` of entry `k - 1` for `n#k`, the k-th such weekday of the month. */
  readonly nth: readonly number[];
}

export interface CronFields {
  readonly second: CronField;
  readonly minute: CronField;
  readonly hour: CronField;
  readonly dayOfMonth: CronField;
  readonly month: CronField;
  readonly dayOfWeek: CronField;
  /** The hour field is a value or a list of values; else the line is rhythmic. Decides what a change of offset does. */
  readonly daily: boolean;
}

type FieldName = Exclude<keyof CronFields, "daily">;

interface FieldGrammar {
  name: FieldName;
  label: string;
  min: number;
  max: number;
  /** Names of the values from `min` on, in lower case. */
  names: readonly string[];
  /** Items beyond values, ranges and steps. */
  special?: RegExp;
  expected: string;
}

const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

const GRAMMAR: readonly FieldGrammar[] = [
  { name: "second", label: "second", min: 0, max: 59, names: [], expected: "0-59" },
  { name: "minute", label: "minute", min: 0, max: 59, names: [], expected: "0-59" },
  { name: "hour", label: "hour", min: 0, max: 23, names: [], expected: "0-23" },
  {
    name: "dayOfMonth",
    label: "day of month",
    min: 1,
    max: 31,
    names: [],
    special: /^L$/,
    expected: "1-31 or L, the last day",
  },
  {
    name: "month",
    label: "month",
    min: 1,
    max: 12,
    names: MONTHS,
    expected: "1-12 or JAN-DEC",
  },
  {
    name: "dayOfWeek",
    label: "day of week",
    min: 0,
    max: 7,
    names: WEEKDAYS,
    special: new RegExp(`^(?:[0-7]|${WEEKDAYS.join("|")})(?:L|#[1-5])$`, "i"),
    expected: "0-7 or SUN-SAT, 5L for the last Friday, 5#2 for the second Friday",
  },
];

const NICKNAMES: Readonly<Record<string, string>> = {
  "@yearly": "0 0 1 1 *",
  "@annually": "0 0 1 1 *",
  "@monthly": "0 0 1 * *",
  "@weekly": "0 0 * * 0",
  "@daily": "0 0 * * *",
  "@midnight": "0 0 * * *",
  "@hourly": "0 * * * *",
};

/** Longer lines only repeat themselves. */
const MAX_LENGTH = 1024;
const MAX_CACHED = 4096;

/** A million schedules are written in a few hundred different fields; each is read once. */
const cache = new Map<string, CronField>();

/** Reads a cron line. Refuses as `invalid` what is not one, and a line that can never fire. */
export function parseCronFields(expression: string): CronFields {
  const texts = split(expression);
  const [second, minute, hour, dayOfMonth, month, dayOfWeek] = GRAMMAR.map((grammar, index) =>
    cachedField(grammar, texts[index]!),
  ) as [CronField, CronField, CronField, CronField, CronField, CronField];
  const daily = /^\d+(?:,\d+)*$/.test(texts[2]!);
  const fields = { second, minute, hour, dayOfMonth, month, dayOfWeek, daily };
  if (!canFire(fields)) {
    throw refused(`"${expression}" can never fire: no month it names has such a day`);
  }
  return fields;
}

function refused(message: string): PunctualError {
  return invalid("expression", message);
}

/** Six texts, seconds first. */
function split(expression: string): string[] {
  const line = expression.trim();
  if (line.length > MAX_LENGTH) {
    throw refused(`expected at most ${MAX_LENGTH} characters, got ${line.length}`);
  }
  if (line.startsWith("@")) return ["0", ...nickname(line).split(" ")];
  const texts = line === "" ? [] : line.split(/\s+/);
  if (texts.length === 5) return ["0", ...texts];
  if (texts.length === 6) return texts;
  throw refused(
    `expected 5 fields (minute, hour, day of month, month, day of week), 6 with leading seconds, or a nickname such as @daily, got ${texts.length} ${texts.length === 1 ? "field" : "fields"} in ${JSON.stringify(expression)}`,
  );
}

function nickname(line: string): string {
  if (Object.hasOwn(NICKNAMES, line)) return NICKNAMES[line]!;
  if (line === "@reboot") {
    throw refused("@reboot is not supported: it names no time, and no machine owns a schedule");
  }
  if (line.startsWith("@every")) {
    throw refused(`expected a cron line, got "${line}"; a fixed interval is a spec of kind "every"`);
  }
  throw refused(`expected one of ${Object.keys(NICKNAMES).join(", ")}, got "${line}"`);
}

function cachedField(grammar: FieldGrammar, text: string): CronField {
  const key = `${grammar.name} ${text}`;
  const known = cache.get(key);
  if (known !== undefined) return known;
  const field = readField(grammar, text);
  if (cache.size >= MAX_CACHED) cache.clear();
  cache.set(key, field);
  return field;
}

function readField(grammar: FieldGrammar, text: string): CronField {
  const values = new Set<number>();
  const nth = [0, 0, 0, 0, 0];
  let last = 0;
  for (const item of text.split(",")) {
    checkItem(grammar, text, item);
    const read = readItem(grammar, text, item);
    if (item.includes("#")) nth[read.nthDay - 1]! |= 1 << (Number(read.values[0]) % 7);
    else if (item === "L") last = 1;
    else if (grammar.special?.test(item)) last |= 1 << (Number.parseInt(String(read.values[0]), 10) % 7);
    else for (const value of read.values) values.add(grammar.max === 7 ? Number(value) % 7 : Number(value));
  }
  const sorted = [...values].sort((a, b) => a - b);
  const restricted = text !== "*" && text !== "?";
  return { restricted, values: sorted, next: nextTable(sorted, grammar.max), last, nth };
}

function nextTable(values: readonly number[], max: number): Int8Array {
  const table = new Int8Array(max + 2).fill(-1);
  const present = new Set(values);
  for (let i = max; i >= 0; i--) table[i] = present.has(i) ? i : table[i + 1]!;
  return table;
}

function readItem(grammar: FieldGrammar, text: string, item: string) {
  const line = GRAMMAR.map((other) => (other === grammar ? item : "*")).join(" ");
  try {
    // The date and the zone keep it from reading the clock and the zone of this machine.
    const { fields } = CronExpressionParser.parse(line, { currentDate: 0, tz: "UTC" });
    const values: readonly (number | string)[] = fields[grammar.name].values;
    return { values, nthDay: fields.dayOfWeek.nthDay };
  } catch {
    throw badItem(grammar, text, item);
  }
}

/** Refuses an item that `cron-parser` would misread, or that says something else than it seems to. */
function checkItem(grammar: FieldGrammar, text: string, item: string): void {
  if (grammar.special?.test(item)) return;
  const value = `(?:${["\\d+", ...grammar.names].join("|")})`;
  const plain = new RegExp(`^(?:[*?]|${value}(?:-${value})?)(?:/(\\d+))?$`, "i");
  const match = plain.exec(item);
  if (match === null) throw badItem(grammar, text, item);
  const steps = grammar.name === "dayOfWeek" ? 7 : grammar.max - grammar.min + 1;
  const step = match[1] === undefined ? 1 : Number(match[1]);
  if (step < 1 || step > steps) {
    throw refused(
      `${grammar.label}: expected a step from 1 to ${steps}, got "${text}"; steps start again with each ${OUTER[grammar.name]}`,
    );
  }
}

const OUTER: Readonly<Record<FieldName, string>> = {
  second: "minute",
  minute: "hour",
  hour: "day",
  dayOfMonth: "month",
  month: "year",
  dayOfWeek: "week",
};

function badItem(grammar: FieldGrammar, text: string, item: string): PunctualError {
  const where = item === text ? `"${text}"` : `"${item}" in "${text}"`;
  return refused(
    `${grammar.label}: expected ${grammar.expected}, ranges such as 1-5, steps such as */5, or a list of these, got ${where}${hintFor(grammar, item)}`,
  );
}

function hintFor(grammar: FieldGrammar, item: string): string {
  if (item.includes("=")) return "; the time zone does not belong in the line, it is the field timeZone";
  if (item.includes("H")) return "; hashed values (H) are not supported";
  if (/\dW|LW/.test(item)) return "; the nearest weekday (W) is not supported";
  const [, start, end] = /^(\w+)-(\w+)$/.exec(item) ?? [];
  if (start === undefined || end === undefined || numberOf(grammar, start) <= numberOf(grammar, end))
    return "";
  const highest = grammar.name === "dayOfWeek" ? 6 : grammar.max;
  return `; a range goes upwards: write ${start}-${highest},${grammar.min}-${end}`;
}

function numberOf(grammar: FieldGrammar, value: string): number {
  const named = grammar.names.indexOf(value.toLowerCase());
  return named < 0 ? Number(value) : named + grammar.min;
}

/** Over the four centuries after which the calendar repeats, every weekday falls on every date. */
function canFire(fields: CronFields): boolean {
  const { dayOfMonth, dayOfWeek, month } = fields;
  if (dayOfWeek.restricted || dayOfMonth.last !== 0) return true;
  const longest = Math.max(
    ...month.values.map((value) => (value === 2 ? 29 : 30 + ((value + (value >> 3)) & 1))),
  );
  return dayOfMonth.values[0]! <= longest;
}
