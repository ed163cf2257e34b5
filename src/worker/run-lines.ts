/** The log lines of one attempt that are kept with its run: bounded, as a handler may log without end. */
import type { Instant } from "../core/instant.js";
import { limits } from "../protocol/limits.js";
import type { LogLine } from "../runtime/run-log.js";

/** A line as it is stored. */
export interface KeptLine extends Omit<LogLine, "time"> {
  /** RFC 3339, UTC. */
  time: string;
}

const CUT_MARK = "…";

export class RunLines {
  /** Not yet taken, with their sizes. */
  readonly #waiting: { line: KeptLine; bytes: number }[] = [];
  #lines = 0;
  #bytes = 0;
  #leftOut = 0;

  add(line: LogLine): void {
    // Nothing small goes past what was too much: the lines that are kept are the first ones.
    if (this.#leftOut > 0 || this.#lines >= limits.logLines) {
      this.#leftOut++;
      return;
    }
    const kept = keptOf(line);
    const bytes = sizeOf(kept);
    if (this.#bytes + bytes > limits.logBytes) this.#leftOut++;
    else this.#keep(kept, bytes);
  }

  /** The last line says what was left out. */
  close(now: Instant): void {
    if (this.#leftOut === 0) return;
    const most = `${limits.logLines} lines and ${limits.logBytes / 1_024} KiB`;
    const msg = `${this.#leftOut} more lines were left out: an attempt keeps at most ${most} of its log`;
    const line = keptOf({ time: now, level: "warn", msg });
    this.#leftOut = 0;
    this.#keep(line, sizeOf(line));
  }

  /** The oldest that were not taken, as many as one event takes. */
  takeBatch(): KeptLine[] {
    let bytes = 0;
    const end = this.#waiting.findIndex((entry) => {
      bytes += entry.bytes;
      return bytes > limits.logBatchBytes;
    });
    return this.#waiting.splice(0, end < 0 ? this.#waiting.length : end).map(({ line }) => line);
  }

  #keep(line: KeptLine, bytes: number): void {
    this.#waiting.push({ line, bytes });
    this.#lines++;
    this.#bytes += bytes;
  }
}

/** A line that is too long loses its data, and of its text what does not fit. */
function keptOf({ time, ...rest }: LogLine): KeptLine {
  const line: KeptLine = { time: new Date(time).toISOString(), ...rest };
  if (sizeOf(line) <= limits.logLineBytes) return line;
  // Of UTF-16 units, each takes at most six bytes as JSON.
  const msg = `${rest.msg.slice(0, limits.logLineBytes / 8)}${CUT_MARK}`;
  return { time: line.time, level: line.level, msg };
}

const sizeOf = (line: KeptLine): number => Buffer.byteLength(JSON.stringify(line));
