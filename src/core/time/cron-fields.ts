/**
 * From a cron line to the values of its fields.
 *
 * `cron-parser` says which values an item stands for; it is asked one item at a time (`1-5/2` of
 * `1-5/2,9`), in a line whose other fields are harmless. That names the item at fault, and keeps away what it
 * does silently with whole lines: missing fields are filled in, days are dropped that the month lacks, and the
 * empty line means every minute. What an item may look like is checked here first, because it also reads
 * `JANFEB` as December and draws the value of `H` anew with each of its releases. `H` is put in plain values
 * before it is asked; `L-3`, `15W` and `LW` it does not know.
 */
import { CronExpressionParser } from "cron-parser";
import { BoundedCache } from "./bounded-cache.js";
import {
  badItem,
  badStep,
  type FieldGrammar,
  type FieldName,
  GRAMMAR,
  numberOf,
  valuePattern,
} from "./cron-grammar.js";
import { hashedItem } from "./cron-hash.js";
import { type FieldText, type LineTexts, refused, splitLine } from "./cron-line.js";

/** One field of a line. */
export interface CronField {
  /** With hashed values put in. */
  readonly text: string;
  /** False only for a literal `*` or `?`. */
  readonly restricted: boolean;
  /** The plain values, sorted, each once. Day of week: 0 is Sunday, never 7. */
  readonly values: readonly number[];
  /** At `i`: the smallest value not below `i`, or -1; from 0 to one past the largest possible value. */
  readonly next: Int8Array;
  /** Day of month: bit `n` for `L-n`, bit 0 for `L`. Day of week: bit `n` for `nL`. */
  readonly last: number;
  /** Day of month: bit `n` for `nW`, the weekday nearest to it. */
  readonly nearest: number;
  /** Day of month: bit `n` for `L-nW`, bit 0 for `LW`. */
  readonly nearestToLast: number;
  /** Day of week: bit `n` of entry `k - 1` for `n#k`, the k-th such weekday of the month. */
  readonly nth: readonly number[];
}

export interface CronFields extends Readonly<Record<FieldName, CronField>> {
  /** The hour field is a value or a list of values; else the line is rhythmic. Decides what a change of offset does. */
  readonly daily: boolean;
}

const cache = new BoundedCache<CronField>(4096);
const splits = new BoundedCache<LineTexts>(1024);

/** Whether the line means something else for another seed. */
export function hasHashedValues(line: string): boolean {
  return /(?:^|[\s,])H/.test(line);
}

/**
 * Reads a cron line. Refuses as `invalid` what is not one, and a line that can never fire. Hashed values come
 * from the seed.
 */
export function parseCronFields(line: string, seed: string): CronFields {
  const texts = splitLine(line);
  const [second, minute, hour, dayOfMonth, month, dayOfWeek] = GRAMMAR.map((grammar, index) =>
    fieldOf(grammar, texts[index]!, seed),
  ) as [CronField, CronField, CronField, CronField, CronField, CronField];
  const daily = /^\d+(?:,\d+)*$/.test(hour.text);
  const fields = { second, minute, hour, dayOfMonth, month, dayOfWeek, daily };
  if (!canFire(fields)) {
    throw refused(`"${line}" can never fire: no month it names has such a day`);
  }
  return fields;
}

/** The line with a value, or a range with a step, instead of each `H`. */
export function plainLine(line: string, seed: string): string {
  let texts = splits.get(line);
  if (texts === undefined) {
    texts = splitLine(line);
    splits.set(line, texts);
  }
  return texts.map((field, index) => plainText(GRAMMAR[index]!, field, seed)).join(" ");
}

function plainText(grammar: FieldGrammar, field: FieldText, seed: string): string {
  if (!hasHashedValues(field.text)) return field.text;
  return itemsOf(field)
    .map((item) => plainItem(grammar, field, item, seed))
    .join(",");
}

function fieldOf(grammar: FieldGrammar, field: FieldText, seed: string): CronField {
  const text = plainText(grammar, field, seed);
  const key = `${grammar.name} ${text}`;
  const known = cache.get(key);
  if (known !== undefined) return known;
  const read = readField(grammar, field, text);
  cache.set(key, read);
  return read;
}

function itemsOf({ text, column }: FieldText): FieldText[] {
  let next = column;
  return text.split(",").map((item) => {
    const at = next;
    next += item.length + 1;
    return { text: item, column: at };
  });
}

/** `H`, `H(a-b)`, `H/n`, `H(a-b)/n`, by field. */
const HASHED = new Map(
  GRAMMAR.map((grammar) => {
    const value = valuePattern(grammar);
    return [grammar, new RegExp(`^H(?:\\((${value})-(${value})\\))?(?:/(\\d+))?$`, "i")];
  }),
);

