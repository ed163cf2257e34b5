/** The whole command line, as a function of its arguments and the process around it. */
import { Command, CommanderError } from "commander";
import { tzDataVersion } from "../runtime/tz-data.js";
import { addAlert } from "./commands/alert.js";
import { addBackfill } from "./commands/backfill.js";
import { addCalendar } from "./commands/calendar.js";
import { addDead } from "./commands/dead.js";
import { addDemo } from "./commands/demo.js";
import { addDev } from "./commands/dev.js";
import { addEnqueue } from "./commands/enqueue.js";
import { addGroup } from "./commands/group.js";
import { addHealth } from "./commands/health.js";
import { addHeartbeat } from "./commands/heartbeat.js";
import { addImport } from "./commands/import-crontab.js";
import { addJob } from "./commands/job.js";
import { addLint } from "./commands/lint.js";
import { addOrchestrator } from "./commands/orchestrator.js";
import { addPreview } from "./commands/preview.js";
import { addQueue } from "./commands/queue.js";
import { addRuns } from "./commands/runs.js";
import { addSchedule } from "./commands/schedule.js";
import { addVerify } from "./commands/verify.js";
import { addWorker } from "./commands/worker.js";
import { failureOf } from "./failure.js";
import { addGlobalOptions } from "./global-options.js";
import type { CliContext } from "./runtime.js";

/** Runs one command and resolves to the exit status; never rejects. */
export async function run(args: readonly string[], version: string, context: CliContext): Promise<number> {
  let exitCode = 0;
  const program = buildProgram(version, context, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync(args, { from: "user" });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0; // help or version
    if (error instanceof CommanderError && error.code === "commander.help") return 2; // help was shown
    const failure = failureOf(error, args.includes("--json"), usageOf(program, args));
    context.stderr.write(`${failure.line}\n`);
    return failure.exitCode;
  }
}

function buildProgram(version: string, context: CliContext, done: (exitCode: number) => void): Command {
  const program = new Command("punctual")
    .description("A distributed job scheduler on NATS JetStream.")
    .version(`${version} (tz data ${tzDataVersion})`)
    .helpCommand(false)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => context.stdout.write(text),
      writeErr: (text) => context.stderr.write(text),
      outputError: () => {}, // told by `run`, in one line
    })
    .configureHelp({ showGlobalOptions: true });
  addGlobalOptions(program);
  addDev(program, context);
  addOrchestrator(program, context);
  addWorker(program, context);
  addSchedule(program, context);
  addCalendar(program, context);
  addQueue(program, context);
  addAlert(program, context);
  addGroup(program, context);
  addHeartbeat(program, context);
  addPreview(program, context);
  addLint(program, context, done);
  addVerify(program, context, done);
  addBackfill(program, context);
  addRuns(program, context);
  addEnqueue(program, context);
  addJob(program, context);
  addDead(program, context);
  addImport(program, context);
  addHealth(program, context);
  addDemo(program, context, done);
  return program;
}

/** Help for the command that the arguments got to. */
function usageOf(program: Command, args: readonly string[]): string {
  const path = ["punctual"];
  let command = program;
  for (const arg of args) {
    const next = command.commands.find(
      (candidate) => candidate.name() === arg || candidate.aliases().includes(arg),
    );
    if (next === undefined) continue;
    path.push(arg);
    command = next;
  }
  return `${path.join(" ")} --help`;
}
