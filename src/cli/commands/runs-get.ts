import type { Command } from "commander";
import type { RunView } from "../../protocol/run-api.js";
import { namingFlags } from "../flags.js";
import { attemptColumns, attemptRows, runFields, waterfallRows } from "../run-text.js";
import type { CliContext } from "../runtime.js";
import { Session } from "../session.js";

export function addRunsGet(parent: Command, context: CliContext): void {
  parent
    .command("get <id>")
    .alias("explain")
    .description("show all that is known of a run: its state, its way from due to done, its attempts")
    .action(async (id: string, _options: unknown, command: Command) => {
      const session = new Session(context, command);
      const run = await session.with(({ client }) =>
        namingFlags([], { id: "ID" }, () => client.runs.get(id)),
      );
      session.output.show(run, () => showRun(session, run));
    });
}

function showRun({ output }: Session, run: RunView): void {
  output.table(["RUN", run.id], runFields(run));
  const steps = waterfallRows(run);
  if (steps.length > 0) {
    output.line("");
    output.table(["STEP", "AT", "AFTER"], steps);
  }
  if (run.attemptList.length === 0) return;
  output.line("");
  output.table(attemptColumns, attemptRows(run));
}
