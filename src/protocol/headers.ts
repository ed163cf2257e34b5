/**
 * The headers of a job's message. A worker that knows nothing of Punctual can ignore all of them: the body is
 * the payload as it was published.
 */
export const headers = {
  /** Never changes across redeliveries: the idempotency key. */
  runId: "Punctual-Run-Id",
  /** Absent on jobs that no schedule fired. */
  scheduleId: "Punctual-Schedule-Id",
  /** When it was due: RFC 3339, UTC. */
  fireTime: "Punctual-Fire-Time",
  /** The fire time before it, RFC 3339, UTC: where its data interval begins. Absent on the first. */
  previousFireTime: "Punctual-Previous-Fire-Time",
  /** Why it runs, one of `triggers`; absent on a run that was fired at its time. */
  trigger: "Punctual-Trigger",
  /** Not to be started after this instant, RFC 3339, UTC. Absent: no deadline. */
  startDeadline: "Punctual-Start-Deadline",
  /** Attempts in all, the first included. */
  maxAttempts: "Punctual-Max-Attempts",
  /** `<initialMs>,<factor>,<maxMs>`: waits between attempts. */
  backoff: "Punctual-Backoff",
  /** An attempt that takes longer is aborted and failed; milliseconds, absent or 0: no limit. */
  timeout: "Punctual-Timeout",
  /** What a producer may ask at the front door. */
  unique: "Punctual-Unique",
  uniqueFor: "Punctual-Unique-For",
  at: "Punctual-At",
  delay: "Punctual-Delay",
  /** `a=b,c=d`. */
  labels: "Punctual-Labels",
  priority: "Punctual-Priority",
  /** Jobs that follow upon this one, and the group that waits for it. */
  onSuccess: "Punctual-On-Success",
  onFailure: "Punctual-On-Failure",
  group: "Punctual-Group",
  /** On a job that follows upon another: the run whose end it follows upon. */
  parent: "Punctual-Parent",
  /** Tells two such jobs apart that follow upon one run id, used again. */
  parentLife: "Punctual-Parent-Life",
  /** On a job that follows upon a group: how many of its members failed. */
  groupFailed: "Punctual-Group-Failed",
  /** What limits per key and order count by; stays on the job. */
  key: "Punctual-Key",
  /** Attempts that were made before the message was stored, of a job that waited for a long backoff. */
  attemptsBefore: "Punctual-Attempts-Before",
  /** On a job that was stored once more: the message whose place it takes, `<sequence>,<stored at, in ms>`. */
  inPlaceOf: "Punctual-In-Place-Of",
  /** On dead letters. */
  error: "Punctual-Error",
  errorStack: "Punctual-Error-Stack",
  reason: "Punctual-Reason",
  attempts: "Punctual-Attempts",
  queue: "Punctual-Queue",
  subject: "Punctual-Subject",
  /** Length of the whole body, where only its beginning could be kept. */
  bodyBytes: "Punctual-Body-Bytes",
  /** On the retry of a dead letter: the run that died. */
  retryOf: "Punctual-Retry-Of",
  /** JetStream's own. */
  msgId: "Nats-Msg-Id",
} as const;

const names = new Map(Object.values(headers).map((name) => [name.toLowerCase(), name]));

/**
 * The headers with our names as we write them. NATS tells large letters from small ones, and clients pass on what they
 * are given: an option is not to be passed over for that.
 */
export function withOurNames(given: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(given).map(([name, value]) => [names.get(name.toLowerCase()) ?? name, value]),
  );
}

/** Whether a name, written as we do, is one of ours. */
export const isOurs = (name: string): boolean => names.has(name.toLowerCase());

/** Why a job runs: its schedule's time has come, or had and is made up for, or somebody asked; or it was enqueued for later. */
export const triggers = ["schedule", "catch-up", "backfill", "manual", "timer"] as const;
export type Trigger = (typeof triggers)[number];

/** Headers that a schedule or a producer may not set by hand. */
export function isReservedHeader(name: string): boolean {
  return /^(nats|punctual)-/i.test(name);
}
