/** One call of a command: its options, its output, its connection. */
import type { Command } from "commander";
import { createLogger, logLevel } from "../runtime/log.js";
import { connectOptionsOf, type GlobalValues, globalValues } from "./global-options.js";
import { Output } from "./output.js";
import type { CliContext, ConnectOptions, Punctual, Running } from "./runtime.js";

export class Session {
  readonly context: CliContext;
  readonly output: Output;
  readonly globals: GlobalValues;
  readonly connectOptions: ConnectOptions;

  constructor(context: CliContext, command: Command) {
    this.context = context;
    this.globals = globalValues(command.optsWithGlobals(), context.env);
    this.output = new Output(context, {
      json: this.globals.switch("json"),
      quiet: this.globals.switch("quiet"),
    });
    this.connectOptions = connectOptionsOf(this.globals);
  }

  /** Connects to a namespace that exists, does one thing, and closes. */
  async with<T>(use: (punctual: Punctual) => Promise<T>): Promise<T> {
    const level = logLevel(this.context.env, "error");
    const punctual = await this.context.parts.connect({
      ...this.connectOptions,
      author: this.globals.text("author") ?? this.context.user,
      create: false,
      log: createLogger(level),
    });
    try {
      return await use(punctual);
    } finally {
      await punctual.close();
    }
  }

  /**
   * Connects, starts what runs, and waits until somebody asks the process to end, or `over` resolves; then
   * stops it, the last started first, and closes.
   */
  async serve(
    options: ConnectOptions,
    start: (punctual: Punctual, running: Running[]) => Promise<void>,
    over?: Promise<unknown>,
  ): Promise<void> {
    const stopped = this.context.untilStopped();
    const level = logLevel(this.context.env, this.output.quiet ? "warn" : "info");
    const log = createLogger(level);
    const punctual = await this.context.parts.connect({ ...this.connectOptions, ...options, log });
    const running: Running[] = [];
    try {
      await start(punctual, running);
      await Promise.race(over === undefined ? [stopped] : [stopped, over]);
      this.output.note("finishing what was begun; interrupt again to stop at once");
    } finally {
      for (const part of running.reverse()) await part.stop();
      await punctual.close();
    }
  }
}
