/**
 * Every name on the wire: streams, buckets, subjects, keys, consumers. All of them carry the namespace, so
 * that tenants and tests live side by side on one server.
 *
 *   <ns>.work.<queue>.<key>            a job; the subject is its identity and its mutex
 *   <ns>.work.<queue>.<id>.untold      a job of a queue without history, whose id was made for it
 *   <ns>.work.<queue>.<key>.again-<seq> a job once more, when its consumer had passed the message at that sequence
 *   <ns>.work.<queue>.<scheduleId>.<…>  a job that a schedule fired; likewise
 *   <ns>.work._void.<runId>.<term>     a tombstone: this term can no longer fire this run
 *   <ns>.gate.<queue>.<key>.<id>       a job that waits until the limits of its queue let it pass; `_`: no key
 *   <ns>.work.<queue>.<key>~<ticket>   a job whose key has a limit: a key has as many tickets as it may have jobs
 *   <ns>.enqueue.<queue>               the front door
 *   <ns>.timers.<shard>.<day>.<minute> a job that is not due yet
 *   <ns>.run.<runId>.<event>           what happened to a run
 *   <ns>.queued.<subject in WORK>      written by the server: this job, which no schedule fired, was stored
 *   <ns>.slots.<shard>                 written by orchestrators: these slots were fired, many in one message
 *   <ns>.fired.<queue>                 written by orchestrators: these timers, of whose jobs the server tells nothing, were fired
 *   <ns>.ends.<queue>                  written by workers: these runs succeeded, many in one message
 *   <ns>.dead.<queue>                  dead letters
 *   <ns>.cancel.<runId>                a worker that has the run ends it
 *   <ns>.api.<entity>.<verb>           request and reply
 *   <ns>.alert.<rule>                  something is wrong, told to those who listen
 *   <ns>.heartbeat.<name>              a job that runs elsewhere has run
 *   <ns>.alive.<memberId>              subscribed to for as long as the member's connection lives
 */
import type { AlertRecordKind, RecordId } from "../core/alert-store.js";
import { invalid } from "../core/errors.js";
import type { Lane } from "../core/lane.js";
import type { Instant } from "../core/schedule.js";
import { limits } from "./limits.js";

const TOKEN = /^[A-Za-z0-9][A-Za-z0-9_=-]*$/;
const RUN_TOKEN = /^[A-Za-z0-9][A-Za-z0-9_=:-]*$/;
const NAMESPACE = /^[a-z][a-z0-9-]*$/;

function check(field: string, value: unknown, pattern: RegExp, max: number, expected: string): string {
  if (typeof value !== "string" || !pattern.test(value) || value.length > max) {
    const came = typeof value === "string" ? JSON.stringify(value.slice(0, 80)) : typeof value;
    throw invalid(field, `expected 1 to ${max} ${expected}, got ${came}`);
  }
  return value;
}

const TOKEN_WORDS = "characters of A-Z a-z 0-9 _ = -, the first a letter or digit";

export const checkNamespace = (value: unknown): string =>
  check("namespace", value, NAMESPACE, limits.namespaceLength, "characters of a-z 0-9 -, the first a letter");
export const checkQueue = (value: unknown, field = "queue"): string =>
  check(field, value, TOKEN, limits.queueLength, TOKEN_WORDS);
export const checkScheduleId = (value: unknown, field = "id"): string =>
  check(field, value, TOKEN, limits.scheduleIdLength, TOKEN_WORDS);
export const checkCalendarName = (value: unknown, field = "name"): string =>
  check(field, value, TOKEN, limits.scheduleIdLength, TOKEN_WORDS);
export const checkAlertName = (value: unknown, field = "name"): string =>
  check(field, value, TOKEN, limits.scheduleIdLength, TOKEN_WORDS);
export const checkGroupId = (value: unknown, field = "id"): string =>
  check(field, value, TOKEN, limits.groupIdLength, TOKEN_WORDS);
export const checkJobId = (value: unknown, field = "jobId"): string =>
  check(
    field,
    value,
    RUN_TOKEN,
    limits.jobIdLength,
    "characters of A-Z a-z 0-9 _ = : -, the first a letter or digit",
  );

let lastInstant = Number.NaN;
let lastToken = "";

/** An instant as one subject token: `20261124T030000Z`, with milliseconds only when there are any. */
export function instantToken(instant: Instant): string {
  // Many runs share a fire time.
  if (instant !== lastInstant) {
    lastToken = makeToken(instant);
    lastInstant = instant;
  }
  return lastToken;
}

function makeToken(instant: Instant): string {
  const iso = new Date(instant).toISOString();
  const seconds =
    iso.slice(0, 4) + iso.slice(5, 7) + iso.slice(8, 13) + iso.slice(14, 16) + iso.slice(17, 19);
  const ms = iso.slice(20, 23);
  return ms === "000" ? `${seconds}Z` : `${seconds}${ms}Z`;
}

