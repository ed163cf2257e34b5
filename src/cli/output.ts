/** Results on stdout: tables for people, one JSON document a line for programs. Notes go to stderr. */
import type { Instant } from "../core/schedule.js";
import { oneLine } from "./failure.js";
import type { TextSink } from "./runtime.js";

export class Output {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly #stdout: TextSink;
  readonly #stderr: TextSink;

  constructor(
    streams: { stdout: TextSink; stderr: TextSink },
    options: { json?: boolean | undefined; quiet?: boolean | undefined },
  ) {
    this.#stdout = streams.stdout;
    this.#stderr = streams.stderr;
    this.json = options.json ?? false;
    this.quiet = options.quiet ?? false;
  }

  /** A result: `value` for programs, `people` writes the same for people. */
  show(value: unknown, people: () => void): void {
    if (this.json) this.#stdout.write(`${JSON.stringify(value)}\n`);
    else people();
  }

  line(text: string): void {
    this.#stdout.write(`${text}\n`);
  }

  table(columns: readonly string[], rows: readonly (readonly string[])[]): void {
    for (const line of tableLines(columns, rows)) this.line(line);
  }

  /** Something worth knowing that is not the result. */
  note(text: string): void {
    if (!this.quiet) this.complain(text);
  }

  complain(text: string): void {
    this.#stderr.write(`${text}\n`);
  }
}

/** Columns two spaces apart, as wide as their widest cell. */
export function tableLines(columns: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const lines = [columns, ...rows].map((row) => row.map(oneLine));
  const widths = columns.map((_, column) =>
    lines.reduce((width, line) => Math.max(width, line[column]?.length ?? 0), 0),
  );
  return lines.map((line) =>
    line
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}

/** `2026-07-30 03:00:00Z`; milliseconds only when there are any. */
export function utcTime(instant: Instant): string {
  return new Date(instant).toISOString().replace("T", " ").replace(".000Z", "Z");
}
