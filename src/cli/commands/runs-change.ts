/** Ending runs, and running them once more. */
import type { Command } from "commander";
import { namingFlags } from "../flags.js";
import type { CliContext } from "../runtime.js";
import { Session } from "../session.js";

const TOLD = {
  signalled: "its worker was told; it ends as its handler lets it",
  removed: "taken from its queue",
};

export function addRunsCancel(parent: Command, context: CliContext): void {
  parent
    .command("cancel <id>")
    .description("end a run: take it from its queue, or tell the worker that has it")
    .option("--force", "take it from the queue also when a worker has it that cannot be told")
    .action(async (id: string, options: { force?: boolean }, command: Command) => {
      const session = new Session(context, command);
      const outcome = await session.with(({ client }) =>
        namingFlags([], { id: "ID" }, () => client.runs.cancel(id, { force: options.force })),
      );
      session.output.show({ id, outcome }, () => session.output.line(`${id}: ${TOLD[outcome]}`));
    });
}

export function addRunsRetry(parent: Command, context: CliContext): void {
  parent
    .command("retry <id>")
    .description("run it once more, as a run of its own: from its dead letter, or as its schedule is now")
    .action(async (id: string, _options: unknown, command: Command) => {
      const session = new Session(context, command);
      const retried = await session.with(({ client }) =>
        namingFlags([], { id: "ID" }, () => client.runs.retry(id)),
      );
      session.output.show(retried, () => session.output.line(`${retried.runId} (from the ${retried.from})`));
    });
}
