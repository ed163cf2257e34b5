/** The events of a run, as Punctual's own parts write them into RUNS. */
export const runEventTypes = [
  "triggered",
  "waiting",
  "requeued",
  "started",
  "progress",
  "log",
  "succeeded",
  "retried",
  "dead",
  "expired",
  "cancelled",
  "skipped",
  "missed",
] as const;
export type RunEventType = (typeof runEventTypes)[number];

/** After one of these nothing more happens to a run. */
export const terminalEvents = [
  "succeeded",
  "dead",
  "expired",
  "cancelled",
] as const satisfies readonly RunEventType[];
