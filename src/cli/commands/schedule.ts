import type { Command } from "commander";
import type { ScheduleView } from "../../protocol/api.js";
import { utcTime } from "../output.js";
import type { CliContext } from "../runtime.js";
import { checkId, namingScheduleFlags } from "../schedule-flags.js";
import { Session } from "../session.js";
import { addScheduleBackfill } from "./schedule-backfill.js";
import { addScheduleExplain } from "./schedule-explain.js";
import { addScheduleHistory } from "./schedule-history.js";
import { addScheduleList } from "./schedule-list.js";
import { addSchedulePatch } from "./schedule-patch.js";
import { addPauseAndResume } from "./schedule-pause.js";
import { addSchedulePreview } from "./schedule-preview.js";
import { addSchedulePut } from "./schedule-put.js";
import { addScheduleTrigger } from "./schedule-trigger.js";

export function addSchedule(program: Command, context: CliContext): void {
  const schedule = program.command("schedule").description("make, show and change schedules");
  addSchedulePut(schedule, context);
  addSchedulePatch(schedule, context);
  addScheduleGet(schedule, context);
  addScheduleList(schedule, context);
  addScheduleDelete(schedule, context);
  addPauseAndResume(schedule, context);
  addScheduleTrigger(schedule, context);
  addScheduleExplain(schedule, context);
  addScheduleHistory(schedule, context);
  addScheduleBackfill(schedule, context);
  addSchedulePreview(schedule, context);
}

function addScheduleGet(parent: Command, context: CliContext): void {
  parent
    .command("get <id>")
    .description("show one schedule; with --json its field `schedule` can be put again")
    .action(async (id: string, _options: unknown, command: Command) => {
      const session = new Session(context, command);
      checkId(id);
      const view = await session.with(({ client }) => namingScheduleFlags(() => client.schedules.get(id)));
      session.output.show(view, () => showSchedule(session, view));
    });
}

function showSchedule(session: Session, view: ScheduleView): void {
  const fields = Object.entries(view.schedule).map(([name, value]) => [
    name,
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
  const next = view.nextFireTime === null ? "never" : utcTime(Date.parse(view.nextFireTime));
  session.output.table(
    ["FIELD", "VALUE"],
    [
      ["id", view.id],
      ["revision", String(view.revision)],
      ["changed", changeOf(view)],
      ["next", next],
      ...fields,
    ],
  );
}

/** `2026-07-30 03:00:00Z by anna@build-7`. */
function changeOf({ changedAt, changedBy }: ScheduleView): string {
  const at = changedAt === undefined ? "?" : utcTime(Date.parse(changedAt));
  return changedBy === undefined ? at : `${at} by ${changedBy}`;
}

function addScheduleDelete(parent: Command, context: CliContext): void {
  parent
    .command("delete <id>")
    .description("remove a schedule; runs that are queued stay")
    .action(async (id: string, _options: unknown, command: Command) => {
      const session = new Session(context, command);
      checkId(id);
      await session.with(({ client }) => namingScheduleFlags(() => client.schedules.delete(id)));
      session.output.show({ id, deleted: true }, () => session.output.line(`${id} deleted`));
    });
}
