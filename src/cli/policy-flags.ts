/** The flags of a schedule's policies. */
import type { Flag } from "./flags.js";

export const policyFlags: readonly Flag[] = [
  {
    flags: "--max-concurrent <n>",
    field: "maxConcurrent",
    kind: "number",
    text: "runs that may be queued or running at once, unless --overlap allow (default: 1)",
  },
  {
    flags: "--buffer-limit <n>",
    field: "bufferLimit",
    kind: "number",
    text: "runs that may wait, with --overlap buffer-all (default: 100)",
  },
  {
    flags: "--catch-up-rate <n>",
    field: "catchUpRate",
    kind: "number",
    text: "misfires that are fired in a second (default: 10)",
  },
  {
    flags: "--start-deadline <time>",
    field: "startDeadline",
    kind: "duration",
    text: "what has not started by then is expired, not run late (default: none)",
  },
  {
    flags: "--max-runs <n>",
    field: "maxRuns",
    kind: "number",
    text: "pauses itself after so many fired slots (default: no limit)",
  },
  {
    flags: "--pause-on-failure <n>",
    field: "pauseOnFailure",
    kind: "number",
    text: "pauses itself after so many failed runs in a row (default: never)",
  },
  {
    flags: "--paused-until <time>",
    field: "pausedUntil",
    kind: "text",
    text: "paused until then, as 2026-12-24T18:00:00Z",
  },
];
