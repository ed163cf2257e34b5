/** Following runs: their changes, their logs. */
import type { Command } from "commander";
import type { RunLogLine, RunSummary } from "../../protocol/run-api.js";
import { namingFlags } from "../flags.js";
import { durationOf, timeOf } from "../run-text.js";
import type { CliContext } from "../runtime.js";
import { Session } from "../session.js";
import { addFilterFlags, type FilterFlags, filterOf, namingRunFlags } from "./runs-list.js";

export function addRunsWatch(parent: Command, context: CliContext): void {
  const watch = parent
    .command("watch [id]")
    .description(
      "show a run, and its changes until it is over; without an id, the changes of all runs that are meant",
    );
  addFilterFlags(watch).action(async (id: string | undefined, options: FilterFlags, command: Command) => {
    const session = new Session(context, command);
    const filter = filterOf(options);
    await session.with(({ client }) =>
      namingRunFlags(async () => {
        const changes = id === undefined ? client.runs.watchAll(filter) : client.runs.watch(id);
        await untilStopped(context, changes, (run) =>
          session.output.show(run, () => session.output.line(lineOf(run))),
        );
      }),
    );
  });
}

export function addRunsLogs(parent: Command, context: CliContext): void {
  parent
    .command("logs <id>")
    .description("show what its handler wrote to its log")
    .option("--follow", "go on until the run is over")
    .action(async (id: string, options: { follow?: boolean }, command: Command) => {
      const session = new Session(context, command);
      await session.with(({ client }) =>
        namingFlags([], { id: "ID" }, () =>
          untilStopped(context, client.runs.logs(id, options), (line) =>
            session.output.show(line, () => session.output.line(logLineOf(line))),
          ),
        ),
      );
    });
}

/** Each as it comes, until there are no more or somebody asks the process to end. */
async function untilStopped<T>(
  context: CliContext,
  things: AsyncGenerator<T>,
  show: (thing: T) => void,
): Promise<void> {
  const stopped = context.untilStopped().then(() => ({ done: true }) as const);
  for (;;) {
    const next = await Promise.race([things.next(), stopped]);
    if (next.done === true) return;
    show(next.value);
  }
}

function lineOf(run: RunSummary): string {
  const { id, state, queuedAt, startedAt, endedAt, attempts, durationMs, progress, error, reason } = run;
  const parts = [
    timeOf(endedAt ?? startedAt ?? queuedAt),
    id,
    state,
    attempts > 1 ? `attempt ${attempts}` : "",
    durationMs === null ? "" : durationOf(durationMs),
    state === "running" && progress !== null ? JSON.stringify(progress) : "",
    (error ?? reason)?.split("\n")[0] ?? "",
  ];
  return parts.filter((part) => part !== "").join("  ");
}

function logLineOf({ time, level, msg, data, attempt }: RunLogLine): string {
  const rest = data === undefined ? "" : `  ${JSON.stringify(data)}`;
  return `${timeOf(time)}  ${attempt ?? "-"}  ${level.padEnd(5)}  ${msg}${rest}`;
}
