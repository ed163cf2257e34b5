/**
 * A crontab as schedules. The grammar is that of Vixie cron and its heirs:
 *
 *   # a comment                       blank lines and comments stand on lines of their own
 *   CRON_TZ = Europe/Berlin           an environment line holds for the lines that follow
 *   30 3 * * mon-fri  backup --full   five time fields (or @daily, …), the command up to the end of the line
 *   0 8 1 * *  mail boss%Hello%Bye    what follows a % is the command's input
 *   0 4 * * *  root  updatedb         /etc/crontab has a user before the command (`userColumn`)
 *
 * and one extension: `# punctual: seconds` gives the lines that follow a leading field of seconds, up to
 * `# punctual: seconds off`.
 */
import { type Issue, invalid, messageOf, PunctualError } from "../../core/errors.js";
import { parseCronFields } from "../../core/time/cron-fields.js";
import { isTimeZone } from "../../core/time/zone.js";
import { cronItemOf } from "../../protocol/cron-input.js";
import { formatDuration } from "../../protocol/duration.js";
import { checkQueue } from "../../protocol/names.js";
import { parseWith, show } from "../../protocol/parse.js";
import { type ScheduleInput, scheduleInput } from "../../protocol/schedule-input.js";
import { splitCommand } from "./command.js";
import { Environment, readAssignment } from "./environment.js";
import { LineIds } from "./ids.js";

export interface CrontabOptions {
  /** Queue of all jobs; an exec worker must serve it. Default `exec`. */
  queue?: string | undefined;
  /** Put before every id, with a dash: keeps the crontabs of several machines apart. */
  prefix?: string | undefined;
  /** Of the lines before the first `CRON_TZ` or `TZ`. Default UTC. */
  timeZone?: string | undefined;
  /** The word before the command is a user name, as in /etc/crontab. Default false. */
  userColumn?: boolean | undefined;
  /** Lines begin with a field of seconds from the start. Default false. */
  seconds?: boolean | undefined;
}

export interface CrontabJob {
  /** Counted from 1. */
  line: number;
  id: string;
  schedule: ScheduleInput;
  /** Only with a user column. Nobody acts on it: a command runs as the user of its worker. */
  user?: string;
}

/** What an exec worker gets. */
interface ShellPayload {
  shell: string;
  env: Record<string, string>;
  stdin?: string;
}

/**
 * Reads a whole crontab, or throws an `invalid` error with one issue for every bad line (`path`: `line 3`).
 *
 * @param what names the crontab in the error
 */
export function parseCrontab(text: string, options: CrontabOptions = {}, what = "crontab"): CrontabJob[] {
  const { jobs, issues } = readCrontab(text, options);
  if (issues.length === 0) return jobs;
  const lines = issues.map(({ path, message }) => `${path}: ${message}`);
  throw new PunctualError("invalid", `${what}: ${lines.join("; ")}`, { issues });
}

/** Reads what can be read, and says what is wrong with every other line. Throws for wrong options only. */
export function readCrontab(
  text: string,
  options: CrontabOptions = {},
): { jobs: CrontabJob[]; issues: Issue[] } {
  const reader = new Reader(options);
  const issues: Issue[] = [];
  const lines = text.replace(/^\uFEFF/, "").split(/\r?\n/);
  lines.forEach((line, index) => {
    try {
      reader.read(line.trim(), index + 1);
    } catch (error) {
      issues.push({ path: `line ${index + 1}`, message: messageOf(error) });
    }
  });
  return { jobs: reader.jobs, issues };
}

class Reader {
  readonly jobs: CrontabJob[] = [];
  readonly #queue: string;
  readonly #userColumn: boolean;
  readonly #ids: LineIds;
  readonly #environment: Environment;
  #seconds: boolean;

  constructor(options: CrontabOptions) {
    if (options.timeZone !== undefined && !isTimeZone(options.timeZone))
      throw invalid(
        "timeZone",
        `expected an IANA time zone such as Europe/Berlin, got ${show(options.timeZone)}`,
      );
    this.#queue = checkQueue(options.queue ?? "exec");
    this.#userColumn = options.userColumn ?? false;
    this.#ids = new LineIds(options.prefix);
    this.#environment = new Environment(options.timeZone);
    this.#seconds = options.seconds ?? false;
  }

