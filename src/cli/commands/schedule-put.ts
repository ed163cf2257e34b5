import type { Command } from "commander";
import { systemClock } from "../../runtime/clock.js";
import { wholeNumber } from "../global-options.js";
import { findingsOf, warn } from "../lint-text.js";
import type { CliContext } from "../runtime.js";
import {
  addScheduleFlags,
  checkId,
  checkSchedule,
  namingScheduleFlags,
  readSchedule,
} from "../schedule-flags.js";
import { nextOf } from "../schedule-text.js";
import { Session } from "../session.js";

interface Options {
  ifRevision?: string;
}

export function addSchedulePut(parent: Command, context: CliContext): void {
  const put = parent
    .command("put <id>")
    .description("make a schedule, or replace the one with this id as a whole")
    .option("--if-revision <n>", "only if it is still this revision; 0: only if there is none");
  addScheduleFlags(put).action(
    async (id: string, options: Options & Record<string, unknown>, command: Command) => {
      const session = new Session(context, command);
      checkId(id);
      const schedule = await readSchedule(options, context.readText);
      await checkSchedule(schedule);
      const ifRevision =
        options.ifRevision === undefined
          ? undefined
          : wholeNumber("--if-revision", options.ifRevision, 0, Number.MAX_SAFE_INTEGER);
      const view = await session.with(({ client }) =>
        namingScheduleFlags(() => client.schedules.put(id, schedule, { ifRevision })),
      );
      session.output.show(view, () => session.output.line(`${id} stored, ${nextOf(view)}`));
      warn(session.output, findingsOf(schedule, id, systemClock.now()));
    },
  );
}
