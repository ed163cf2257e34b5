/** Alert rules, and what is wrong now. */
import type { Command } from "commander";
import { invalid } from "../../core/errors.js";
import type { AlertView, BreachView } from "../../protocol/alert-api.js";
import { type AlertInput, alertInput, takesField } from "../../protocol/alert-input.js";
import { checkAlertName } from "../../protocol/names.js";
import { parseJson, parseWith } from "../../protocol/parse.js";
import { addFlags, type Flag, namingFlags, readFlags } from "../flags.js";
import { wholeNumber } from "../global-options.js";
import { addLabelSelector, selectorOf } from "../label-selector.js";
import { utcTime } from "../output.js";
import type { CliContext } from "../runtime.js";
import { Session } from "../session.js";

const alertFlags: readonly Flag[] = [
  {
    flags: "--kind <kind>",
    field: "kind",
    kind: "text",
    text: "late, missed, failing, running-long, not-succeeded, queue-deep or dead-letters",
  },
  {
    flags: "--schedule <id>",
    field: "schedules.ids",
    kind: "list",
    text: "only this schedule; may be repeated (default: all)",
  },
  { flags: "--queue <name>", field: "queues", kind: "list", text: "only this queue; may be repeated" },
  { flags: "--after <time>", field: "after", kind: "duration", text: "late, running-long: after so long" },
  {
    flags: "--times <n>",
    field: "times",
    kind: "number",
    text: "failing: so many runs in a row (default: 1)",
  },
  {
    flags: "--within <time>",
    field: "within",
    kind: "duration",
    text: "not-succeeded: a success is expected so often; dead-letters: counted over so long (default: 1h)",
  },
  {
    flags: "--over <n>",
    field: "over",
    kind: "number",
    text: "queue-deep: more jobs than that wait; dead-letters: more than that are new (default: 0)",
  },
  {
    flags: "--older-than <time>",
    field: "olderThan",
    kind: "duration",
    text: "queue-deep: the oldest job is older",
  },
  { flags: "--description <text>", field: "description", kind: "text", text: "for people" },
];
const otherNames = {
  name: "NAME",
  "schedules.labels": "--label",
  rule: "the rule",
  ifRevision: "--if-revision",
};

interface ChangeOptions extends Record<string, unknown> {
  file?: string;
  ifRevision?: string;
  label?: string[];
}

export function addAlert(program: Command, context: CliContext): void {
  const alert = program.command("alert").description("make and show alert rules, and what is wrong now");
  addPut(alert, context);
  addGetAndList(alert, context);
  alert
    .command("delete <name>")
    .description("remove a rule; what it has found is over")
    .option("--if-revision <n>", "only if it is still this revision")
    .action(async (name: string, options: ChangeOptions, command: Command) => {
      const session = new Session(context, command);
      checkAlertName(name, "NAME");
      await session.with(({ client }) => client.alerts.delete(name, ifRevisionOf(options)));
      session.output.show({ name, deleted: true }, () => session.output.line(`${name} deleted`));
    });
  alert
    .command("active")
    .description("show what is wrong now, the oldest first; with --quiet only the names of the rules")
    .action(async (_options: unknown, command: Command) => {
      const session = new Session(context, command);
      const breaches = await session.with(({ client }) => client.alerts.active());
      session.output.show(breaches, () => breachesForPeople(session, breaches));
    });
}

function addPut(parent: Command, context: CliContext): void {
  const put = parent
    .command("put <name>")
    .description("make a rule, or replace the one of this name as a whole")
    .option("--file <file>", "the rule as JSON, - for the standard input; flags override its fields")
    .option("--if-revision <n>", "only if it is still this revision; 0: only if there is none");
  addLabelSelector(addFlags(put, alertFlags)).action(
    async (name: string, options: ChangeOptions, command: Command) => {
      const session = new Session(context, command);
      checkAlertName(name, "NAME");
      const rule = await readRule(options, context.readText);
      const only = ifRevisionOf(options);
      const view = await namingFlags(alertFlags, otherNames, () => {
        parseWith(alertInput, rule, "rule");
        return session.with(({ client }) => client.alerts.put(name, rule, only));
      });
      session.output.show(view, () => session.output.line(`${name} stored, revision ${view.revision}`));
    },
  );
}

