/** Calendars: made, shown, deleted. */
import type { Command } from "commander";
import { invalid } from "../../core/errors.js";
import { OpeningTimes } from "../../core/time/opening.js";
import { type CalendarInput, calendarInput, calendarOf } from "../../protocol/calendar-input.js";
import { checkCalendarName } from "../../protocol/names.js";
import { parseJson, parseWith } from "../../protocol/parse.js";
import { addFlags, type Flag, namingFlags, readFlags } from "../flags.js";
import { wholeNumber } from "../global-options.js";
import type { CliContext } from "../runtime.js";
import { Session } from "../session.js";

const calendarFlags: readonly Flag[] = [
  {
    flags: "--time-zone <name>",
    field: "timeZone",
    kind: "text",
    text: "of its days and hours (default: UTC)",
  },
  {
    flags: "--business-days <days>",
    field: "businessDays",
    kind: "text",
    text: "as mon,tue,wed (default: those with hours; without hours, all)",
  },
  {
    flags: "--holiday <date>",
    field: "holidays",
    kind: "list",
    text: "no business day: 2026-12-25, or 12-25 for every year; may be repeated",
  },
  { flags: "--hours <json>", field: "hours", kind: "json", text: 'as {"mon":["09:00-17:30"]}, or @FILE' },
  { flags: "--note <text>", field: "note", kind: "text", text: "for people" },
];
const otherNames = { name: "NAME", ifRevision: "--if-revision" };

interface PutOptions extends Record<string, unknown> {
  file?: string;
  ifRevision?: string;
}

export function addCalendar(program: Command, context: CliContext): void {
  const calendar = program
    .command("calendar")
    .description("make, show and delete calendars that schedules go by");
  addPut(calendar, context);
  calendar
    .command("get <name>")
    .description("show one; with --json its field `calendar` can be put again")
    .action(async (name: string, _options: unknown, command: Command) => {
      const session = new Session(context, command);
      checkCalendarName(name, "NAME");
      const view = await session.with(({ client }) => client.calendars.get(name));
      const fields = Object.entries(view.calendar).map(([field, value]) => [
        field,
        typeof value === "string" ? value : JSON.stringify(value),
      ]);
      const rows = [["name", view.name], ["revision", String(view.revision)], ...fields];
      session.output.show(view, () => session.output.table(["FIELD", "VALUE"], rows));
    });
  calendar
    .command("list")
    .description("show all calendars, by name")
    .action(async (_options: unknown, command: Command) => {
      const session = new Session(context, command);
      const views = await session.with(({ client }) => client.calendars.list());
      session.output.show(views, () => listForPeople(session, views));
    });
  calendar
    .command("delete <name>")
    .description("remove a calendar that no schedule goes by")
    .action(async (name: string, _options: unknown, command: Command) => {
      const session = new Session(context, command);
      checkCalendarName(name, "NAME");
      await session.with(({ client }) => client.calendars.delete(name));
      session.output.show({ name, deleted: true }, () => session.output.line(`${name} deleted`));
    });
}

function addPut(parent: Command, context: CliContext): void {
  const put = parent
    .command("put <name>")
    .description("make a calendar, or replace the one of this name; schedules that go by it are planned anew")
    .option("--file <file>", "the calendar as JSON, - for the standard input; flags override its fields")
    .option("--if-revision <n>", "only if it is still this revision; 0: only if there is none");
  addFlags(put, calendarFlags).action(async (name: string, options: PutOptions, command: Command) => {
    const session = new Session(context, command);
    checkCalendarName(name, "NAME");
    const calendar = await readCalendar(options, context.readText);
    const ifRevision =
      options.ifRevision === undefined
        ? undefined
        : wholeNumber("--if-revision", options.ifRevision, 0, Number.MAX_SAFE_INTEGER);
    const view = await namingFlags(calendarFlags, otherNames, () => {
      new OpeningTimes(calendarOf(parseWith(calendarInput, calendar, "calendar")));
      return session.with(({ client }) => client.calendars.put(name, calendar, { ifRevision }));
    });
    session.output.show(view, () => session.output.line(`${name} stored`));
  });
}

async function readCalendar(
  options: PutOptions,
  readText: (path: string) => Promise<string>,
): Promise<CalendarInput> {
  const flags = await readFlags(calendarFlags, options, readText);
  if (typeof flags.businessDays === "string") flags.businessDays = flags.businessDays.split(",");
  if (typeof flags.holidays === "string") flags.holidays = [flags.holidays];
  if (options.file === undefined) return flags;
  const what = `--file ${options.file}`;
  const file = parseJson(await readText(options.file), what);
  if (typeof file !== "object" || file === null || Array.isArray(file))
    throw invalid(what, "expected a JSON object");
  return { ...file, ...flags };
}

function listForPeople(
  { output }: Session,
  views: readonly { name: string; calendar: CalendarInput }[],
): void {
  if (output.quiet) for (const { name } of views) output.line(name);
  else if (views.length === 0) output.note('no calendars; make one with "punctual calendar put"');
  else
    output.table(
      ["NAME", "TIME ZONE", "BUSINESS DAYS", "HOLIDAYS", "NOTE"],
      views.map(({ name, calendar }) => [
        name,
        calendar.timeZone ?? "UTC",
        (calendar.businessDays ?? []).join(","),
        String(calendar.holidays?.length ?? 0),
        calendar.note ?? "",
      ]),
    );
}
