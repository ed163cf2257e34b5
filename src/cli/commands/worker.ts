import type { Command } from "commander";
import { invalid } from "../../core/errors.js";
import { parseDuration } from "../../protocol/duration.js";
import { labelMap } from "../../protocol/label-input.js";
import { checkQueue } from "../../protocol/names.js";
import { namingFlags, pairsOf } from "../flags.js";
import { wholeNumber } from "../global-options.js";
import { addHttpFlag, type HttpFlag, httpOption, namingHttp, showUrls } from "../http-flag.js";
import type { CliContext, Handler } from "../runtime.js";
import { Session } from "../session.js";

interface Options extends HttpFlag {
  queue: string;
  concurrency: string;
  drain: string;
  label?: string[];
}

interface HttpOptions extends Options {
  allowHost?: string[];
}

interface ExecOptions extends Options {
  allow?: string[];
  allowShell?: boolean;
}

export function addWorker(program: Command, context: CliContext): void {
  const worker = program.command("worker").description("do jobs, without writing code");
  withOptions(worker.command("http"), "http")
    .description("call the URL that the job names")
    .option(
      "--allow-host <host>",
      "a host that jobs may call; may be repeated (default: every host)",
      collect,
    )
    .action(async (options: HttpOptions, command: Command) => {
      const session = new Session(context, command);
      const settings = options.allowHost === undefined ? {} : { allowHosts: options.allowHost };
      await serve(session, options, await naming(() => context.parts.httpHandler(settings)));
    });
  withOptions(worker.command("exec"), "exec")
    .description("run the command that the job names, if it is allowed here")
    .option("--allow <program>", "a program that jobs may run; may be repeated", collect)
    .option("--allow-shell", "jobs may be any line for the shell, as those of a crontab are")
    .action(async (options: ExecOptions, command: Command) => {
      const session = new Session(context, command);
      const { allow = [], allowShell = false } = options;
      if (allow.length === 0 && !allowShell)
        throw invalid("--allow", "expected the programs that jobs may run here, or --allow-shell for any");
      await serve(session, options, await naming(() => context.parts.execHandler({ allow, allowShell })));
    });
}

function withOptions(command: Command, queue: string): Command {
  return addHttpFlag(command)
    .option("--queue <name>", "the queue to work on", queue)
    .option("--concurrency <n>", "jobs at once, 1 to 1000", "10")
    .option("--drain <duration>", "how long jobs may go on when the worker is to stop", "30s")
    .option("--label <key=value>", "what people should know of this worker; may be repeated", collect);
}

const naming = <T>(make: () => Promise<T>): Promise<T> =>
  namingFlags([], { allowHosts: "--allow-host", allow: "--allow" }, make);

const collect = (value: string, before: string[] | undefined): string[] => [...(before ?? []), value];

async function serve(session: Session, options: Options, handler: Handler): Promise<void> {
  const queue = checkQueue(options.queue, "--queue");
  const concurrency = wholeNumber("--concurrency", options.concurrency, 1, 1_000);
  const drainTimeoutMs = durationOf("--drain", options.drain);
  const labels = labelsOf("--label", options.label ?? []);
  await session.serve({ name: `punctual worker ${queue}` }, async (punctual, running) => {
    const settings = { concurrency, drainTimeoutMs, labels, ...httpOption(options, session.context) };
    running.push(await namingHttp(() => punctual.work(queue, settings, handler)));
    showUrls(session, punctual);
    session.output.show({ queue, concurrency }, () =>
      session.output.line(`worker on queue ${queue}, ${concurrency} jobs at once; interrupt to stop`),
    );
  });
}

function durationOf(flag: string, text: string): number {
  const ms = parseDuration(text);
  if (ms === null) throw invalid(flag, `expected a duration such as 20s, got ${JSON.stringify(text)}`);
  return ms;
}

function labelsOf(flag: string, lines: readonly string[]): Record<string, string> {
  const read = labelMap.safeParse(pairsOf(flag, lines, "=", "key=value"));
  if (read.success) return read.data;
  throw invalid(flag, read.error.issues[0]?.message ?? "expected labels");
}
