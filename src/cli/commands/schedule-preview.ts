import type { Command } from "commander";
import { invalid } from "../../core/errors.js";
import type { ScheduleInput } from "../../protocol/schedule-input.js";
import { instant } from "../../protocol/time-input.js";
import { wholeNumber } from "../global-options.js";
import { utcTime, zonedTime } from "../output.js";
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
    .option("--from <time>", "after this time, as 2026-12-24T18:00:00Z (default: now)")
    .option("--count <n>", "how many, 1 to 1000", "10");
  addScheduleFlags(preview).action(async (id: string | undefined, options: Options, command: Command) => {
    const session = new Session(context, command);
    const range = { from: fromOf(options.from), count: wholeNumber("--count", options.count, 1, 1_000) };
    const described = await readSchedule(options, context.readText);
    if ((id === undefined) === (Object.keys(described).length === 0))
      throw invalid("", "expected either an ID or a schedule, as --cron and --time-zone");
    if (id === undefined) await checkSchedule(described);
    else checkId(id);
    const { schedule, times } = await session.with(({ client }) =>
      namingScheduleFlags(async () => {
        const of = id === undefined ? { schedule: described } : { id };
        const schedule = id === undefined ? described : await storedSchedule(client, id);
        return { schedule, times: await client.schedules.preview(of, range) };
      }),
    );
    showTimes(session, schedule, times);
  });
}

async function storedSchedule(client: Punctual["client"], id: string): Promise<ScheduleInput> {
  return inputOf(await client.schedules.get(id));
}

function showTimes({ output }: Session, schedule: ScheduleInput, times: readonly Date[]): void {
  const zone = zoneOf(schedule);
  const timeZone = zone === "-" ? "UTC" : zone;
  const rows = times.map((time) => ({
    utc: time.toISOString(),
    local: zonedTime(time.getTime(), timeZone),
  }));
  output.show({ timeZone, fireTimes: rows }, () => {
    if (times.length === 0) output.note("it does not fire in that time");
    else if (timeZone === "UTC")
      output.table(
        ["UTC"],
        rows.map(({ utc }) => [utcTime(Date.parse(utc))]),
      );
    else
      output.table(
        ["UTC", timeZone.toUpperCase()],
        rows.map(({ utc, local }) => [utcTime(Date.parse(utc)), local]),
      );
  });
}

function fromOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const parsed = instant.safeParse(text);
  if (!parsed.success)
    throw invalid("--from", `${parsed.error.issues[0]?.message}, got ${JSON.stringify(text)}`);
  return parsed.data;
}
