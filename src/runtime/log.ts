import { type Logger, pino } from "pino";

export type { Logger } from "pino";

/** JSON lines on stderr, so that stdout stays free for a command's own output. Level: `PUNCTUAL_LOG`, else `info`. */
export function createLogger(level: string = process.env.PUNCTUAL_LOG ?? "info"): Logger {
  return pino({ level, base: null }, pino.destination({ fd: 2, sync: true }));
}

/** Says nothing: the default inside a program. */
export const silentLogger: Logger = pino({ level: "silent" });
