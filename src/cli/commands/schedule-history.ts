import type { Command } from "commander";
import type { ScheduleHistory } from "../../protocol/history.js";
import { show } from "../../protocol/parse.js";
import { utcTime } from "../output.js";
import type { CliContext } from "../runtime.js";
import { checkId, namingScheduleFlags } from "../schedule-flags.js";
import { Session } from "../session.js";

export function addScheduleHistory(parent: Command, context: CliContext): void {
  parent
    .command("history <id>")
    .description("who changed it, when, and what; also of one that was deleted")
    .action(async (id: string, _options: unknown, command: Command) => {
      const session = new Session(context, command);
      checkId(id);
      const history = await session.with(({ client }) =>
        namingScheduleFlags(() => client.schedules.history(id)),
      );
      session.output.show(history, () => showHistory(session, history));
    });
}

function showHistory({ output }: Session, { revisions, complete }: ScheduleHistory): void {
  output.table(["REVISION", "WHEN", "WHO", "WHAT"], revisions.flatMap(rowsOf));
  if (!complete) output.note("older revisions are no longer kept");
}

/** A line for the revision, and one for each field. */
function rowsOf(revision: ScheduleHistory["revisions"][number]): string[][] {
  const { changedAt, changedBy, action, changes, more } = revision;
  const when = changedAt === undefined ? "?" : utcTime(Date.parse(changedAt));
  // What a new or a deleted one was is told by the fields of others.
  const fields = action === "created" || action === "deleted" ? [] : changes;
  const lines = fields.map(({ field, from, to }) => `${field}: ${shown(from)} → ${shown(to)}`);
  if (more > 0 && fields.length > 0) lines.push(`and ${more} more`);
  return [
    [String(revision.revision), when, changedBy ?? "?", action],
    ...lines.map((line) => ["", "", "", line]),
  ];
}

const shown = (value: unknown): string => (value === undefined ? "none" : show(value));
