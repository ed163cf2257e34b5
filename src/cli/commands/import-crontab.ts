import type { Command } from "commander";
import type { Client } from "../../client/client.js";
import { messageOf, PunctualError } from "../../core/errors.js";
import type { ScheduleView } from "../../protocol/api.js";
import { type CrontabJob, type CrontabOptions, readCrontab } from "../crontab/parse.js";
import { type ImportAction, type ImportStep, planImport } from "../crontab/plan.js";
import { namingFlags } from "../flags.js";
import type { CliContext } from "../runtime.js";
import { specOf, zoneOf } from "../schedule-text.js";
import { Session } from "../session.js";

/** Requests under way at once. */
const BATCH = 32;

const optionNames = { queue: "--queue", prefix: "--prefix", timeZone: "--time-zone" };

interface Options extends Pick<CrontabOptions, "queue" | "prefix" | "timeZone" | "userColumn" | "seconds"> {
  dryRun?: boolean;
}

export function addImport(program: Command, context: CliContext): void {
  const group = program.command("import").description("make schedules from what other schedulers use");
  group
    .command("crontab <file>")
    .description("make or update a schedule for each line of a crontab; - for the standard input")
    .option("--queue <name>", 'queue of the jobs, for "punctual worker exec" (default: exec)')
    .option("--prefix <text>", "put before every id; keeps machines apart")
    .option("--time-zone <name>", "of lines before the first CRON_TZ or TZ (default: UTC)")
    .option("--user-column", "lines have a user before the command, as in /etc/crontab")
    .option("--seconds", "lines begin with a field of seconds")
    .option("--dry-run", "show what would be done, and do nothing")
    .action(async (file: string, options: Options, command: Command) => {
      const session = new Session(context, command);
      const jobs = await readJobs(session, file, options);
      noteWhatDiffers(session, jobs, options);
      const steps = await session.with(({ client }) => carryOut(client, jobs, options.dryRun === true));
      showSteps(session, steps, options.dryRun === true);
    });
}

/** The whole file or nothing; every bad line is reported as `file:line: what is wrong`. */
async function readJobs({ context, output }: Session, file: string, options: Options): Promise<CrontabJob[]> {
  const text = await context.readText(file);
  const { jobs, issues } = await namingFlags([], optionNames, async () => readCrontab(text, options));
  if (issues.length === 0) return jobs;
  if (!output.json)
    for (const { path, message } of issues)
      output.complain(`${file}:${path.replace("line ", "")}: ${message}`);
  const lines = issues.length === 1 ? "1 bad line" : `${issues.length} bad lines`;
  throw new PunctualError("invalid", `${file}: ${lines}; nothing was imported`, { issues });
}

function noteWhatDiffers({ output }: Session, jobs: readonly CrontabJob[], options: Options): void {
  if (options.timeZone === undefined && jobs.some(({ schedule }) => schedule.timeZone === undefined))
    output.note("times without CRON_TZ are read in UTC; say --time-zone for another zone");
  if (options.userColumn === true)
    output.note("the user column is not acted on: commands run as the user of their worker");
}

async function carryOut(client: Client, jobs: readonly CrontabJob[], dryRun: boolean): Promise<ImportStep[]> {
  const steps = await inBatches(jobs, async (job) => planImport(job, await stored(client, job.id)));
  if (dryRun) return steps;
  const changes = steps.filter(({ action }) => action !== "unchanged");
  let done = 0;
  await inBatches(changes, async ({ job, schedule, ifRevision }) => {
    await client.schedules.put(job.id, schedule, { ifRevision });
    done++;
  }).catch((cause: unknown) => {
    const code = cause instanceof PunctualError ? cause.code : "internal";
    const progress = `${done} of ${changes.length} changes were made before it; the same import goes on from there`;
    throw new PunctualError(code, `${messageOf(cause)}; ${progress}`, { cause });
  });
  return steps;
}

async function stored(client: Client, id: string): Promise<ScheduleView | null> {
  try {
    return await client.schedules.get(id);
  } catch (error) {
    if (error instanceof PunctualError && error.code === "not_found") return null;
    throw error;
  }
}

/** In order, a batch at a time; a batch is waited for as a whole before its first failure is thrown. */
async function inBatches<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let at = 0; at < items.length; at += BATCH) {
    for (const outcome of await Promise.allSettled(items.slice(at, at + BATCH).map(work))) {
      if (outcome.status === "rejected") throw outcome.reason;
      results.push(outcome.value);
    }
  }
  return results;
}

function showSteps({ output }: Session, steps: readonly ImportStep[], dryRun: boolean): void {
  const count = (action: ImportAction) => steps.filter((step) => step.action === action).length;
  const counts = { created: count("created"), updated: count("updated"), unchanged: count("unchanged") };
  const rows = steps.map(({ job, action }) => ({
    line: job.line,
    id: job.id,
    action,
    schedule: job.schedule,
  }));
  output.show({ dryRun, ...counts, jobs: rows }, () => {
    if (!output.quiet && rows.length > 0)
      output.table(
        ["LINE", "ID", "SPEC", "TIME ZONE", "ACTION"],
        rows.map((r) => [String(r.line), r.id, specOf(r.schedule), zoneOf(r.schedule), r.action]),
      );
    const { created, updated, unchanged } = counts;
    output.note(
      `${created} created, ${updated} updated, ${unchanged} unchanged${dryRun ? "; a dry run: nothing was done" : ""}`,
    );
  });
}
