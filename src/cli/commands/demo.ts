import type { Command } from "commander";
import { invalid } from "../../core/errors.js";
import { parseDuration } from "../../protocol/duration.js";
import type { CliContext } from "../runtime.js";
import { Session } from "../session.js";

const MIN_MS = 5_000;

/** @param done takes the exit status */
export function addDemo(program: Command, context: CliContext, done: (exitCode: number) => void): void {
  program
    .command("demo")
    .description("fire a crontab with three orchestrators, kill one half-way, and count what was missed")
    .option("--for <time>", "how long, at least 5s", "30s")
    .action(async (options: { for: string }, command: Command) => {
      const session = new Session(context, command);
      const forMs = parseDuration(options.for);
      if (forMs === null || forMs < MIN_MS)
        throw invalid(
          "--for",
          `expected a duration of at least 5s, such as 30s, got ${JSON.stringify(options.for)}`,
        );
      done(await context.parts.runDemo({ forMs, json: session.output.json }));
    });
}
