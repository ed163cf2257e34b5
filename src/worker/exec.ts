/**
 * The ready-made worker that runs commands. Whoever may publish a job chooses the arguments, so it does nothing
 * unless it was told what may be run.
 */
import { z } from "zod";
import { messageOf } from "../core/errors.js";
import type { Clock } from "../core/ports.js";
import { limits } from "../protocol/limits.js";
import { parseWith, show } from "../protocol/parse.js";
import { systemClock } from "../runtime/clock.js";
import { type Command, type CommandEnd, runCommand } from "./command.js";
import type { Handler, JobContext } from "./context.js";
import { NonRetryableError } from "./errors.js";
import { readyMade } from "./ready-made.js";

const text = z.string().refine((value) => !value.includes("\0"), { error: "expected no NUL character" });
const variables = z.record(z.string(), text).superRefine((map, context) => {
  const wrong = Object.keys(map).find((name) => !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name));
  if (wrong !== undefined)
    context.addIssue({
      code: "custom",
      path: [wrong],
      message: `expected a name of A-Z a-z 0-9 _, got ${show(wrong)}`,
    });
});

/** What the job says. */
export const execPayload = z
  .strictObject({
    command: text.min(1).optional().describe("A program on the worker's list; no shell is involved."),
    args: z.array(text).optional().describe("Goes with command."),
    shell: text.min(1).optional().describe("Instead of command: a line for the shell."),
    env: variables
      .default({})
      .describe("Added to the environment. SHELL names the shell of a line, as in a crontab."),
    stdin: z.string().optional().describe("Default: no input."),
    cwd: text
      .startsWith("/", { error: "expected an absolute path" })
      .optional()
      .describe("Default: the worker's; for a line with HOME in env, that."),
  })
  .superRefine(({ command, args, shell }, context) => {
    const refuse = (path: string[], message: string) => context.addIssue({ code: "custom", path, message });
    if ((command === undefined) === (shell === undefined)) refuse([], "expected one of command, shell");
    if (args !== undefined && command === undefined) refuse(["args"], "goes with command only");
  });

export type ExecPayload = z.input<typeof execPayload>;
type ExecJob = z.output<typeof execPayload>;

export const execOptions = z
  .strictObject({
    allow: z
      .array(
        z.string().regex(/^(\/[^\0]+|[^/\0]+)$/, {
          error: "expected the name of a program, or its absolute path",
        }),
      )
      .default([])
      .describe(
        "Programs that jobs may run, by exactly this name or path, with any arguments. Default none.",
      ),
    allowShell: z
      .boolean()
      .default(false)
      .describe(
        "Whether jobs may be lines for the shell, which can do whatever the worker's user can. Default no.",
      ),
  })
  .refine(({ allow, allowShell }) => allow.length > 0 || allowShell, {
    error: "expected at least one program, or allowShell",
    path: ["allow"],
  });

export type ExecOptions = z.input<typeof execOptions>;
type ExecRules = z.output<typeof execOptions>;

/** Of the worker's own environment. The rest of it, credentials among it, is not the job's business. */
const INHERITED = /^(PATH|HOME|USER|LOGNAME|SHELL|LANG|LANGUAGE|LC_\w+|TZ|TMPDIR)$/;

/**
 * Variables by which a job could make an allowed program run another: searched, loaded or evaluated at its start.
 * A list of the known ones, not a sandbox.
 */
const LOADING =
  /^(PATH|HOME|XDG_.*|IFS|ENV|SHELLOPTS|BASHOPTS|PS4|PROMPT_COMMAND|BASH_.*|LD_.*|DYLD_.*|GCONV_PATH|NODE_.*|PYTHON.*|PERL.*|RUBY.*|GEM_.*|LUA_.*|PHP.*|GIT_.*|.*JAVA_.*OPTIONS|CLASSPATH|EDITOR|VISUAL|PAGER|LESSOPEN|LESSCLOSE)$/;

const KILL_AFTER_MS = 5_000;
/** Room for the words before the output, so that both fit into a kept error. */
const TAIL_BYTES = limits.errorLength - 256;

