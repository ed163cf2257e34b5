import { limits } from "./limits.js";
import { parseJobSubject } from "./names.js";

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
