/** Log lines for people: the time, the level, what happened, and to what. */

interface Line {
  level: number;
  time: number;
  msg?: string;
  [field: string]: unknown;
}

const LEVELS: Readonly<Record<number, string>> = {
  10: "trace",
  20: "debug",
  30: "info",
  40: "WARN",
  50: "ERROR",
  60: "FATAL",
};

/** A line of JSON as one line of text; what is no such line stays as it is. */
export function prettyLine(json: string): string {
  try {
    const { level, time, msg = "", ...fields } = JSON.parse(json) as Line;
    const at = new Date(time).toISOString().slice(11, 23);
    const rest = Object.entries(fields).map(([name, value]) => ` ${name}=${textOf(value)}`);
    return `${at} ${(LEVELS[level] ?? String(level)).padEnd(5)} ${msg}${rest.join("")}\n`;
  } catch {
    return json;
  }
}

function textOf(value: unknown): string {
  return typeof value === "string" && /^[\w.:/@-]+$/.test(value) ? value : JSON.stringify(value);
}