/** `<scheduleId>:<fire time>`: the same for every attempt, every term and every orchestrator. */
export function runIdOf(scheduleId: string, slot: Instant): string {
  return `${scheduleId}:${instantToken(slot)}`;
}

/** Beside the keys of schedules, which begin with the number of a shard. */
const CALENDAR_PREFIX = "calendar.";

/** The calendar of a key in the bucket of schedules; null when it is none. */
export function parseCalendarKey(key: string): string | null {
  return key.startsWith(CALENDAR_PREFIX) ? key.slice(CALENDAR_PREFIX.length) : null;
}

const ALERT_KINDS: readonly AlertRecordKind[] = ["rule", "heartbeat", "state", "seen"];

export const alertKey = ({ kind, name }: RecordId): string => `${kind}.${name}`;

/** Of a key in the bucket of alerts; null when it is of no kind that is known. */
export function parseAlertKey(key: string): RecordId | null {
  const dot = key.indexOf(".");
  const kind = ALERT_KINDS.find((one) => one === key.slice(0, dot));
  return kind === undefined ? null : { kind, name: key.slice(dot + 1) };
}

/** In place of a key; no key begins with it. */
export const NO_KEY = "_";

/** Worked by orchestrators that have webhooks. */
export const ALERT_QUEUE = "punctual-alerts";

export type Names = ReturnType<typeof namesOf>;

