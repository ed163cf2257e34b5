import type { StoredMessage } from "../core/ports.js";
import { headers as h } from "./headers.js";
import { limits } from "./limits.js";
import { isRunId } from "./names.js";
import { parseJobSubject } from "./subjects.js";

/** Of a job's message: the one that it carries, if that can be one. */
export function runIdOfMessage({
  headers,
  subject,
  seq,
}: Pick<StoredMessage, "headers" | "subject" | "seq">): string {
  const given = headers[h.runId];
  return given !== undefined && isRunId(given) ? given : fallbackRunId(subject, seq);
}

/**
 * The run id of a job that was published without one: made from its place in WORK, so that it is the same at
 * every redelivery, `<key>:<seq>` with what cannot be in a run id replaced.
 */
export function fallbackRunId(subject: string, seq: number): string {
  const key = parseJobSubject(subject)?.key ?? subject;
  const clean = key
    .replace(/[^A-Za-z0-9_=:-]/g, "-")
    .replace(/^[^A-Za-z0-9]+/, "")
    .slice(0, limits.jobIdLength);
  return `${clean === "" ? "job" : clean}:${seq}`;
}
