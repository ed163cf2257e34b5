import type { Command } from "commander";
import type { EnqueueOutcome } from "../../client/outcome.js";
import { invalid, messageOf, PunctualError } from "../../core/errors.js";
import { type Enqueued, type EnqueueRequest, enqueueRequest } from "../../protocol/enqueue-input.js";
import { parseJson, parseWith } from "../../protocol/parse.js";
import { enqueueFlags } from "../enqueue-flags.js";
import { oneLine } from "../failure.js";
import { addFlags, namingFlags, readFlags, readPayload } from "../flags.js";
import type { CliContext } from "../runtime.js";
import { Session } from "../session.js";

const names = { queue: "QUEUE", payload: "PAYLOAD", jobId: "--id", unique: "--unique" };

interface Options extends Record<string, unknown> {
  id?: string;
  unique?: string;
  group?: string;
  lines?: string;
}

export function addEnqueue(program: Command, context: CliContext): void {
  const enqueue = program
    .command("enqueue <queue> [payload]")
    .description("put a job on a queue, now or later; the payload is JSON, or @FILE")
    .option(
      "--id <id>",
      "the job's own id: the same id again is refused while it is queued or running, and for two minutes (default: a new one)",
    )
    .option("--unique <key>", "refused while a job with this key is queued or running (default: the id)")
    .option("--lines <file>", "one job for each line, its payload as JSON; - for the standard input");
  addFlags(enqueue, enqueueFlags).action(
    async (queue: string, payload: string | undefined, options: Options, command: Command) => {
      const session = new Session(context, command);
      const request = {
        ...(await readFlags(enqueueFlags, options, context.readText)),
        queue,
      } as EnqueueRequest;
      if (options.lines !== undefined) {
        const { id, unique, group } = options;
        if ([payload, id, unique, group].some((of) => of !== undefined))
          throw invalid("--lines", "goes with neither PAYLOAD, --id, --unique nor --group");
        return enqueueLines(session, request, options.lines);
      }
      if (payload !== undefined)
        Object.assign(request, { payload: await readPayload("PAYLOAD", payload, context.readText) });
      if (options.id !== undefined) request.jobId = options.id;
      if (options.unique !== undefined) request.unique = options.unique;
      return enqueueOne(session, request);
    },
  );
}

async function enqueueOne(session: Session, request: EnqueueRequest): Promise<void> {
  await namingFlags(enqueueFlags, names, () => parseWith(enqueueRequest, request, "enqueue"));
  const run = await session.with(({ client }) =>
    namingFlags(enqueueFlags, names, () => client.enqueue(request)),
  );
  session.output.show(run, () => session.output.line(told(run, request)));
}

function told({ runId, accepted, state, timer }: Enqueued, request: EnqueueRequest): string {
  if (!accepted && timer !== undefined) return `${runId} not accepted: a job with this id was, a moment ago`;
  if (!accepted) return `${runId} not queued: ${whyNot(request)}`;
  if (timer !== undefined) return `${timer} waits for its time`;
  return state === "waiting" ? `${runId} waiting at the gate of its queue` : `${runId} queued`;
}

const whyNot = ({ uniqueFor }: EnqueueRequest): string =>
  uniqueFor === undefined
    ? "it is queued or running already"
    : "it is queued or running already, or its key was used within its period";

interface Tally {
  queued: number;
  present: number;
  failed: number;
  /** Why the first one failed. */
  cause?: unknown;
}

/**
 * A job that is refused does not hold up the others; the command fails in the end. A line that is not JSON ends
 * the reading there.
 */
async function enqueueLines(session: Session, request: EnqueueRequest, path: string): Promise<void> {
  await namingFlags(enqueueFlags, names, () => parseWith(enqueueRequest, request, "enqueue"));
  const tally: Tally = { queued: 0, present: 0, failed: 0 };
  const lines: number[] = [];
  try {
    await session.with(async ({ client }) => {
      for await (const outcome of client.enqueueMany(requestsOf(session, request, path, lines)))
        take(session, outcome, lines.shift() ?? 0, tally);
    });
  } finally {
    const { queued, present, failed } = tally;
    session.output.note(`${queued} queued, ${present} queued or running already, ${failed} failed`);
  }
  if (tally.failed === 0) return;
  const code = tally.cause instanceof PunctualError ? tally.cause.code : "internal";
  const all = tally.queued + tally.present + tally.failed;
  throw new PunctualError(code, `${tally.failed} of ${all} jobs failed`, { cause: tally.cause });
}

function take({ output }: Session, outcome: EnqueueOutcome, line: number, tally: Tally): void {
  if (outcome.kind === "failed") {
    if (tally.failed++ === 0) tally.cause = outcome.error;
    output.complain(`line ${line}: ${oneLine(messageOf(outcome.error))}`);
    return;
  }
  const { runId, accepted, state, timer } = outcome;
  tally[accepted ? "queued" : "present"]++;
  const shown = { line, runId, accepted, ...(accepted && { state }), ...(timer !== undefined && { timer }) };
  output.show(shown, () => {
    if (!output.quiet) output.line(accepted ? `${runId} ${state ?? "queued"}` : `${runId} not queued`);
  });
}

/** @param lines takes the number of the line that each request came from */
async function* requestsOf(
  { context }: Session,
  request: EnqueueRequest,
  path: string,
  lines: number[],
): AsyncGenerator<EnqueueRequest, void, undefined> {
  let line = 0;
  for await (const text of context.readLines(path)) {
    line++;
    if (text.trim() === "") continue;
    const payload = parseJson(text, `${path} line ${line}`) as NonNullable<EnqueueRequest["payload"]>;
    lines.push(line);
    yield { ...request, payload };
  }
}
