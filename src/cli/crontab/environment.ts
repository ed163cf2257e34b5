/** Environment lines of a crontab: `NAME = value`, either of them in quotes, nothing expanded. */
import { isTimeZone } from "../../core/time/zone.js";

const LINE = /^(?:"([^"]+)"|'([^']+)'|([A-Za-z_][A-Za-z0-9_]*))\s*=\s*(.*)$/;
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Null when the line is not an environment line. */
export function readAssignment(line: string): { name: string; value: string } | null {
  const match = LINE.exec(line);
  if (match === null) return null;
  const name = match[1] ?? match[2] ?? match[3] ?? "";
  return { name, value: unquote((match[4] ?? "").trimEnd()) };
}

function unquote(text: string): string {
  const quote = text[0];
  const quoted = text.length >= 2 && (quote === '"' || quote === "'") && text.endsWith(quote);
  return quoted ? text.slice(1, -1) : text;
}

/** What holds for the lines that follow. */
export class Environment {
  readonly #variables = new Map<string, string>();
  #zone: string | undefined;
  readonly #defaultZone: string | undefined;

  constructor(defaultZone: string | undefined) {
    this.#defaultZone = defaultZone;
  }

  get timeZone(): string | undefined {
    return this.#zone ?? this.#defaultZone;
  }

  get variables(): Record<string, string> {
    return Object.fromEntries(this.#variables);
  }

  /** Takes a line; returns what is wrong with it, or null. */
  set(name: string, value: string): string | null {
    if (!NAME.test(name))
      return `expected a variable name of A-Z a-z 0-9 _, the first not a digit, got ${JSON.stringify(name)}`;
    if (name === "CRON_TZ" || name === "TZ") {
      const zone = value.replace(/^:/, "");
      if (zone !== "" && !isTimeZone(zone))
        return `${name}: expected an IANA time zone such as Europe/Berlin, got ${JSON.stringify(value)}`;
      this.#zone = zone === "" ? undefined : zone;
    }
    // CRON_TZ is for cron alone; TZ is seen by the command as well.
    if (name !== "CRON_TZ") this.#variables.set(name, value);
    return null;
  }
}
