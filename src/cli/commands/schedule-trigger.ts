import type { Command } from "commander";
import { addFlags, type Flag, readFlags } from "../flags.js";
import type { CliContext } from "../runtime.js";
import { checkId, namingScheduleFlags } from "../schedule-flags.js";
import { Session } from "../session.js";

const flags: readonly Flag[] = [
  {
    flags: "--overlap <policy>",
    field: "overlap",
    kind: "text",
    text: "skip or allow, when a run is queued or running (default: as the schedule has it)",
  },
  {
    flags: "--payload <json>",
    field: "payload",
    kind: "json",
    text: "instead of the schedule's, or @FILE",
  },
  {
    flags: "--header <name: value>",
    field: "headers",
    kind: "headers",
    text: "over the schedule's; may be repeated",
  },
];

export function addScheduleTrigger(parent: Command, context: CliContext): void {
  const trigger = parent.command("trigger <id>").description("run it once, now");
  addFlags(trigger, flags).action(async (id: string, options: Record<string, unknown>, command: Command) => {
    const session = new Session(context, command);
    checkId(id);
    const overrides = await readFlags(flags, options, context.readText);
    const run = await session.with(({ client }) =>
      namingScheduleFlags(() => client.schedules.trigger(id, overrides)),
    );
    session.output.show(run, () =>
      session.output.line(
        run.accepted
          ? `${run.runId} ${run.state === "waiting" ? "waiting at the gate of its queue" : "queued"}`
          : `${id} is queued or running already; nothing was added`,
      ),
    );
  });
}