function addGetAndList(parent: Command, context: CliContext): void {
  parent
    .command("get <name>")
    .description("show one; with --json its field `rule` can be put again")
    .action(async (name: string, _options: unknown, command: Command) => {
      const session = new Session(context, command);
      checkAlertName(name, "NAME");
      const view = await session.with(({ client }) => client.alerts.get(name));
      const { kind, schedules, queues, ...rest } = view.rule;
      const rows = [
        ["name", view.name],
        ["revision", String(view.revision)],
        ["made", utcTime(Date.parse(view.madeAt))],
        ["kind", textOf(kind)],
        ["on", meantBy(textOf(kind), schedules, queues)],
        ...Object.entries(rest).map(([field, value]) => [field, textOf(value)]),
      ];
      session.output.show(view, () => session.output.table(["FIELD", "VALUE"], rows));
    });
  parent
    .command("list")
    .description("show all rules, by name; with --quiet only their names")
    .action(async (_options: unknown, command: Command) => {
      const session = new Session(context, command);
      const views = await session.with(({ client }) => client.alerts.list());
      session.output.show(views, () => rulesForPeople(session, views));
    });
}

function ifRevisionOf({ ifRevision }: ChangeOptions): { ifRevision?: number } {
  if (ifRevision === undefined) return {};
  return { ifRevision: wholeNumber("--if-revision", ifRevision, 0, Number.MAX_SAFE_INTEGER) };
}

/** The schema says what is missing. */
async function readRule(
  options: ChangeOptions,
  readText: (path: string) => Promise<string>,
): Promise<AlertInput> {
  const flags = await readFlags(alertFlags, options, readText);
  const labels = selectorOf(options.label);
  if (labels !== undefined) flags.schedules = { ...(flags.schedules as object | undefined), labels };
  const schedules = flags.schedules as { ids?: unknown } | undefined;
  if (typeof schedules?.ids === "string") schedules.ids = [schedules.ids];
  if (typeof flags.queues === "string") flags.queues = [flags.queues];
  if (options.file === undefined) return checked(flags, flags, options);
  const what = `--file ${options.file}`;
  const file = parseJson(await readText(options.file), what);
  if (typeof file !== "object" || file === null || Array.isArray(file))
    throw invalid(what, "expected a JSON object");
  return checked({ ...file, ...flags }, flags, options);
}

/** What was typed is named as it was typed. */
function checked(
  rule: Record<string, unknown>,
  flags: Record<string, unknown>,
  options: ChangeOptions,
): AlertInput {
  const stray = Object.keys(flags).find((field) => !takesField(rule.kind, field));
  if (stray === undefined) return rule as AlertInput;
  const isLabel = stray === "schedules" && options.schedule === undefined;
  const flag = alertFlags.find(({ field }) => field.split(".")[0] === stray);
  throw invalid(isLabel ? "--label" : (flag?.flags.split(" ")[0] ?? stray), `does not go with ${rule.kind}`);
}

const textOf = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));

function rulesForPeople({ output }: Session, views: readonly AlertView[]): void {
  if (output.quiet) for (const { name } of views) output.line(name);
  else if (views.length === 0) output.note('no alert rules; make one with "punctual alert put"');
  else
    output.table(
      ["NAME", "KIND", "ON", "RULE", "DESCRIPTION"],
      views.map(({ name, rule: { kind, schedules, queues, description = "", ...rest } }) => [
        name,
        textOf(kind),
        meantBy(textOf(kind), schedules, queues),
        Object.entries(rest)
          .map(([field, value]) => `${field} ${textOf(value)}`)
          .join(", "),
        textOf(description),
      ]),
    );
}

function meantBy(kind: string, schedules: unknown, queues: unknown): string {
  if (queues !== undefined) return `queues ${(queues as string[]).join(", ")}`;
  if (schedules !== undefined) {
    const { ids, labels } = schedules as { ids?: string[]; labels?: string };
    const which = [ids?.join(", "), labels === undefined ? undefined : `with ${labels}`];
    return ["schedules", ...which.filter((text) => text !== undefined)].join(" ");
  }
  return ["queue-deep", "dead-letters"].includes(kind) ? "all queues" : "all schedules";
}

function breachesForPeople({ output }: Session, breaches: readonly BreachView[]): void {
  if (output.quiet) for (const { rule } of breaches) output.line(rule);
  else if (breaches.length === 0) output.note("nothing is wrong that a rule looks at");
  else
    output.table(
      ["RULE", "KIND", "SINCE", "WHAT"],
      breaches.map(({ rule, kind, since, text }) => [rule, kind, utcTime(Date.parse(since)), text]),
    );
}
