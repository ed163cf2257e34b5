/** Queues: their settings, and what is in them. */
import type { Command } from "commander";
import { invalid } from "../../core/errors.js";
import type { Instant } from "../../core/schedule.js";
import { parseWith } from "../../protocol/parse.js";
import type { QueueView } from "../../protocol/queue-api.js";
import { queueInput } from "../../protocol/queue-input.js";
import { addFlags } from "../flags.js";
import { wholeNumber } from "../global-options.js";
import { utcTime } from "../output.js";
import { addUnset, mergePatches, unsetting } from "../patch-flags.js";
import { checkQueueName, namingQueueFlags, queueFlags, readQueue } from "../queue-flags.js";
import type { CliContext } from "../runtime.js";
import { Session } from "../session.js";
import { instantOf } from "../time-flag.js";

interface ChangeOptions extends Record<string, unknown> {
  ifRevision?: string;
  unset?: string[];
}

const EXAMPLE = "maxDepth or perKey.rate";

export function addQueue(program: Command, context: CliContext): void {
  const queue = program.command("queue").description("show queues, set, pause and resume them");
  addPut(queue, context);
  addPatch(queue, context);
  addGetAndList(queue, context);
  addPauseAndResume(queue, context);
  queue
    .command("delete <queue>")
    .description("remove a queue that nobody uses")
    .action(async (name: string, _options: unknown, command: Command) => {
      const session = new Session(context, command);
      checkQueueName(name);
      await session.with(({ client }) => namingQueueFlags(() => client.queues.delete(name)));
      session.output.show({ queue: name, deleted: true }, () => session.output.line(`${name} deleted`));
    });
}

function addPut(parent: Command, context: CliContext): void {
  const put = parent
    .command("put <queue>")
    .description("make a queue, or replace its settings as a whole; workers follow while they run")
    .option("--file <file>", "the settings as JSON, - for the standard input; flags override its fields")
    .option("--if-revision <n>", "only if it is still this revision; 0: only if nothing was set before");
  addFlags(put, queueFlags).action(async (name: string, options: ChangeOptions, command: Command) => {
    const session = new Session(context, command);
    checkQueueName(name);
    const settings = await readQueue(options, context.readText);
    const only = ifRevisionOf(options);
    const view = await namingQueueFlags(() => {
      parseWith(queueInput, settings, "settings");
      return session.with(({ client }) => client.queues.put(name, settings, only));
    });
    session.output.show(view, () => session.output.line(`${name} stored, revision ${view.revision}`));
  });
}

function addPatch(parent: Command, context: CliContext): void {
  const patch = parent
    .command("patch <queue>")
    .description("change what the flags say and leave the rest as it is")
    .option("--if-revision <n>", "only if it is still this revision");
  addUnset(addFlags(patch, queueFlags), EXAMPLE).action(
    async (name: string, options: ChangeOptions, command: Command) => {
      const session = new Session(context, command);
      checkQueueName(name);
      const given = await readQueue(options, context.readText);
      const only = ifRevisionOf(options);
      const change = mergePatches(unsetting(options.unset ?? [], queueInput, EXAMPLE), given);
      if (Object.keys(change).length === 0)
        throw invalid("", "expected something to change, as --max-depth or --unset");
      const view = await session.with(({ client }) =>
        namingQueueFlags(() => client.queues.patch(name, change, only)),
      );
      session.output.show(view, () => session.output.line(`${name} is at revision ${view.revision}`));
    },
  );
}

function ifRevisionOf({ ifRevision }: ChangeOptions): { ifRevision?: number } {
  if (ifRevision === undefined) return {};
  return { ifRevision: wholeNumber("--if-revision", ifRevision, 0, Number.MAX_SAFE_INTEGER) };
}

function addGetAndList(parent: Command, context: CliContext): void {
  parent
    .command("get <queue>")
    .description("show one, with what is in it now; with --json its field `asked` can be put again")
    .action(async (name: string, _options: unknown, command: Command) => {
      const session = new Session(context, command);
      checkQueueName(name);
      const view = await session.with(({ client }) => namingQueueFlags(() => client.queues.get(name)));
      session.output.show(view, () => showQueue(session, view));
    });
  parent
    .command("list")
    .description("show all queues, by name; with --quiet only their names")
    .action(async (_options: unknown, command: Command) => {
      const session = new Session(context, command);
      const views = await session.with(async ({ client }) => {
        const all: QueueView[] = [];
        for await (const view of client.queues.list()) all.push(view);
        return all;
      });
      session.output.show(views, () => listForPeople(session, views));
    });
}

function addPauseAndResume(parent: Command, context: CliContext): void {
  parent
    .command("pause <queue>")
    .description("hand out no job until resumed; running jobs go on")
    .option("--note <text>", "why; for people")
    .option("--until <time>", "resume by itself then, as 2026-12-24T18:00:00Z")
    .action(async (name: string, options: { note?: string; until?: string }, command: Command) => {
      const session = new Session(context, command);
      checkQueueName(name);
      const until: Instant | undefined =
        options.until === undefined ? undefined : instantOf("--until", options.until);
      const view = await session.with(({ client }) =>
        namingQueueFlags(() => client.queues.pause(name, options.note, { until })),
      );
      session.output.show(view, () => session.output.line(`${name} ${stateOf(view)}`));
      if (!view.bareWorkersPaused)
        session.output.note("workers without the SDK are not held back: the server is older than 2.11");
    });
  parent
    .command("resume <queue>")
    .description("hand out jobs again")
    .action(async (name: string, _options: unknown, command: Command) => {
      const session = new Session(context, command);
      checkQueueName(name);
      const view = await session.with(({ client }) => namingQueueFlags(() => client.queues.resume(name)));
      session.output.show(view, () => session.output.line(`${name} resumed`));
    });
}

function showQueue({ output }: Session, view: QueueView): void {
  const text = (value: unknown) => (typeof value === "string" ? value : JSON.stringify(value));
  const settings = Object.entries(view.settings).map(([field, value]) => [
    field,
    Object.hasOwn(view.asked, field) ? text(value) : `${text(value)} (default)`,
  ]);
  output.table(
    ["FIELD", "VALUE"],
    [
      ["queue", view.queue],
      ["revision", String(view.revision)],
      ["state", stateOf(view)],
      ...(["waiting", "queued", "running", "redelivered", "workers"] as const).map((field) => [
        field,
        String(view[field]),
      ]),
      ...view.lanes.map(({ lane, queued, running }) => [
        `lane ${lane}`,
        `${queued} queued, ${running} running`,
      ]),
      ...settings,
    ],
  );
  if (view.unreadable !== undefined) output.complain(view.unreadable);
}

function listForPeople({ output }: Session, views: readonly QueueView[]): void {
  if (output.quiet) for (const { queue } of views) output.line(queue);
  else if (views.length === 0) output.note('no queues; make one with "punctual queue put"');
  else
    output.table(
      ["QUEUE", "WAITING", "QUEUED", "RUNNING", "REDELIVERED", "WORKERS", "STATE"],
      views.map((view) => [
        view.queue,
        ...[view.waiting, view.queued, view.running, view.redelivered, view.workers].map(String),
        stateOf(view),
      ]),
    );
}

function stateOf({ paused, asked }: QueueView): string {
  if (!paused) return "active";
  const { pausedUntil, note } = asked;
  const until = typeof pausedUntil === "string" ? ` until ${utcTime(Date.parse(pausedUntil))}` : "";
  return `paused${until}${typeof note === "string" ? `: ${note}` : ""}`;
}
