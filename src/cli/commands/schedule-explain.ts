import type { Command } from "commander";
import type { ScheduleExplanation } from "../../client/schedules.js";
import { utcTime } from "../output.js";
import type { CliContext } from "../runtime.js";
import { checkId, namingScheduleFlags } from "../schedule-flags.js";
import { Session } from "../session.js";
import { instantOf } from "../time-flag.js";

export function addScheduleExplain(parent: Command, context: CliContext): void {
  parent
    .command("explain <id>")
    .description("why it did, or did not, or will, or will not run at a time")
    .requiredOption("--at <time>", "the fire time, as 2026-12-24T18:00:00Z")
    .action(async (id: string, options: { at: string }, command: Command) => {
      const session = new Session(context, command);
      checkId(id);
      const at = instantOf("--at", options.at);
      const explanation = await session.with(({ client }) =>
        namingScheduleFlags(() => client.schedules.explain(id, at)),
      );
      session.output.show(explanation, () => showExplanation(session, explanation));
    });
}

function showExplanation({ output }: Session, explanation: ScheduleExplanation): void {
  const { id, at, code, text, nearest, events, runId } = explanation;
  output.line(`${id} at ${timeOf(at)}: ${code}`);
  output.line(text);
  if (nearest !== undefined) {
    const { before, after } = nearest;
    output.line(`before it: ${before === null ? "none" : timeOf(before)}`);
    output.line(`after it: ${after === null ? "none" : timeOf(after)}`);
  }
  if (events.length === 0) return;
  output.line(`run ${runId}`);
  output.table(
    ["WHEN", "EVENT", "DATA"],
    events.map((event) => [timeOf(event.at), event.type, JSON.stringify(event.data)]),
  );
}

const timeOf = (text: string): string => utcTime(Date.parse(text));
