/** Dead letters: looking at them, trying them again, throwing them away. */
import type { Command } from "commander";
import type { RetryPage } from "../../client/dead-letters.js";
import { PunctualError } from "../../core/errors.js";
import type { LetterRow, LetterView } from "../../protocol/dead-api.js";
import { namingFlags } from "../flags.js";
import { wholeNumber } from "../global-options.js";
import {
  addLetterFlags,
  choiceOf,
  filterOf,
  type LetterOptions,
  letterId,
  letterNames,
} from "../letter-flags.js";
import { utcTime } from "../output.js";
import type { CliContext } from "../runtime.js";
import { Session } from "../session.js";

const LISTED = 100;

export function addDead(program: Command, context: CliContext): void {
  const dead = program
    .command("dead")
    .description("dead letters: jobs that failed for good, or could not be read");
  addList(dead, context);
  addShow(dead, context);
  addRetry(dead, context);
  addDiscard(dead, context);
}

function addList(parent: Command, context: CliContext): void {
  const list = parent
    .command("list")
    .description("show them, the newest first; with --quiet only their ids")
    .option("--limit <count>", "at most so many", String(LISTED));
  addLetterFlags(list).action(async (options: LetterOptions, command: Command) => {
    const session = new Session(context, command);
    const limit = wholeNumber("--limit", options.limit ?? "", 1, 1_000_000);
    const filter = await filterOf(options);
    const [rows, isMore] = await session.with(({ client }) =>
      namingFlags([], letterNames, () => take(client.deadLetters.list(filter), limit)),
    );
    session.output.show(rows, () => showList(session, rows));
    if (isMore) session.output.note(`there are more than ${limit}; see --limit`);
  });
}

/** The first of them, and whether there are more. */
async function take(letters: AsyncIterable<LetterRow>, limit: number): Promise<[LetterRow[], boolean]> {
  const rows: LetterRow[] = [];
  for await (const row of letters) {
    if (rows.length === limit) return [rows, true];
    rows.push(row);
  }
  return [rows, false];
}

function showList({ output }: Session, rows: readonly LetterRow[]): void {
  if (output.quiet) for (const { id } of rows) output.line(String(id));
  else if (rows.length === 0) output.note("no dead letters");
  else output.table(["ID", "DIED", "QUEUE", "RUN", "ATTEMPTS", "REASON", "ERROR"], rows.map(cellsOf));
}

function cellsOf({ id, diedAt, queue, runId, attempts, reason, error }: LetterRow): string[] {
  return [String(id), timeOf(diedAt), queue, runId, String(attempts), reason, (error ?? "-").slice(0, 80)];
}

function addShow(parent: Command, context: CliContext): void {
  parent
    .command("show <id>")
    .description("show one: payload, headers, and the error of every attempt")
    .action(async (text: string, _options: unknown, command: Command) => {
      const session = new Session(context, command);
      const id = letterId(text);
      const view = await session.with(({ client }) => client.deadLetters.get(id));
      session.output.show(view, () => showOne(session, view));
    });
}

function showOne({ output }: Session, view: LetterView): void {
  const { failures, headers, payload, encoding, diedAt, stack, ...fields } = view;
  const rows = Object.entries(fields).map(([name, value]) => [name, String(value ?? "-")]);
  const body = encoding === "none" ? "(too large to be shown)" : JSON.stringify(payload);
  const own = Object.entries(headers).map(([name, value]) => [`header ${name}`, value]);
  output.table(
    ["FIELD", "VALUE"],
    [
      ...rows,
      ["diedAt", timeOf(diedAt)],
      ...own,
      [encoding === "base64" ? "payload (base64)" : "payload", body],
    ],
  );
  output.line("");
  if (failures.length === 0) output.note("the history knows of no attempt");
  else
    output.table(
      ["ATTEMPT", "AT", "NEXT AFTER", "ERROR"],
      failures.map(({ attempt, at, delayMs, error }) => [
        String(attempt),
        timeOf(at),
        delayMs === null ? "-" : `${delayMs} ms`,
        error ?? "-",
      ]),
    );
  if (stack !== null) for (const line of stack.split(" | ")) output.line(line);
}

function addRetry(parent: Command, context: CliContext): void {
  const retry = parent
    .command("retry [id]")
    .description("queue the job again, as a new run, and remove the letter; the oldest first")
    .option("--rate <rate>", "at most so many: 10/s, 30/m, 5/h (default: 100/s)")
    .option("--all", "every letter there is");
  addLetterFlags(retry).action(async (text: string | undefined, options: LetterOptions, command: Command) => {
    const session = new Session(context, command);
    const choice = await choiceOf(text, options);
    await session.with(({ client }) =>
      namingFlags([], letterNames, async () => {
        if (typeof choice !== "number") return retryMany(session, client.deadLetters, choice, options.rate);
        const retried = { id: choice, ...(await client.deadLetters.retry(choice)) };
        session.output.show(retried, () => session.output.line(toldOf(retried)));
      }),
    );
  });
}

function toldOf({ id, runId, to }: RetryPage["retried"][number]): string {
  if (to !== "front door")
    return `${id} ${to === "queue" ? "is queued" : "waits at the gate of its queue"} as ${runId}`;
  return `${id} went back to the front door as ${runId}; if it is refused there again, it becomes a letter again`;
}

type Letters = Parameters<Parameters<Session["with"]>[0]>[0]["client"]["deadLetters"];

async function retryMany(
  { output }: Session,
  letters: Letters,
  choice: Exclude<Awaited<ReturnType<typeof choiceOf>>, number>,
  rate: string | undefined,
): Promise<void> {
  const result = await letters.retryMany(choice, {
    rate,
    onPage({ retried, kept }) {
      if (output.quiet || output.json) return;
      for (const one of retried) output.line(toldOf(one));
      for (const { message } of kept) output.complain(message);
    },
  });
  output.show(result, () => output.note(`${result.retried} retried, ${result.kept.length} stay`));
  if (result.kept.length > 0)
    throw new PunctualError("conflict", `${result.kept.length} dead letters could not be retried and stay`);
}

function addDiscard(parent: Command, context: CliContext): void {
  const discard = parent
    .command("discard [id]")
    .description("throw letters away, for ever")
    .option("--all", "every letter there is");
  addLetterFlags(discard).action(
    async (text: string | undefined, options: LetterOptions, command: Command) => {
      const session = new Session(context, command);
      const choice = await choiceOf(text, options);
      const discarded = await session.with(({ client }) =>
        namingFlags([], letterNames, async () => {
          if (typeof choice !== "number") return client.deadLetters.discardMany(choice);
          await client.deadLetters.discard(choice);
          return 1;
        }),
      );
      session.output.show({ discarded }, () => session.output.line(`${discarded} discarded`));
    },
  );
}

const timeOf = (text: string): string => utcTime(Date.parse(text));
