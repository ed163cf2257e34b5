/**
 * What a message of RUNS tells of which runs.
 *
 * Events are told under the run's id; what the server tells of deliveries only names the message in WORK. Anyone may
 * publish into RUNS: what cannot be read tells nothing.
 */
import { lanes } from "../core/lane.js";
import type { FactKind, LogLine, RunFact } from "../core/run-fact.js";
import type { ToldMessage } from "../core/runs-reader.js";
import type { Instant } from "../core/schedule.js";
import { decodeEnds } from "./end-record.js";
import { headers as h } from "./headers.js";
import { isRunId, type Names, runIdOf } from "./names.js";
import { readData, readReport, reportEvents } from "./past-events.js";
import { runIdOfMessage } from "./run-id.js";
import { decodeSlots } from "./slot-record.js";
import { parseJobSubject } from "./subjects.js";

/** A fact with the run that it is of; null: only the sequence in WORK is known. */
export interface Told {
  runId: string | null;
  fact: RunFact;
}

type Data = Readonly<Record<string, unknown>>;

const text = new TextDecoder();

/** Reads the messages of one namespace. */
export class RunTeller {
  readonly #run: string;
  readonly #queued: string;
  readonly #slots: string;
  readonly #ends: string;

  constructor(names: Names) {
    this.#run = names.runEvent("", "").slice(0, -1);
    this.#queued = names.queued("");
    this.#slots = names.allSlots.slice(0, -1);
    this.#ends = names.ends("");
  }

