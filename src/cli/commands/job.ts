import type { Command } from "commander";
import type { JobRow } from "../../protocol/job-api.js";
import { limits } from "../../protocol/limits.js";
import { namingFlags } from "../flags.js";
import { utcTime } from "../output.js";
import type { CliContext } from "../runtime.js";
import { Session } from "../session.js";
import { instantOf } from "../time-flag.js";
import { limitOf } from "./runs-list.js";

interface When {
  at?: string;
  delay?: string;
}

/** Jobs that wait for their time. */
export function addJob(program: Command, context: CliContext): void {
  const job = program.command("job").description("jobs that wait for their time");
  addList(job, context);
  job
    .command("cancel <timer>")
    .description("a job that waits for its time is never queued")
    .action(async (timer: string, _: unknown, command: Command) => {
      const session = new Session(context, command);
      await session.with(({ client }) => client.cancel(timer));
      session.output.show({ timer, cancelled: true }, () => session.output.line(`${timer} cancelled`));
    });
  job
    .command("reschedule <timer>")
    .description("a job that waits for its time waits for another one")
    .option("--at <time>", "RFC 3339, as 2027-01-01T00:00:00Z")
    .option("--delay <duration>", "from now, as 10m")
    .action(async (timer: string, when: When, command: Command) => {
      const session = new Session(context, command);
      const moved = await session.with(({ client }) => client.reschedule(timer, when as { at: string }));
      session.output.show(moved, () => session.output.line(`${moved.timer} waits`));
    });
}

interface ListFlags {
  queue?: string;
  from?: string;
  to?: string;
  limit?: string;
}

function addList(parent: Command, context: CliContext): void {
  parent
    .command("list")
    .description(
      "show them, the next ones first; with --quiet only the timers, as cancel and reschedule take them",
    )
    .option("--queue <name>", "only those of this queue")
    .option("--from <time>", "due at this time or later (default: a day ago)")
    .option("--to <time>", "due at this time or earlier")
    .option("--limit <count>", "as many of them (default: 50)")
    .action(async ({ queue, from, to, limit: most }: ListFlags, command: Command) => {
      const session = new Session(context, command);
      const limit = limitOf(most);
      const filter = {
        queue,
        from: from === undefined ? undefined : instantOf("--from", from),
        to: to === undefined ? undefined : instantOf("--to", to),
      };
      const jobs = await session.with(({ client }) =>
        namingFlags([], { queue: "--queue" }, async () => {
          const found: JobRow[] = [];
          for await (const one of client.waiting(filter, { pageSize: Math.min(limit, limits.jobPage) })) {
            found.push(one);
            if (found.length === limit) break;
          }
          return found;
        }),
      );
      session.output.show(jobs, () => showJobs(session, jobs));
    });
}

function showJobs({ output }: Session, jobs: readonly JobRow[]): void {
  if (output.quiet) for (const { timer } of jobs) output.line(timer);
  else if (jobs.length === 0) output.note("no job waits for its time");
  else output.table(["DUE", "QUEUE", "TIMER", "ATTEMPTS"], jobs.map(cellsOf));
}

function cellsOf({ at, queue, timer, attempts }: JobRow): string[] {
  return [utcTime(Date.parse(at)), queue, timer, String(attempts)];
}
