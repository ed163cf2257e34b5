import type { Command } from "commander";
import type { ScheduleView } from "../../protocol/api.js";
import { utcTime } from "../output.js";
import type { CliContext } from "../runtime.js";
import { checkId, namingScheduleFlags } from "../schedule-flags.js";
import { nextOf } from "../schedule-text.js";
import { Session } from "../session.js";
import { addScheduleList } from "./schedule-list.js";
import { addSchedulePreview } from "./schedule-preview.js";
import { addSchedulePut } from "./schedule-put.js";

export function addSchedule(program: Command, context: CliContext): void {
  const schedule = program.command("schedule").description("make, show and change schedules");
  addSchedulePut(schedule, context);
  addScheduleGet(schedule, context);
  addScheduleList(schedule, context);
  addScheduleDelete(schedule, context);
  addPauseAndResume(schedule, context);
  addTrigger(schedule, context);
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
    [["id", view.id], ["revision", String(view.revision)], ["next", next], ...fields],
  );
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

function addPauseAndResume(parent: Command, context: CliContext): void {
  parent
    .command("pause <id>")
    .description("stop firing until resumed; what falls due meanwhile is not made up for")
    .option("--note <text>", "why; for people")
    .action(async (id: string, options: { note?: string }, command: Command) => {
      const session = new Session(context, command);
      checkId(id);
      const view = await session.with(({ client }) =>
        namingScheduleFlags(() => client.schedules.pause(id, options.note)),
      );
      session.output.show(view, () => session.output.line(`${id} paused`));
    });
  parent
    .command("resume <id>")
    .description("fire again")
    .action(async (id: string, _options: unknown, command: Command) => {
      const session = new Session(context, command);
      checkId(id);
      const view = await session.with(({ client }) => namingScheduleFlags(() => client.schedules.resume(id)));
      session.output.show(view, () => session.output.line(`${id} resumed, ${nextOf(view)}`));
    });
}

function addTrigger(parent: Command, context: CliContext): void {
  parent
    .command("trigger <id>")
    .description("run it once, now")
    .action(async (id: string, _options: unknown, command: Command) => {
      const session = new Session(context, command);
      checkId(id);
      const run = await session.with(({ client }) => namingScheduleFlags(() => client.schedules.trigger(id)));
      session.output.show(run, () =>
        session.output.line(
          run.accepted ? `${run.runId} queued` : `${id} is queued or running already; nothing was added`,
        ),
      );
    });
}
