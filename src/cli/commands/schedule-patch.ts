import type { Command } from "commander";
import { invalid } from "../../core/errors.js";
import { scheduleInput } from "../../protocol/schedule-input.js";
import { systemClock } from "../../runtime/clock.js";
import { wholeNumber } from "../global-options.js";
import { findingsOf, warn } from "../lint-text.js";
import { addUnset, mergePatches, unsetting } from "../patch-flags.js";
import type { CliContext } from "../runtime.js";
import { addScheduleFlags, checkId, namingScheduleFlags, readSchedule } from "../schedule-flags.js";
import { inputOf, nextOf } from "../schedule-text.js";
import { Session } from "../session.js";

interface Options extends Record<string, unknown> {
  ifRevision?: string;
  unset?: string[];
}

export function addSchedulePatch(parent: Command, context: CliContext): void {
  const patch = parent
    .command("patch <id>")
    .description("change what the flags say and leave the rest as it is")
    .option("--if-revision <n>", "only if it is still this revision");
  addUnset(patch, "timeout or labels.team");
  addScheduleFlags(patch).action(async (id: string, options: Options, command: Command) => {
    const session = new Session(context, command);
    checkId(id);
    const given = await readSchedule(options, context.readText);
    const change = mergePatches(
      unsetting(options.unset ?? [], scheduleInput, "timeout"),
      replacingTimes(given),
    );
    if (Object.keys(change).length === 0)
      throw invalid("", "expected something to change, as --cron or --unset");
    const ifRevision =
      options.ifRevision === undefined
        ? undefined
        : wholeNumber("--if-revision", options.ifRevision, 1, Number.MAX_SAFE_INTEGER);
    const view = await session.with(({ client }) =>
      namingScheduleFlags(() => client.schedules.patch(id, change, { ifRevision })),
    );
    session.output.show(view, () =>
      session.output.line(`${id} is at revision ${view.revision}, ${nextOf(view)}`),
    );
    warn(session.output, findingsOf(inputOf(view), id, systemClock.now()));
  });
}

/** A schedule has one of these forms; what goes with a form goes when another comes. */
const FORMS: Readonly<Record<string, readonly string[]>> = {
  cron: ["timeZone", "dst"],
  every: ["phase", "anchor"],
  at: ["ifPast"],
  rrule: ["timeZone", "start"],
  include: [],
};

/** A new form of time takes the place of the old one. */
function replacingTimes(given: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const forms = Object.entries(FORMS).filter(([form]) => given[form] !== undefined);
  if (forms.length === 0) return given;
  const kept = new Set(forms.flat(2));
  const gone = Object.entries(FORMS)
    .flat(2)
    .filter((field) => !kept.has(field));
  return { ...Object.fromEntries(gone.map((field) => [field, null])), ...given };
}
