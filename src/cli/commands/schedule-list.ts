import type { Command } from "commander";
import type { ScheduleView } from "../../protocol/api.js";
import { addLabelSelector, selectorOf } from "../label-selector.js";
import { utcTime } from "../output.js";
import type { CliContext } from "../runtime.js";
import { inputOf, specOf, stateOf, zoneOf } from "../schedule-text.js";
import { Session } from "../session.js";

export function addScheduleList(parent: Command, context: CliContext): void {
  const list = parent.command("list").description("show all schedules, by id; with --quiet only their ids");
  addLabelSelector(list).action(async (options: { label?: string[] }, command: Command) => {
    const session = new Session(context, command);
    const selector = selectorOf(options.label);
    const views = await session.with(async ({ client }) => {
      const all: ScheduleView[] = [];
      for await (const view of client.schedules.list({ pageSize: 1_000, selector })) all.push(view);
      return all;
    });
    session.output.show(views, () => listForPeople(session, views, selector));
  });
}

function listForPeople(
  { output }: Session,
  views: readonly ScheduleView[],
  selector: string | undefined,
): void {
  if (output.quiet) for (const view of views) output.line(view.id);
  else if (views.length === 0)
    output.note(
      selector === undefined
        ? 'no schedules; make one with "punctual schedule put"'
        : `no schedules with ${selector}`,
    );
  else output.table(["ID", "SPEC", "TIME ZONE", "QUEUE", "NEXT", "STATE"], views.map(rowOf));
}

function rowOf(view: ScheduleView): string[] {
  const schedule = inputOf(view);
  const next = view.nextFireTime === null ? "-" : utcTime(Date.parse(view.nextFireTime));
  return [view.id, specOf(schedule), zoneOf(schedule), schedule.queue ?? "default", next, stateOf(view)];
}