/** All names of a namespace. */
export function namesOf(namespace: string) {
  const ns = checkNamespace(namespace);
  const upper = ns.toUpperCase();
  const acks = (queue: string, lane: Lane) => `$JS.EVENT.METRIC.CONSUMER.ACK.${upper}_WORK.${lane}-${queue}`;
  const bucket = (name: string) => ({ bucket: `${ns}_${name}`, stream: `KV_${ns}_${name}` });
  return {
    namespace: ns,
    work: `${upper}_WORK`,
    intake: `${upper}_INTAKE`,
    timers: `${upper}_TIMERS`,
    runs: `${upper}_RUNS`,
    dead: `${upper}_DEAD`,
    heartbeats: `${upper}_HEARTBEATS`,
    schedules: bucket("schedules"),
    leases: bucket("leases"),
    members: bucket("members"),
    backfills: bucket("backfills"),
    queues: bucket("queues"),
    claims: bucket("claims"),
    alerts: bucket("alerts"),
    chains: bucket("chains"),

    laneSubjects: (lane: Lane) => `${ns}.${lane}.>`,
    /** Wherever in WORK they are. */
    jobsOf: (queue: string) => `${ns}.*.${queue}.>`,
    queueSubjects: (queue: string, lane: Lane = "work") => `${ns}.${lane}.${queue}.>`,
    job: (queue: string, key: string, lane: Lane = "work") => `${ns}.${lane}.${queue}.${key}`,
    /** A job whose id was made for it and that the server does not tell RUNS of: it has one token more. */
    untold: (queue: string, id: string, lane: Lane = "work") => `${ns}.${lane}.${queue}.${id}.untold`,
    /** A job in place of one that its consumer had passed, at `seq`; likewise. */
    redelivery: (queue: string, key: string, seq: number, lane: Lane = "work") =>
      `${ns}.${lane}.${queue}.${key}.again-${seq}`,
    fire: (queue: string, scheduleId: string, place: string, lane: Lane = "work") =>
      `${ns}.${lane}.${queue}.${scheduleId}.${place}`,
    /** `id`: of one token or more. */
    gate: (queue: string, key: string | null, id: string) => `${ns}.gate.${queue}.${key ?? NO_KEY}.${id}`,
    gateSubjects: `${ns}.gate.>`,
    queueGate: (queue: string) => `${ns}.gate.${queue}.>`,
    keyGate: (queue: string, key: string | null) => `${ns}.gate.${queue}.${key ?? NO_KEY}.>`,
    /** Nobody pulls from it: by it the server counts who waits. */
    gateConsumer: (queue: string) => `gate-${queue}`,
    ticket: (queue: string, key: string, ticket: number) => `${ns}.work.${queue}.${key}~${ticket}`,
    tombstone: (runId: string, term: number) => `${ns}.work._void.${runId}.${term}`,
    tombstones: `${ns}.work._void.>`,
    consumer: (queue: string, lane: Lane = "work") => `${lane}-${queue}`,

    timer: (shard: number, minute: Instant) => `${ns}.timers.${shard}.${minuteToken(minute)}`,
    timersOf: (shard: number) => `${ns}.timers.${shard}.>`,
    /** `*`: of all shards. */
    timersOn: (shard: number | "*", day: Instant) =>
      `${ns}.timers.${shard}.${minuteToken(day).slice(0, 8)}.*`,
    allTimers: `${ns}.timers.>`,
    gateTombstone: (runId: string, seq: number) => `${ns}.work._void.${runId}.g${seq}`,
    timerTombstone: (runId: string, seq: number) => `${ns}.work._void.${runId}.t${seq}`,

    enqueue: (queue: string) => `${ns}.enqueue.${queue}`,
    enqueueSubjects: `${ns}.enqueue.>`,
    intakeConsumer: "intake",

    runEvent: (runId: string, event: string) => `${ns}.run.${runId}.${event}`,
    runEvents: (runId: string) => `${ns}.run.${runId}.>`,
    allRunEvents: `${ns}.run.>`,
    failures: `${ns}.run.*.dead`,
    failureConsumer: "failures",
    queued: (workSubject: string) => `${ns}.queued.${workSubject}`,
    allQueued: `${ns}.queued.>`,
    /** Of jobs, not of fires and tombstones: those have more tokens. */
    toldByServer: { from: `${ns}.*.*.*`, as: `${ns}.queued.${ns}.$1.$2.$3` },
    slots: (shard: number) => `${ns}.slots.${shard}`,
    allSlots: `${ns}.slots.*`,
    fired: (queue: string) => `${ns}.fired.${queue}`,
    allFired: `${ns}.fired.*`,
    ends: (queue: string) => `${ns}.ends.${queue}`,
    allEnds: `${ns}.ends.*`,
    advisories: [
      `$JS.EVENT.ADVISORY.CONSUMER.*.${upper}_WORK.*`,
      `$JS.EVENT.METRIC.CONSUMER.ACK.${upper}_WORK.*`,
    ],
    /** Told by the server when a worker has acknowledged a job. */
    acks,
    /** Told by the server when a worker has removed a job. */
    terminations: (queue: string, lane: Lane) =>
      `$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.${upper}_WORK.${lane}-${queue}`,
    /** All that the server tells of what became of the jobs of a lane. One filter for both is none that RUNS takes. */
    fates: (queue: string, lane: Lane) => [
      acks(queue, lane),
      `$JS.EVENT.ADVISORY.CONSUMER.*.${upper}_WORK.${lane}-${queue}`,
    ],
    maxDeliveries: `$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.${upper}_WORK.*`,
    deadLetterConsumer: "dead-letters",

    deadLetter: (queue: string) => `${ns}.dead.${queue}`,
    deadSubjects: `${ns}.dead.>`,

    api: (endpoint: string) => `${ns}.api.${endpoint}`,
    cancel: (runId: string) => `${ns}.cancel.${runId}`,
    apiSubjects: `${ns}.api.>`,
    alert: (rule: string) => `${ns}.alert.${rule}`,
    heartbeat: (name: string) => `${ns}.heartbeat.${name}`,
    heartbeatSubjects: `${ns}.heartbeat.*`,
    alive: (memberId: string) => `${ns}.alive.${memberId}`,

    leaseKeyPrefix: "shard.",
    leaseKey: (shard: number) => `shard.${shard}`,
    scheduleKey: (shard: number, id: string) => `${shard}.${id}`,
    chainKey: (shard: number, runId: string) => `${shard}.run.${runId}`,
    memberOfGroupKey: (shard: number, groupId: string, index: number) =>
      `${shard}.member.${groupId}.${index}`,
    groupKey: (shard: number, groupId: string) => `${shard}.group.${groupId}`,
    claimKey: (queue: string, key: string) => `${queue}.${key}`,
    calendarKey: (name: string) => `${CALENDAR_PREFIX}${name}`,
    memberKey: (role: "orchestrator" | "worker", id: string) => `${role}.${id}`,
    /** Beside the members, in their bucket: written to read the server's clock. */
    clockKey: "clock",
  };
}

/** Whether a text can be a run id: it must be one subject token. */
export function isRunId(text: string): boolean {
  return RUN_TOKEN.test(text) && text.length <= limits.scheduleIdLength + 32;
}

const SLOT_TOKEN = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})?Z$/;

/** The instant that a token stands for; null when it is none. */
export function parseInstantToken(token: string): Instant | null {
  const match = SLOT_TOKEN.exec(token);
  if (match === null) return null;
  const [year, month, day, hour, minute, second] = match.slice(1, 7);
  const instant = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}.${match[7] ?? "000"}Z`);
  return Number.isNaN(instant) ? null : instant;
}

/** The slot that a run id stands for; null for a run that no slot asked for. */
export function parseRunId(runId: string): { scheduleId: string; slot: Instant } | null {
  const colon = runId.indexOf(":");
  const slot = colon < 1 ? null : parseInstantToken(runId.slice(colon + 1));
  return slot === null ? null : { scheduleId: runId.slice(0, colon), slot };
}

/** A minute as two tokens, `20261224.1830`. */
function minuteToken(minute: Instant): string {
  const iso = new Date(minute).toISOString();
  return `${iso.slice(0, 4)}${iso.slice(5, 7)}${iso.slice(8, 10)}.${iso.slice(11, 13)}${iso.slice(14, 16)}`;
}
