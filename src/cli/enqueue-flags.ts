import type { Flag } from "./flags.js";
import { jobFlags } from "./schedule-flags.js";

/** Of a job that no schedule fires. */
export const enqueueFlags: readonly Flag[] = [
  ...jobFlags,
  {
    flags: "--at <time>",
    field: "at",
    kind: "text",
    text: "queued then, RFC 3339 with offset (default: now)",
  },
  { flags: "--delay <time>", field: "delay", kind: "duration", text: "queued so long after now, as 10m" },
  {
    flags: "--start-deadline <time>",
    field: "startDeadline",
    kind: "duration",
    text: "expired when it has not started this long after it was due (default: never)",
  },
  {
    flags: "--label <key=value>",
    field: "labels",
    kind: "labels",
    text: "to find its run by; may be repeated",
  },
  {
    flags: "--unique-for <time>",
    field: "uniqueFor",
    kind: "duration",
    text: "so long after it, others with the key of --unique are refused (default: while it is queued or running)",
  },
  {
    flags: "--on-success <job>",
    field: "onSuccess",
    kind: "json",
    text: "a job as JSON, or @FILE, that is queued when this one has succeeded",
  },
  {
    flags: "--on-failure <job>",
    field: "onFailure",
    kind: "json",
    text: "the same for when its run ended otherwise",
  },
  {
    flags: "--group <id/index>",
    field: "group",
    kind: "text",
    text: "the group it counts for, and as which member",
  },
  {
    flags: "--key <key>",
    field: "key",
    kind: "text",
    text: "what limits per key and order of the queue count by (default: none)",
  },
];