/**
 * Runs the command that the job names. Exit status other than 0 is a failure and is retried; a command that is not
 * allowed is not. An abort ends the command with all that it started.
 *
 * The command finds `PUNCTUAL_RUN_ID`, `PUNCTUAL_SCHEDULE_ID`, `PUNCTUAL_FIRE_TIME` (RFC 3339) and
 * `PUNCTUAL_ATTEMPT` in its environment. POSIX only.
 *
 * @returns a handler whose result is `{status: 0, output}`, the output's last 8 KiB at most
 * @throws invalid when nothing is allowed
 */
export function execHandler(options: ExecOptions, clock: Clock = systemClock): Handler {
  const rules = parseWith(execOptions, options, "exec worker options");
  return readyMade(execPayload, async (payload, job) => {
    checkAllowed(payload, rules);
    const end = await runCommand(commandOf(payload, job), {
      abort: job.signal,
      clock,
      killAfterMs: KILL_AFTER_MS,
      tailBytes: TAIL_BYTES,
      onLine: (line, from) => job.log.info(from === "stderr" ? { from } : {}, line),
    }).catch((error: unknown) => {
      if (job.signal.aborted) throw job.signal.reason;
      const what = payload.command ?? "the shell";
      throw new Error(`${what} could not be started: ${messageOf(error)}`, { cause: error });
    });
    // A status of 0 from a command that was told to end says nothing of its work.
    if (end.status !== 0 || job.signal.aborted) throw new Error(failureOf(end));
    return fitting(end.output);
  });
}

function checkAllowed({ command, env }: ExecJob, { allow, allowShell }: ExecRules): void {
  if (command === undefined) {
    if (allowShell) return;
    throw new NonRetryableError(`lines for the shell are not allowed here; allowed are ${listOf(allow)}`);
  }
  if (!allow.includes(command))
    throw new NonRetryableError(
      `command ${JSON.stringify(command)} is not allowed here; allowed are ${listOf(allow)}`,
    );
  const variable = Object.keys(env).find((name) => LOADING.test(name));
  if (variable === undefined || allowShell) return;
  throw new NonRetryableError(
    `env.${variable} is not allowed here: it can make an allowed program run another one`,
  );
}

const listOf = (allow: readonly string[]): string => allow.join(", ") || "no programs";

function commandOf({ command, args, shell, env, stdin, cwd }: ExecJob, job: JobContext): Command {
  const environment = { ...inherited(), ...env, ...jobVariables(job) };
  if (command !== undefined) return { file: command, args: args ?? [], env: environment, cwd, stdin };
  const file = env.SHELL?.startsWith("/") ? env.SHELL : "/bin/sh";
  return { file, args: ["-c", shell ?? ""], env: environment, cwd: cwd ?? env.HOME, stdin };
}

function inherited(): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env)) {
    if (value !== undefined && INHERITED.test(name)) found[name] = value;
  }
  return found;
}

function jobVariables({ runId, scheduleId, fireTime, attempt }: JobContext): Record<string, string> {
  return {
    PUNCTUAL_RUN_ID: runId,
    PUNCTUAL_ATTEMPT: String(attempt),
    ...(scheduleId !== null && { PUNCTUAL_SCHEDULE_ID: scheduleId }),
    ...(fireTime !== null && { PUNCTUAL_FIRE_TIME: fireTime.toISOString() }),
  };
}

function failureOf({ status, signal, output }: CommandEnd): string {
  const how = status === null ? `ended by ${signal}` : `exit status ${status}`;
  const tail = output.trimEnd();
  return tail === "" ? how : `${how}: ${tail}`;
}

/** JSON needs more room than the output itself; what is too long for a result loses its beginning. */
function fitting(output: string): { status: 0; output: string } {
  const result = { status: 0 as const, output };
  while (Buffer.byteLength(JSON.stringify(result)) > limits.errorLength) {
    result.output = result.output.slice(Math.ceil(result.output.length / 8));
  }
  return result;
}
