import { type Command, Option } from "commander";
import type { RunsFilter } from "../../client/runs.js";
import { invalid } from "../../core/errors.js";
import { runStates } from "../../core/run.js";
import type { RunSummary } from "../../protocol/run-api.js";
import { namingFlags } from "../flags.js";
import { addLabelSelector, selectorOf } from "../label-selector.js";
import { runColumns, runRow } from "../run-text.js";
import type { CliContext } from "../runtime.js";
import { Session } from "../session.js";
import { instantOf } from "../time-flag.js";

const names = { scheduleId: "--schedule", queue: "--queue", states: "--state", worker: "--worker" };
const DEFAULT_LIMIT = 50;

export interface FilterFlags {
  schedule?: string;
  queue?: string;
  state?: string[];
  label?: string[];
  worker?: string;
  from?: string;
  to?: string;
}

export function addFilterFlags(command: Command): Command {
  const list = (text: string, before: string[] = []) => [...before, ...text.split(",")];
  return addLabelSelector(
    command
      .option("--schedule <id>", "only those of this schedule")
      .option("--queue <name>", "only those of this queue")
      .addOption(new Option("--state <state>", `${runStates.join(", ")}; may be repeated`).argParser(list))
      .option("--worker <id>", "only those that this worker had")
      .option("--from <time>", "queued at this time or later")
      .option("--to <time>", "queued at this time or earlier"),
  );
}

export function filterOf(options: FilterFlags): RunsFilter {
  return {
    scheduleId: options.schedule,
    queue: options.queue,
    states: options.state?.map(stateOf),
    selector: selectorOf(options.label),
    worker: options.worker,
    from: options.from === undefined ? undefined : instantOf("--from", options.from),
    to: options.to === undefined ? undefined : instantOf("--to", options.to),
  };
}

function stateOf(text: string) {
  const state = runStates.find((known) => known === text);
  if (state !== undefined) return state;
  throw invalid("--state", `expected one of ${runStates.join(", ")}, got ${JSON.stringify(text)}`);
}

export const namingRunFlags = <T>(request: () => T | Promise<T>): Promise<T> =>
  namingFlags([], names, request);

export function addRunsList(parent: Command, context: CliContext): void {
  const list = parent
    .command("list")
    .description("show runs, the newest first; with --quiet only their ids")
    .option("--limit <count>", `as many of them (default: ${DEFAULT_LIMIT})`);
  addFilterFlags(list).action(async (options: FilterFlags & { limit?: string }, command: Command) => {
    const session = new Session(context, command);
    const limit = limitOf(options.limit);
    const filter = filterOf(options);
    const runs = await session.with(({ client }) =>
      namingRunFlags(async () => {
        const found: RunSummary[] = [];
        for await (const run of client.runs.list(filter, { pageSize: Math.min(limit, 1_000) })) {
          found.push(run);
          if (found.length === limit) break;
        }
        return found;
      }),
    );
    session.output.show(runs, () => showRuns(session, runs));
  });
}

export function limitOf(text: string | undefined): number {
  const limit = Number(text ?? DEFAULT_LIMIT);
  if (Number.isInteger(limit) && limit >= 1) return limit;
  throw invalid("--limit", `expected a whole number of 1 or more, got ${JSON.stringify(text)}`);
}

function showRuns({ output }: Session, runs: readonly RunSummary[]): void {
  if (output.quiet) for (const { id } of runs) output.line(id);
  else if (runs.length === 0)
    output.note("no such runs; they are kept for as long as the stream of runs keeps them");
  else output.table(runColumns, runs.map(runRow));
}
