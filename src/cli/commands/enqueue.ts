import type { Command } from "commander";
import type { EnqueueOutcome } from "../../client/client.js";
import { invalid, messageOf, PunctualError } from "../../core/errors.js";
import type { EnqueueRequest } from "../../protocol/api.js";
import { parseJson } from "../../protocol/parse.js";
import { addFlags, namingFlags, readFlags, readPayload } from "../flags.js";
import type { CliContext } from "../runtime.js";
import { jobFlags } from "../schedule-flags.js";
import { Session } from "../session.js";

const names = { queue: "QUEUE", payload: "PAYLOAD", jobId: "--id", unique: "--unique" };

interface Options extends Record<string, unknown> {
  id?: string;
  unique?: string;
  lines?: string;
}

export function addEnqueue(program: Command, context: CliContext): void {
  const enqueue = program
    .command("enqueue <queue> [payload]")
    .description("put a job on a queue, now; the payload is JSON, or @FILE")
    .option("--id <id>", "the job's own id: the same id again is refused (default: a new one)")
    .option("--unique <key>", "refused while a job with this key is queued or running (default: the id)")
    .option("--lines <file>", "one job for each line, its payload as JSON; - for the standard input");
  addFlags(enqueue, jobFlags).action(
    async (queue: string, payload: string | undefined, options: Options, command: Command) => {
      const session = new Session(context, command);
      const request = { ...(await readFlags(jobFlags, options, context.readText)), queue } as EnqueueRequest;
      if (options.lines !== undefined) {
        if (payload !== undefined || options.id !== undefined || options.unique !== undefined)
          throw invalid("--lines", "goes with neither PAYLOAD, --id nor --unique");
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
  const run = await session.with(({ client }) => namingFlags(jobFlags, names, () => client.enqueue(request)));
  session.output.show(run, () =>
    session.output.line(
      run.accepted ? `${run.runId} queued` : `${run.runId} not queued: it is queued or running already`,
    ),
  );
}

/** A line that is refused does not hold up the others; the command fails in the end. */
async function enqueueLines(session: Session, request: EnqueueRequest, path: string): Promise<void> {
  const counts = { queued: 0, present: 0, failed: 0 };
  let first: unknown;
  await session.with(async ({ client }) => {
    for await (const outcome of client.enqueueMany(requestsOf(session, request, path))) {
      count(session, outcome, counts);
      if (outcome.kind === "failed") first ??= outcome.error;
    }
  });
  const { queued, present, failed } = counts;
  session.output.note(`${queued} queued, ${present} queued or running already, ${failed} failed`);
  if (failed > 0) {
    const code = first instanceof PunctualError ? first.code : "internal";
    throw new PunctualError(code, `${failed} of ${queued + present + failed} jobs failed`, { cause: first });
  }
}

function count(
  { output }: Session,
  outcome: EnqueueOutcome,
  counts: { queued: number; present: number; failed: number },
): void {
  const line = outcome.index + 1;
  if (outcome.kind === "failed") {
    counts.failed++;
    output.complain(`line ${line}: ${messageOf(outcome.error)}`);
    return;
  }
  const { runId, accepted } = outcome;
  counts[accepted ? "queued" : "present"]++;
  output.show({ line, runId, accepted }, () => {
    if (!output.quiet) output.line(accepted ? `${runId} queued` : `${runId} not queued`);
  });
}

async function* requestsOf(
  { context }: Session,
  request: EnqueueRequest,
  path: string,
): AsyncGenerator<EnqueueRequest, void, undefined> {
  let line = 0;
  for await (const text of context.readLines(path)) {
    line++;
    if (text.trim() === "") continue;
    const payload = parseJson(text, `${path} line ${line}`) as NonNullable<EnqueueRequest["payload"]>;
    yield { ...request, payload };
  }
}