  read(line: string, number: number): void {
    const assignment = readAssignment(line);
    if (line.startsWith("#")) this.#directive(line);
    else if (assignment !== null) this.#assign(assignment.name, assignment.value);
    else if (line !== "") this.#entry(line, number);
  }

  #assign(name: string, value: string): void {
    const wrong = this.#environment.set(name, value);
    if (wrong !== null) throw invalid("", wrong);
  }

  #directive(comment: string): void {
    const words = /^#+\s*punctual:\s*(.*)$/i.exec(comment)?.[1]?.trim().toLowerCase().split(/\s+/).join(" ");
    if (words === undefined) return;
    if (words !== "seconds" && words !== "seconds on" && words !== "seconds off")
      throw invalid("", `expected "# punctual: seconds" or "# punctual: seconds off", got ${show(comment)}`);
    this.#seconds = words !== "seconds off";
  }

  #entry(line: string, number: number): void {
    const { typed, rest } = this.#times(line);
    checkTimes(typed, this.#seconds);
    const times = timesOf(typed.split(/\s+/).join(" "), this.#environment.timeZone);
    const { user, rest: commandText } = this.#userColumn ? splitUser(rest) : { user: undefined, rest };
    const { command, stdin } = splitCommand(commandText);
    if (command === "") throw invalid("", `expected a command after the times, got ${show(line)}`);
    const payload: ShellPayload = {
      shell: command,
      env: this.#environment.variables,
      ...(stdin !== undefined && { stdin }),
    };
    const schedule: ScheduleInput = {
      ...times,
      queue: this.#queue,
      payload: { ...payload },
    };
    parseWith(scheduleInput, schedule, "schedule");
    const id = this.#ids.idFor(command, [user ?? "", command, stdin ?? ""].join("\0"));
    this.jobs.push({ line: number, id, schedule, ...(user !== undefined && { user }) });
  }

  #times(line: string): { typed: string; rest: string } {
    // A leading dash keeps some crons from logging the line.
    const text = line.replace(/^-(?=[\d*])/, "");
    const count = /^@every\s/.test(text) ? 2 : text.startsWith("@") ? 1 : this.#seconds ? 6 : 5;
    const fields = new RegExp(`^(?:\\S+\\s+){${count - 1}}\\S+(?=\\s|$)`).exec(text)?.[0];
    if (fields === undefined)
      throw invalid("", `expected ${count} time fields and a command, or NAME=value, got ${show(line)}`);
    return { typed: fields, rest: text.slice(fields.length).trim() };
  }
}

/** As a schedule that was stored shows them, so that an import sees what has changed. */
function timesOf(cron: string, timeZone: string | undefined): ScheduleInput {
  const item = cronItemOf({ cron });
  if (item.kind === "every") return { every: formatDuration(item.everyMs), phase: "0s" };
  return { cron, ...(timeZone !== undefined && { timeZone }) };
}

function checkTimes(cron: string, seconds: boolean): void {
  if (cron === "@reboot")
    throw invalid(
      "",
      "@reboot cannot be a schedule: no machine is the one whose start would count; start it as a service",
    );
  try {
    if (cronItemOf({ cron }).kind === "cron") parseCronFields(cron, "");
  } catch (error) {
    const message = messageOf(error).replace(/^(?:expression|cron): /, "");
    throw invalid(
      "",
      seconds && !cron.startsWith("@") ? `${message} (lines begin with seconds here)` : message,
    );
  }
}

function splitUser(text: string): { user: string; rest: string } {
  const [, user, rest] = /^([A-Za-z_][\w.-]*\$?)(?:\s+(.*))?$/.exec(text) ?? [];
  if (user === undefined) throw invalid("", `expected a user name and a command, got ${show(text)}`);
  return { user, rest: rest ?? "" };
}
