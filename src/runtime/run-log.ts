/**
 * Loggers for runs. Each line goes to the program's log, if that one's level lets it, and to whoever keeps the lines
 * of the run, from `info` on in any case: a run's log is there even when the program logs nothing.
 */
import { pino } from "pino";
import type { Instant } from "../core/instant.js";
import type { Logger } from "./log.js";

export const logLevels = ["trace", "debug", "info", "warn", "error", "fatal"] as const;
export type LogLevel = (typeof logLevels)[number];

export interface LogLine {
  time: Instant;
  level: LogLevel;
  msg: string;
  /** Whatever else was logged. */
  data?: Readonly<Record<string, unknown>> | undefined;
}

interface Sink {
  bindings: Readonly<Record<string, unknown>>;
  onLine(line: LogLine): void;
}

/** On a run's logger, and found by its children, which inherit from it. */
const SINK = Symbol("sink of a run's log");
type SinkLogger = Logger & { [SINK]?: Sink };

export class RunLogs {
  readonly #root: Logger;
  readonly #parent: Logger | undefined;

  /** @param parent the program's log; without one, all levels are lines */
  constructor(parent?: Logger) {
    const isVerbose = parent === undefined || parent.isLevelEnabled("trace");
    const level = isVerbose ? "trace" : parent.isLevelEnabled("debug") ? "debug" : "info";
    this.#root = pino({ level, base: null }, new Destination());
    this.#parent = parent;
  }

  /** A logger whose lines, and those of its children, are told to `onLine`. */
  of(bindings: Readonly<Record<string, unknown>>, onLine: (line: LogLine) => void): Logger {
    const parent = this.#parent;
    let forward: Logger | undefined;
    const sink: Sink = {
      bindings,
      onLine: (line) => {
        onLine(line);
        if (parent?.isLevelEnabled(line.level) !== true) return;
        forward ??= parent.child(bindings);
        write(forward, line);
      },
    };
    return Object.assign(this.#root.child(bindings), { [SINK]: sink });
  }
}

/** Logs a line again, as another logger's. */
export function write(log: Logger, { level, msg, data = {} }: Omit<LogLine, "time">): void {
  log[level](data, msg);
}

/** By this, pino tells its destination which logger wrote. */
const METADATA: unique symbol = Symbol.for("pino.metadata");

class Destination {
  readonly [METADATA] = true;
  /** Set by pino. */
  lastLogger: SinkLogger | undefined;

  write(text: string): void {
    const sink = this.lastLogger?.[SINK];
    if (sink === undefined) return;
    const { time, level, msg = "", ...data } = JSON.parse(text) as Record<string, unknown>;
    for (const name in sink.bindings) if (data[name] === sink.bindings[name]) delete data[name];
    sink.onLine({
      time: Number(time),
      level: (pino.levels.labels[Number(level)] ?? "info") as LogLevel,
      msg: String(msg),
      ...(Object.keys(data).length > 0 && { data }),
    });
  }
}
