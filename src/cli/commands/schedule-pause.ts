/** Pause and resume: one schedule, or all with such labels. */
import type { Command } from "commander";
import type { BulkResult } from "../../client/schedules.js";
import { invalid, PunctualError } from "../../core/errors.js";
import { parseWith } from "../../protocol/parse.js";
import { instant } from "../../protocol/time-input.js";
import { addLabelSelector, selectorOf } from "../label-selector.js";
import type { CliContext } from "../runtime.js";
import { checkId, namingScheduleFlags } from "../schedule-flags.js";
import { nextOf } from "../schedule-text.js";
import { Session } from "../session.js";

interface Options {
  note?: string;
  until?: string;
  label?: string[];
}

export function addPauseAndResume(parent: Command, context: CliContext): void {
  const pause = parent
    .command("pause [id]")
    .description("stop firing until resumed; what falls due meanwhile is not made up for")
    .option("--note <text>", "why; for people")
    .option("--until <time>", "resume by itself then, as 2026-12-24T18:00:00Z");
  addLabelSelector(pause).action(async (id: string | undefined, options: Options, command: Command) => {
    const session = new Session(context, command);
    const selector = selectorFor(id, options);
    const until = options.until === undefined ? undefined : parseWith(instant, options.until, "--until");
    await session.with(({ client }) =>
      namingScheduleFlags(async () => {
        if (selector !== undefined)
          return showBulk(
            session,
            "paused",
            await client.schedules.pauseAll(selector, options.note, { until }),
          );
        const view = await client.schedules.pause(id as string, options.note, { until });
        const after = until === undefined ? "" : `, ${nextOf(view)}`;
        session.output.show(view, () => session.output.line(`${id} paused${after}`));
      }),
    );
  });
  const resume = parent.command("resume [id]").description("fire again");
  addLabelSelector(resume).action(async (id: string | undefined, options: Options, command: Command) => {
    const session = new Session(context, command);
    const selector = selectorFor(id, options);
    await session.with(({ client }) =>
      namingScheduleFlags(async () => {
        if (selector !== undefined)
          return showBulk(session, "resumed", await client.schedules.resumeAll(selector));
        const view = await client.schedules.resume(id as string);
        session.output.show(view, () => session.output.line(`${id} resumed, ${nextOf(view)}`));
      }),
    );
  });
}

/** Undefined: one schedule, by its id. */
function selectorFor(id: string | undefined, options: Options): string | undefined {
  const selector = selectorOf(options.label);
  if ((id === undefined) === (selector === undefined))
    throw invalid("", "expected either an ID or --label, as --label team=billing");
  if (id !== undefined) checkId(id);
  return selector;
}

function showBulk({ output }: Session, done: string, result: BulkResult): void {
  const { matched, changed, failed } = result;
  output.show(result, () => {
    const before = matched - changed - failed.length;
    output.line(`${changed} ${done}${before === 0 ? "" : `, ${before} were so already`}`);
    for (const { id, message } of failed) output.complain(`${id}: ${message}`);
  });
  if (failed.length > 0)
    throw new PunctualError("conflict", `${failed.length} of ${matched} were not ${done}; do it again`);
}
