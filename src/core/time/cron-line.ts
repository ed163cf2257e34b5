/** A cron line as it was typed: its fields and where they stand. */
import { invalid, type PunctualError } from "../errors.js";

/** One field, or a part of one. */
export interface FieldText {
  readonly text: string;
  /** Of its first character, from 1, in the line as it was typed. */
  readonly column: number;
}

/** Second, minute, hour, day of month, month, day of week. */
export type LineTexts = readonly [FieldText, FieldText, FieldText, FieldText, FieldText, FieldText];

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
const EXAMPLE = "30 3 * * 1-5";

/** The six fields of a line, seconds first. Refuses as `invalid` what has another number of them. */
export function splitLine(line: string): LineTexts {
  if (line.trim().length > MAX_LENGTH) {
    throw refused(`expected at most ${MAX_LENGTH} characters, got ${line.trim().length}`);
  }
  const typed = [...line.matchAll(/\S+/g)].map(({ 0: text, index }) => ({ text, column: index + 1 }));
  const [first] = typed;
  const fields = first?.text.startsWith("@") ? fieldsOfNickname(line.trim(), first.column) : typed;
  if (fields.length === 5) return [{ text: "0", column: 0 }, ...fields] as unknown as LineTexts;
  if (fields.length === 6) return fields as unknown as LineTexts;
  const column = fields[6]?.column ?? line.trimEnd().length + 1;
  throw refused(
    `column ${column}: expected 5 fields (minute, hour, day of month, month, day of week), 6 with leading seconds, or a nickname such as @daily, got ${fields.length} ${fields.length === 1 ? "field" : "fields"} in ${JSON.stringify(line)}; for example ${EXAMPLE}`,
  );
}

/** What follows `@every`, as in `10m` of `@every 10m`; undefined when the line is no interval. */
export function intervalOf(line: string): string | undefined {
  return /^\s*@every(?:\s+(.*?))?\s*$/
    .exec(line)
    ?.slice(1)
    .map((text) => text ?? "")[0];
}

/** An error for the line as a whole. */
export function refused(message: string): PunctualError {
  return invalid("expression", message);
}

function fieldsOfNickname(line: string, column: number): FieldText[] {
  const fields = Object.hasOwn(NICKNAMES, line) ? NICKNAMES[line] : undefined;
  if (fields !== undefined) return fields.split(" ").map((text) => ({ text, column }));
  const at = `column ${column}`;
  if (line === "@reboot") {
    throw refused(`${at}: @reboot is not supported: it names no time, and no machine owns a schedule`);
  }
  if (intervalOf(line) !== undefined) {
    throw refused(`${at}: expected a cron line, got "${line}"; a fixed interval is a spec of kind "every"`);
  }
  throw refused(`${at}: expected one of ${Object.keys(NICKNAMES).join(", ")} or @every 10m, got "${line}"`);
}
