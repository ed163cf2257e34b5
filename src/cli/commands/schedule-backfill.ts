import type { Command } from "commander";
import type { BackfillOptions, BackfillPlan } from "../../client/backfills.js";
import type { Reprocess } from "../../core/backfill.js";
import { namingFlags } from "../flags.js";
import { utcTime } from "../output.js";
import type { CliContext } from "../runtime.js";
import { checkId } from "../schedule-flags.js";
import { Session } from "../session.js";
import { instantOf } from "../time-flag.js";

interface Options {
  from: string;
  to: string;
  rate?: string;
  reprocess?: Reprocess;
  backwards?: boolean;
  dryRun?: boolean;
}

const names = {
  scheduleId: "ID",
  from: "--from",
  to: "--to",
  rate: "--rate",
  reprocess: "--reprocess",
};

export function addScheduleBackfill(parent: Command, context: CliContext): void {
  parent
    .command("backfill <id>")
    .description("run its slots of the past, in the low lane of its queue")
    .requiredOption("--from <time>", "the first instant of the range, as 2026-11-01T00:00:00Z")
    .requiredOption("--to <time>", "the last one; it has passed")
    .option("--rate <rate>", "runs in a time, as 10/s, 30/m, 5/h (default: 10/s)")
    .option(
      "--reprocess <which>",
      "slots that had their turn: none; failed, also those that were skipped or missed; all (default: none)",
    )
    .option("--backwards", "the newest slot first")
    .option("--dry-run", "only show what would run")
    .action(async (id: string, options: Options, command: Command) => {
      const session = new Session(context, command);
      checkId(id);
      const range = rangeOf(options);
      await session.with(({ client }) =>
        namingFlags([], names, async () => {
          if (options.dryRun === true) return showPlan(session, await client.backfills.plan(id, range));
          const backfill = await client.backfills.start(id, range);
          const { slots } = backfill;
          session.output.show(backfill, () =>
            session.output.line(
              `${backfill.id} begun: ${slots ?? "many"} slots; see "punctual backfill get ${backfill.id}"`,
            ),
          );
        }),
      );
    });
}

function rangeOf({ from, to, rate, reprocess, backwards }: Options): BackfillOptions {
  return { from: instantOf("--from", from), to: instantOf("--to", to), rate, reprocess, backwards };
}

function showPlan({ output }: Session, plan: BackfillPlan): void {
  const { slots, looked, runs, first } = plan;
  output.show(plan, () => {
    const of = slots === looked ? `${looked} slots` : `the first ${looked} of ${slots ?? "many"} slots`;
    output.line(`${runs} of ${of} would run`);
    for (const time of first) output.line(utcTime(Date.parse(time)));
    if (runs > first.length) output.line("…");
  });
}
