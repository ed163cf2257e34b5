/** Expected heartbeats of jobs that run elsewhere, and the beats themselves. */
import type { Command } from "commander";
import type { HeartbeatView } from "../../protocol/heartbeat-api.js";
import { type HeartbeatInput, heartbeatInput } from "../../protocol/heartbeat-input.js";
import { checkAlertName } from "../../protocol/names.js";
import { parseWith } from "../../protocol/parse.js";
import { addFlags, type Flag, namingFlags, readFlags } from "../flags.js";
import { wholeNumber } from "../global-options.js";
import { utcTime } from "../output.js";
import type { CliContext } from "../runtime.js";
import { Session } from "../session.js";

const heartbeatFlags: readonly Flag[] = [
  {
    flags: "--every <time>",
    field: "every",
    kind: "duration",
    text: "a beat is expected so long after the last",
  },
  {
    flags: "--cron <line>",
    field: "cron",
    kind: "text",
    text: "a beat is expected after each fire time of it",
  },
  { flags: "--time-zone <name>", field: "timeZone", kind: "text", text: "of the cron line (default: UTC)" },
  {
    flags: "--grace <time>",
    field: "grace",
    kind: "duration",
    text: "how much later it may come (default: 5m)",
  },
  { flags: "--description <text>", field: "description", kind: "text", text: "for people" },
];
const otherNames = { name: "NAME", heartbeat: "the heartbeat", ifRevision: "--if-revision" };

interface ChangeOptions extends Record<string, unknown> {
  ifRevision?: string;
}

export function addHeartbeat(program: Command, context: CliContext): void {
  const heartbeat = program
    .command("heartbeat")
    .description("expect heartbeats of jobs that run elsewhere, and send them");
  addPut(heartbeat, context);
  addGetAndList(heartbeat, context);
  heartbeat
    .command("delete <name>")
    .description("expect it no longer")
    .option("--if-revision <n>", "only if it is still this revision")
    .action(async (name: string, options: ChangeOptions, command: Command) => {
      const session = new Session(context, command);
      checkAlertName(name, "NAME");
      await session.with(({ client }) => client.heartbeats.delete(name, ifRevisionOf(options)));
      session.output.show({ name, deleted: true }, () => session.output.line(`${name} deleted`));
    });
  heartbeat
    .command("beat <name>")
    .description("say that a job ran; needs no orchestrator")
    .action(async (name: string, _options: unknown, command: Command) => {
      const session = new Session(context, command);
      checkAlertName(name, "NAME");
      await session.with(({ client }) => client.heartbeats.beat(name));
      session.output.show({ name, beat: true }, () => session.output.line(`${name} has beaten`));
    });
}

function addPut(parent: Command, context: CliContext): void {
  const put = parent
    .command("put <name>")
    .description("expect a heartbeat from now on, or expect the one of this name otherwise")
    .option("--if-revision <n>", "only if it is still this revision; 0: only if there is none");
  addFlags(put, heartbeatFlags).action(async (name: string, options: ChangeOptions, command: Command) => {
    const session = new Session(context, command);
    checkAlertName(name, "NAME");
    const heartbeat = (await readFlags(heartbeatFlags, options, context.readText)) as HeartbeatInput;
    const only = ifRevisionOf(options);
    const view = await namingFlags(heartbeatFlags, otherNames, () => {
      parseWith(heartbeatInput, heartbeat, "heartbeat");
      return session.with(({ client }) => client.heartbeats.put(name, heartbeat, only));
    });
    session.output.show(view, () => session.output.line(`${name} stored, ${nextOf(view)}`));
  });
}

function addGetAndList(parent: Command, context: CliContext): void {
  parent
    .command("get <name>")
    .description("show one; with --json its field `heartbeat` can be put again")
    .action(async (name: string, _options: unknown, command: Command) => {
      const session = new Session(context, command);
      checkAlertName(name, "NAME");
      const view = await session.with(({ client }) => client.heartbeats.get(name));
      session.output.show(view, () => showHeartbeat(session, view));
    });
  parent
    .command("list")
    .description("show all, by name, with their last beats; with --quiet only their names")
    .action(async (_options: unknown, command: Command) => {
      const session = new Session(context, command);
      const views = await session.with(({ client }) => client.heartbeats.list());
      session.output.show(views, () => listForPeople(session, views));
    });
}

function ifRevisionOf({ ifRevision }: ChangeOptions): { ifRevision?: number } {
  if (ifRevision === undefined) return {};
  return { ifRevision: wholeNumber("--if-revision", ifRevision, 0, Number.MAX_SAFE_INTEGER) };
}

const timeOf = (at: string | null, otherwise: string): string =>
  at === null ? otherwise : utcTime(Date.parse(at));
const stateOf = ({ missing }: HeartbeatView): string => (missing ? "missing" : "well");
const nextOf = ({ expected }: HeartbeatView): string =>
  expected === null ? "never expected" : `next expected at ${timeOf(expected, "")}`;

function showHeartbeat({ output }: Session, view: HeartbeatView): void {
  output.table(
    ["FIELD", "VALUE"],
    [
      ["name", view.name],
      ["revision", String(view.revision)],
      ["state", stateOf(view)],
      ["last beat", timeOf(view.lastBeat, "none yet")],
      ["expected", timeOf(view.expected, "never")],
      ...Object.entries(view.heartbeat).map(([field, value]) => [field, String(value)]),
    ],
  );
}

function listForPeople({ output }: Session, views: readonly HeartbeatView[]): void {
  if (output.quiet) for (const { name } of views) output.line(name);
  else if (views.length === 0) output.note('no heartbeats are expected; "punctual heartbeat put" does it');
  else
    output.table(
      ["NAME", "RHYTHM", "GRACE", "LAST BEAT", "EXPECTED", "STATE"],
      views.map((view) => [
        view.name,
        String(view.heartbeat.every ?? `${view.heartbeat.cron} ${view.heartbeat.timeZone}`),
        String(view.heartbeat.grace),
        timeOf(view.lastBeat, "none yet"),
        timeOf(view.expected, "never"),
        stateOf(view),
      ]),
    );
}