  read(message: ToldMessage): Told[] {
    const { subject } = message;
    if (subject.startsWith(this.#run)) return eventOf(message, subject.slice(this.#run.length));
    if (subject.startsWith(this.#queued)) return storedOf(message, subject.slice(this.#queued.length));
    if (subject.startsWith(this.#slots)) return firedOf(message);
    if (subject.startsWith(this.#ends)) return endsOf(message);
    if (subject.startsWith("$JS.EVENT.")) return seenOf(message);
    return [];
  }
}

/** Events that the message in WORK is known of, by their message id: `<runId>/<occasion>/<sequence>`. */
const OF_MESSAGES: readonly string[] = [
  ...["started", "progress", "log", "retried", "succeeded", "dead", "expired", "cancelled"],
];

function eventOf(message: ToldMessage, rest: string): Told[] {
  const [runId = "", type = ""] = rest.split(".");
  if (!isRunId(runId)) return [];
  const { at, headers, body } = message;
  const json = text.decode(body);
  const report = reportEvents.find((event) => event === type);
  if (report !== undefined) {
    const told = readReport(report, json);
    if (told !== null) return [{ runId, fact: { kind: "reported", at, ...told } }];
  }
  const data = readData(json);
  if (type === "skipped" || type === "missed") {
    const { slot, from = slot } = data;
    const fact = {
      outcome: type,
      reason: stringOf(data.reason),
      scheduleId: stringOf(data.scheduleId),
    } as const;
    return [{ runId, fact: { kind: "reported", at, ...fact, fireTime: instantOf(from) } }];
  }
  if (type === "triggered") {
    const fact = { ...placeOf(data), scheduleId: stringOf(data.scheduleId), seq: countOf(data.seq) };
    return [{ runId, fact: { kind: "triggered", at, ...fact, trigger: "manual" } }];
  }
  if (type === "waiting") {
    const fact = { ...placeOf(data), reason: stringOf(data.reason) };
    return [{ runId, fact: { kind: "waiting", at: instantOf(data.since) ?? at, ...given(fact) } }];
  }
  if (!OF_MESSAGES.includes(type)) return [];
  return [{ runId, fact: { kind: type as FactKind, at, seq: seqOf(headers[h.msgId]), ...detailsOf(data) } }];
}

const seqOf = (msgId: string | undefined): number | undefined =>
  countOf(Number(msgId?.slice(msgId.lastIndexOf("/") + 1)));

/** A text, or an object with a message. */
const errorOf = (error: unknown): string | undefined =>
  stringOf(error) ?? stringOf((error as { message?: unknown } | null | undefined)?.message);

/** Undefined fields are left out: there may be a hundred thousand of these in memory. */
function detailsOf(data: Data): Partial<RunFact> {
  const { value, lines, result } = data;
  const details: Partial<RunFact> = {
    ...placeOf(data),
    attempt: countOf(data.attempt),
    storedAt: instantOf(data.storedAt),
    startedAt: instantOf(data.startedAt),
    durationMs: amountOf(data.durationMs),
    delayMs: amountOf(data.delayMs),
    error: errorOf(data.error),
    stack: stringOf(data.stack),
    reason: stringOf(data.reason),
    result,
    progress: value,
    lines: Array.isArray(lines) ? lines.filter(isLogLine) : undefined,
  };
  return given(details);
}

const placeOf = ({ queue, worker }: Data): Partial<RunFact> =>
  given({ queue: stringOf(queue), worker: stringOf(worker) });

function isLogLine(line: unknown): line is LogLine {
  if (typeof line !== "object" || line === null) return false;
  const { time, level, msg } = line as Record<string, unknown>;
  return typeof time === "string" && typeof level === "string" && typeof msg === "string";
}

/** The server adds to a message that it republishes where it was stored. */
const SEQUENCE = "Nats-Sequence";

function storedOf({ at, headers }: ToldMessage, subject: string): Told[] {
  const place = parseJobSubject(subject);
  const seq = countOf(Number(headers[SEQUENCE]));
  if (place === null || seq === undefined) return [];
  const runId = runIdOfMessage({ headers, subject, seq });
  const fact = given({
    subject,
    seq,
    queue: place.queue,
    lane: place.lane,
    before: countOf(Number(headers[h.attemptsBefore])),
    scheduleId: headers[h.scheduleId],
    fireTime: instantOf(headers[h.fireTime]),
    trigger: headers[h.trigger],
    parent: headers[h.parent],
    labels: labelsOf(headers["Punctual-Labels"]),
  });
  return [{ runId, fact: { kind: "stored", at, ...fact } }];
}

/** `team=billing,urgent=`. */
function labelsOf(header: string | undefined): Record<string, string> | undefined {
  if (header === undefined) return undefined;
  const pairs = header.split(",").map((pair) => {
    const [key = "", ...value] = pair.split("=");
    return [key.trim(), value.join("=").trim()] as const;
  });
  return Object.fromEntries(pairs.filter(([key]) => key !== ""));
}

/** What was not fired has events of its own. */
function firedOf({ at, body }: ToldMessage): Told[] {
  return decodeSlots(text.decode(body)).fired.map(({ scheduleId, slot, seq }) => ({
    runId: runIdOf(scheduleId, slot),
    fact: { kind: "fired", at, scheduleId, fireTime: slot, ...(seq !== null && { seq }) },
  }));
}

function endsOf({ at, body, seq: record }: ToldMessage): Told[] {
  const told = decodeEnds(text.decode(body));
  if (told === null) return [];
  const { queue, worker, ends } = told;
  return ends.map(({ runId, ...end }) => ({
    runId,
    fact: { kind: "succeeded", at, queue, worker, record, ...end },
  }));
}

const SEEN: Readonly<Record<string, FactKind>> = {
  MSG_NAKED: "naked",
  MSG_TERMINATED: "terminated",
  MAX_DELIVERIES: "exhausted",
  ACK: "acked",
};

/** `$JS.EVENT.ADVISORY.CONSUMER.MSG_NAKED.<stream>.<consumer>`, `$JS.EVENT.METRIC.CONSUMER.ACK.<stream>.<consumer>`. */
function seenOf({ at, subject, body }: ToldMessage): Told[] {
  const tokens = subject.split(".");
  const kind = SEEN[tokens[4] ?? ""];
  const data = readData(text.decode(body));
  const seq = countOf(data.stream_seq);
  if (kind === undefined || seq === undefined) return [];
  const fact = given({ seq, attempt: countOf(data.deliveries), ...placeOfConsumer(tokens.at(-1) ?? "") });
  const elapsedNs = kind === "acked" ? amountOf(data.ack_time) : undefined;
  const took = elapsedNs === undefined ? {} : { durationMs: Math.round(elapsedNs / 1e3) / 1e3 };
  return [{ runId: null, fact: { kind, at: instantOf(data.timestamp) ?? at, ...fact, ...took } }];
}

/** `work-emails`. */
function placeOfConsumer(consumer: string): Partial<RunFact> {
  const lane = lanes.find((name) => consumer.startsWith(`${name}-`));
  return lane === undefined ? {} : { lane, queue: consumer.slice(lane.length + 1) };
}

const stringOf = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" ? value : undefined;

const amountOf = (value: unknown): number | undefined =>
  typeof value === "number" && Number.isFinite(value) && value >= 0 ? value : undefined;

const countOf = (value: unknown): number | undefined =>
  typeof value === "number" && Number.isSafeInteger(value) && value > 0 ? value : undefined;

function instantOf(value: unknown): Instant | undefined {
  const instant = typeof value === "string" ? Date.parse(value) : Number.NaN;
  return Number.isNaN(instant) ? undefined : instant;
}

/** Without the fields that are undefined. */
function given<T extends object>(fields: T): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
}
