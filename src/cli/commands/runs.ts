/** What ran, runs and did not run. */
import type { Command } from "commander";
import type { CliContext } from "../runtime.js";
import { addRunsCancel, addRunsRetry } from "./runs-change.js";
import { addRunsLogs, addRunsWatch } from "./runs-follow.js";
import { addRunsGet } from "./runs-get.js";
import { addRunsList } from "./runs-list.js";

export function addRuns(program: Command, context: CliContext): void {
  const runs = program
    .command("runs")
    .alias("run")
    .description("look at what ran, runs and did not run; end a run, run it once more");
  addRunsList(runs, context);
  addRunsGet(runs, context);
  addRunsWatch(runs, context);
  addRunsLogs(runs, context);
  addRunsCancel(runs, context);
  addRunsRetry(runs, context);
}
