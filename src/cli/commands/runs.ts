/** What ran, runs and did not run. */
import type { Command } from "commander";
import type { CliContext } from "../runtime.js";
import { addRunsGet } from "./runs-get.js";
import { addRunsList } from "./runs-list.js";

export function addRuns(program: Command, context: CliContext): void {
  const runs = program.command("runs").alias("run").description("look at what ran, runs and did not run");
  addRunsList(runs, context);
  addRunsGet(runs, context);
}
