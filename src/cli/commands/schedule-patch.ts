import type { Command } from "commander";
import { invalid } from "../../core/errors.js";
import { scheduleInput } from "../../protocol/schedule-input.js";
import { systemClock } from "../../runtime/clock.js";
import { wholeNumber } from "../global-options.js";
import { findingsOf, warn } from "../lint-text.js";
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
    .option("--if-revision <n>", "only if it is still this revision")
    .option(
      "--unset <field>",
      "as by default again, as timeout or labels.team; may be repeated",
      (field: string, before: string[] = []) => [...before, field],
    );
  addScheduleFlags(patch).action(async (id: string, options: Options, command: Command) => {
    const session = new Session(context, command);
    checkId(id);
    const given = await readSchedule(options, context.readText);
    const change = merge(unsetting(options.unset ?? []), replacingTimes(given));
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

/** `labels.team` → `{labels: {team: null}}`; a label's key may have dots itself. */
function unsetting(fields: readonly string[]): Record<string, unknown> {
  return fields.reduce<Record<string, unknown>>((patch, field) => {
    const [, head = "", tail] = /^([^.]+)(?:\.(.+))?$/.exec(field) ?? [];
    if (!Object.hasOwn(scheduleInput.shape, head))
      throw invalid("--unset", `expected a field such as timeout, got ${JSON.stringify(field)}`);
    return merge(patch, { [head]: tail === undefined ? null : { [tail]: null } });
  }, {});
}

/** Of two patches, `over` wins field by field; unlike in a patch itself, null is kept. */
function merge(under: Record<string, unknown>, over: Record<string, unknown>): Record<string, unknown> {
  const result = { ...under };
  for (const [field, value] of Object.entries(over)) {
    const before = result[field];
    const both = [before, value].every(
      (one) => typeof one === "object" && one !== null && !Array.isArray(one),
    );
    result[field] = both ? { ...(before as object), ...(value as object) } : value;
  }
  return result;
}
