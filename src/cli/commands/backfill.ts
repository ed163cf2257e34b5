/** Looking after backfills; "schedule backfill" begins one. */
import type { Command } from "commander";
import type { BackfillView } from "../../protocol/backfill.js";
import { namingFlags } from "../flags.js";
import { utcTime } from "../output.js";
import type { CliContext } from "../runtime.js";
import { Session } from "../session.js";

const names = { id: "ID", scheduleId: "--schedule" };

export function addBackfill(program: Command, context: CliContext): void {
  const backfill = program
    .command("backfill")
    .description('look after backfills; "schedule backfill" begins one');
  addList(backfill, context);
  addOne(backfill, context, "get", "show one, with its progress");
  addOne(backfill, context, "cancel", "let it go no further; what is queued stays");
}

function addList(parent: Command, context: CliContext): void {
  parent
    .command("list")
    .description("show those that run, and those that were over in the last 30 days; the newest first")
    .option("--schedule <id>", "only those of this schedule")
    .action(async (options: { schedule?: string }, command: Command) => {
      const session = new Session(context, command);
      const scheduleId = options.schedule;
      const views = await session.with(({ client }) =>
        namingFlags([], names, () => client.backfills.list({ scheduleId })),
      );
      session.output.show(views, () => showList(session, views));
    });
}

function showList({ output }: Session, views: readonly BackfillView[]): void {
  if (output.quiet) for (const { id } of views) output.line(id);
  else if (views.length === 0) output.note('no backfills; begin one with "punctual schedule backfill"');
  else {
    const columns = ["ID", "SCHEDULE", "FROM", "TO", "RATE", "STATE", "DONE"];
    output.table(columns, views.map(rowOf));
  }
}

function rowOf(view: BackfillView): string[] {
  const { id, scheduleId, from, to, rate, state } = view;
  return [id, scheduleId, timeOf(from), timeOf(to), rate, state, progressOf(view)];
}

function addOne(parent: Command, context: CliContext, verb: "get" | "cancel", text: string): void {
  parent
    .command(`${verb} <id>`)
    .description(text)
    .action(async (id: string, _options: unknown, command: Command) => {
      const session = new Session(context, command);
      const view = await session.with(({ client }) =>
        namingFlags([], names, () => client.backfills[verb](id)),
      );
      session.output.show(view, () => showOne(session, view));
    });
}

function showOne({ output }: Session, view: BackfillView): void {
  const { at, reason, slots, ...fields } = view;
  const rows = Object.entries(fields).map(([name, value]) => [name, String(value)]);
  output.table(
    ["FIELD", "VALUE"],
    [
      ...rows,
      ["at", at ?? "-"],
      ...(reason === undefined ? [] : [["reason", reason]]),
      ["done", progressOf(view)],
    ],
  );
}

/** `40 of 120 slots`. */
function progressOf({ queued, passedBy, missed, slots }: BackfillView): string {
  return `${queued + passedBy + missed} of ${slots ?? "many"} slots`;
}

const timeOf = (text: string): string => utcTime(Date.parse(text));
