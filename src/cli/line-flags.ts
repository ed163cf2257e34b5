/** A line, or an interval, that commands without a server are told of: `preview` and `lint`. */
import type { Command } from "commander";
import type { ScheduleSpec } from "../core/schedule.js";
import { compileSpec } from "../core/time/fire-times.js";
import { parseWith } from "../protocol/parse.js";
import { definitionOf, scheduleInput } from "../protocol/schedule-input.js";
import { addFlags, type Flag, namingFlags, readFlags } from "./flags.js";
import { checkId, scheduleFlags } from "./schedule-flags.js";

const timeZone: Flag = {
  flags: "--tz, --time-zone <name>",
  field: "timeZone",
  kind: "text",
  text: "IANA zone of the line, as Europe/Berlin (default: UTC)",
};
const shared = ["every", "phase", "dst.gap", "dst.overlap"];
const lineFlags = [timeZone, ...scheduleFlags.filter(({ field }) => shared.includes(field))];
const LINE = "LINE";

export interface DescribedLine {
  spec: ScheduleSpec;
  /** For hashed values. */
  id: string;
}

export function addLineFlags(command: Command): Command {
  return addFlags(command, lineFlags).option("--id <id>", "the schedule's id, for hashed values (H)");
}

/** The spec that a line and the flags describe, checked. Errors name the flags. */
export async function readLine(
  line: string | undefined,
  options: Readonly<Record<string, unknown>>,
): Promise<DescribedLine> {
  const id = typeof options.id === "string" ? checkId(options.id) : "";
  const flags = await readFlags(lineFlags, options, async () => "");
  const input = { ...flags, ...(line !== undefined && { cron: line }) };
  const names = { cron: LINE, expression: LINE, id: "--id", "": "LINE, --every" };
  return namingFlags(lineFlags, names, () => {
    const context = { now: 0, queueMaxAttempts: Number.POSITIVE_INFINITY, firstRevision: 0 };
    const { spec } = definitionOf(parseWith(scheduleInput, input, "schedule"), context);
    compileSpec(spec, id);
    return { spec, id };
  });
}
