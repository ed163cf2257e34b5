/** The flags of a queue, one for each setting. */
import { invalid } from "../core/errors.js";
import { checkQueue } from "../protocol/names.js";
import { parseJson, show } from "../protocol/parse.js";
import type { QueueInput } from "../protocol/queue-input.js";
import { type Flag, namingFlags, readFlags } from "./flags.js";

export const queueFlags: readonly Flag[] = [
  {
    flags: "--ack-wait <time>",
    field: "ackWait",
    kind: "duration",
    text: "a job whose worker was silent for this long is delivered again (default: 10s)",
  },
  {
    flags: "--max-attempts <n>",
    field: "maxAttempts",
    kind: "number",
    text: "deliveries of one job, the first included (default: 5)",
  },
  {
    flags: "--backoff <times>",
    field: "backoff",
    kind: "text",
    text: "waits after the ack wait, as 1s,10s,1m; for workers without the SDK (default: none)",
  },
  {
    flags: "--concurrency <n>",
    field: "concurrency",
    kind: "number",
    text: "jobs of a lane that may run at once, over all workers (default: 1000)",
  },
  {
    flags: "--max-depth <n>",
    field: "maxDepth",
    kind: "number",
    text: "jobs in the queue, running ones included; more are refused (default: no limit)",
  },
  {
    flags: "--history <level>",
    field: "history",
    kind: "text",
    text: "what workers tell of its runs: full, outcome or off (default: full)",
  },
  { flags: "--rate <rate>", field: "rate", kind: "text", text: "of the queue, as 100/s (default: none)" },
  {
    flags: "--key-concurrency <n>",
    field: "perKey.concurrency",
    kind: "number",
    text: "jobs of one key that may run at once (default: no limit)",
  },
  {
    flags: "--key-rate <rate>",
    field: "perKey.rate",
    kind: "text",
    text: "of the jobs of one key, as 5/10s (default: none)",
  },
  {
    flags: "--key-order",
    field: "perKey.order",
    kind: "switch",
    text: "jobs of one key one after another, as they came",
  },
  { flags: "--paused", field: "paused", kind: "switch", text: "no job is handed out until it is resumed" },
  {
    flags: "--paused-until <time>",
    field: "pausedUntil",
    kind: "text",
    text: "paused until then, as 2026-12-24T18:00:00Z",
  },
  { flags: "--note <text>", field: "note", kind: "text", text: "why it is paused; for people" },
];

const otherNames = { queue: "QUEUE", ifRevision: "--if-revision", until: "--until" };

/** What flags and file describe; not checked yet, as the client does that. */
export async function readQueue(
  options: Readonly<Record<string, unknown>>,
  readText: (path: string) => Promise<string>,
): Promise<QueueInput> {
  const flags = await readFlags(queueFlags, options, readText);
  if (typeof flags.backoff === "string") flags.backoff = flags.backoff.split(",").map(waitOf);
  if (typeof options.file !== "string") return flags;
  const what = `--file ${options.file}`;
  const file = parseJson(await readText(options.file), what);
  if (typeof file !== "object" || file === null || Array.isArray(file))
    throw invalid(what, `expected a JSON object, got ${show(file)}`);
  const perKey = { ...(file as QueueInput).perKey, ...(flags.perKey as object | undefined) };
  return { ...file, ...flags, ...(Object.keys(perKey).length > 0 && { perKey }) };
}

/** A number alone is milliseconds, as everywhere. */
const waitOf = (text: string): string | number => (/^\d+$/.test(text.trim()) ? Number(text) : text.trim());

/** Errors of such requests name the flags. */
export const namingQueueFlags = <T>(request: () => T | Promise<T>): Promise<T> =>
  namingFlags(queueFlags, otherNames, request);

/** A queue's name, as the user typed it. */
export const checkQueueName = (queue: string): string => checkQueue(queue, "QUEUE");
