import type { Command } from "commander";
import { invalid } from "../../core/errors.js";
import type { ScheduleInput } from "../../protocol/schedule-input.js";
import { systemClock } from "../../runtime/clock.js";
import { wholeNumber } from "../global-options.js";
import { findingsOf, warn } from "../lint-text.js";
import { fromOf, showPreview } from "../preview-text.js";
import type { CliContext, Punctual } from "../runtime.js";
import {
  addScheduleFlags,
  checkId,
  checkSchedule,
  namingScheduleFlags,
  readSchedule,
} from "../schedule-flags.js";
import { inputOf, zoneOf } from "../schedule-text.js";
import { Session } from "../session.js";

interface Options extends Record<string, unknown> {
  from?: string;
  count: string;
}

export function addSchedulePreview(parent: Command, context: CliContext): void {
  const preview = parent
    .command("preview [id]")
    .description("show the next fire times of a schedule, or of one that the flags describe")
    .option("--from <time>", "from this date on, or after this time, as 2026-12-24T18:00:00Z (default: now)")
    .option("--count <n>", "how many, 1 to 1000", "10");
  addScheduleFlags(preview).action(async (id: string | undefined, options: Options, command: Command) => {
    const session = new Session(context, command);
    const count = wholeNumber("--count", options.count, 1, 1_000);
    const described = await readSchedule(options, context.readText);
    if ((id === undefined) === (Object.keys(described).length === 0))
      throw invalid("", "expected either an ID or a schedule, as --cron and --time-zone");
    if (id === undefined) await checkSchedule(described);
    else checkId(id);
    fromOf(options.from, "UTC"); // refuses a bad one before any server is asked
    const preview = await session.with(({ client }) =>
      namingScheduleFlags(async () => {
        const of = id === undefined ? { schedule: described } : { id };
        const schedule = id === undefined ? described : await storedSchedule(client, id);
        const zone = zoneOf(schedule);
        const from = fromOf(options.from, zone === "-" ? "UTC" : zone);
        const preview = await client.schedules.preview(of, { from, count });
        return { ...preview, findings: findingsOf(schedule, id ?? "", from ?? systemClock.now()) };
      }),
    );
    const fires = preview.fires.map((fire) => ({ ...fire, at: fire.at.getTime() }));
    showPreview(session.output, { ...preview, fires });
    warn(session.output, preview.findings);
  });
}

async function storedSchedule(client: Punctual["client"], id: string): Promise<ScheduleInput> {
  return inputOf(await client.schedules.get(id));
}
