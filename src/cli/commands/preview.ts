import type { Command } from "commander";
import { compileSpec } from "../../core/time/fire-times.js";
import { lintSpec } from "../../core/time/lint.js";
import { cronLinesOf, previewFires, zoneToShow } from "../../core/time/preview.js";
import { systemClock } from "../../runtime/clock.js";
import { tzDataVersion } from "../../runtime/tz-data.js";
import { wholeNumber } from "../global-options.js";
import { addLineFlags, readLine } from "../line-flags.js";
import { warn } from "../lint-text.js";
import { fromOf, showPreview } from "../preview-text.js";
import type { CliContext } from "../runtime.js";
import { Session } from "../session.js";

interface Options extends Record<string, unknown> {
  from?: string;
  count: string;
}

export function addPreview(program: Command, context: CliContext): void {
  const preview = program
    .command("preview [line]")
    .description("show when a cron line or an interval fires; needs no server")
    .option("--from <time>", "from this date on, or after this time, as 2026-12-24T18:00:00Z (default: now)")
    .option("--count <n>", "how many, 1 to 1000", "10");
  addLineFlags(preview).action(async (line: string | undefined, options: Options, command: Command) => {
    const { output } = new Session(context, command);
    const count = wholeNumber("--count", options.count, 1, 1_000);
    const { spec, id } = await readLine(line, options);
    const lines = cronLinesOf(spec, id);
    const zone = zoneToShow(undefined, lines);
    const from = fromOf(options.from, zone.name) ?? systemClock.now();
    const times = compileSpec(spec, id);
    const fires = previewFires({ times, lines, zone }, from, count);
    showPreview(output, { fires, timeZone: zone.name, tzData: tzDataVersion });
    warn(output, lintSpec(spec, id, times, from));
  });
}