/** A value, or a range with a step, instead of an `H`. Other items stay, for `readField` to check. */
function plainItem(grammar: FieldGrammar, field: FieldText, item: FieldText, seed: string): string {
  if (!item.text.startsWith("H")) return item.text;
  const match = HASHED.get(grammar)!.exec(item.text);
  if (match === null) throw badItem(grammar, field, item);
  const from = match[1] === undefined ? grammar.min : numberOf(grammar, match[1]);
  const to = match[2] === undefined ? grammar.maxHashed : numberOf(grammar, match[2]);
  if (from < grammar.min || to > grammar.max || from > to) throw badItem(grammar, field, item);
  const step = match[3] === undefined ? undefined : Number(match[3]);
  const steps = to - from + 1;
  if (step !== undefined && (step < 1 || step > steps)) throw badStep(grammar, item, steps);
  return hashedItem(seed, grammar.name, { from, to, step });
}

/** @param text the field with hashed values put in; errors tell what was typed, and where */
function readField(grammar: FieldGrammar, field: FieldText, text: string): CronField {
  const values = new Set<number>();
  const special = { last: 0, nearest: 0, nearestToLast: 0, nth: [0, 0, 0, 0, 0] };
  const plain = text.split(",");
  for (const [index, { column }] of itemsOf(field).entries()) {
    const item = { text: plain[index]!, column };
    checkItem(grammar, field, item);
    if (grammar.name === "dayOfMonth" && grammar.special?.test(item.text)) addDay(special, item.text);
    else addRead(grammar, special, values, readItem(grammar, field, item), item.text);
  }
  const sorted = [...values].sort((a, b) => a - b);
  const restricted = text !== "*" && text !== "?";
  return { text, restricted, values: sorted, next: nextTable(sorted, grammar.max), ...special };
}

type Special = { last: number; nearest: number; nearestToLast: number; nth: number[] };

/** `L`, `L-3`, `LW`, `L-3W`, `15W`. */
function addDay(special: Special, item: string): void {
  const bit = 1 << Number(/\d+/.exec(item)?.[0] ?? 0);
  if (!item.endsWith("W")) special.last |= bit;
  else if (item.startsWith("L")) special.nearestToLast |= bit;
  else special.nearest |= bit;
}

function addRead(
  grammar: FieldGrammar,
  special: Special,
  values: Set<number>,
  read: { values: readonly (number | string)[]; nthDay: number },
  item: string,
): void {
  if (item.includes("#")) special.nth[read.nthDay - 1]! |= 1 << (Number(read.values[0]) % 7);
  else if (grammar.special?.test(item))
    special.last |= 1 << (Number.parseInt(String(read.values[0]), 10) % 7);
  else for (const value of read.values) values.add(grammar.max === 7 ? Number(value) % 7 : Number(value));
}

function nextTable(values: readonly number[], max: number): Int8Array {
  const table = new Int8Array(max + 2).fill(-1);
  const present = new Set(values);
  for (let i = max; i >= 0; i--) table[i] = present.has(i) ? i : table[i + 1]!;
  return table;
}

function readItem(grammar: FieldGrammar, field: FieldText, item: FieldText) {
  const line = GRAMMAR.map((other) => (other === grammar ? item.text : "*")).join(" ");
  try {
    // The date and the zone keep it from reading the clock and the zone of this machine.
    const { fields } = CronExpressionParser.parse(line, { currentDate: 0, tz: "UTC" });
    const values: readonly (number | string)[] = fields[grammar.name].values;
    return { values, nthDay: fields.dayOfWeek.nthDay };
  } catch {
    throw badItem(grammar, field, item);
  }
}

/** Refuses an item that `cron-parser` would misread, or that says something else than it seems to. */
function checkItem(grammar: FieldGrammar, field: FieldText, item: FieldText): void {
  if (grammar.special?.test(item.text)) return;
  const value = valuePattern(grammar);
  const match = new RegExp(`^(?:[*?]|${value}(?:-${value})?)(?:/(\\d+))?$`, "i").exec(item.text);
  if (match === null) throw badItem(grammar, field, item);
  const steps = grammar.name === "dayOfWeek" ? 7 : grammar.max - grammar.min + 1;
  const step = match[1] === undefined ? 1 : Number(match[1]);
  if (step < 1 || step > steps) throw badStep(grammar, item, steps);
}

/** Over the four centuries after which the calendar repeats, every weekday falls on every date. */
function canFire({ dayOfMonth, dayOfWeek, month }: CronFields): boolean {
  if (dayOfWeek.restricted) return true;
  const { values, last, nearest, nearestToLast } = dayOfMonth;
  const longest = Math.max(
    ...month.values.map((value) => (value === 2 ? 29 : 30 + ((value + (value >> 3)) & 1))),
  );
  const dates = values.reduce((mask, date) => mask | (1 << date), nearest);
  // Bits 1 to `longest` of the dates; bits 0 to `longest - 1` counted back from the last day.
  return ((dates >>> 1) | last | nearestToLast) << (32 - longest) !== 0;
}
