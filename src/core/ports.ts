/**
 * What the parts of Punctual need from the outside, as small as each needs it. There are two sets of
 * implementations: over NATS (`nats/`) and in memory (`testing/`), held together by one contract suite.
 */
import type { Calendar } from "./calendar.js";
import type { LeaseRecord, Report } from "./lease.js";
import type { Instant, Schedule, ScheduleDefinition } from "./schedule.js";

/** Wall time and elapsed time are two different things; only `runtime/clock.ts` reads either. */
export interface Clock {
  /** Wall time. May jump. */
  now(): Instant;
  /** Milliseconds since some start; never goes back, says nothing of the date. */
  monotonic(): number;
  /** Calls back once after at least `delayMs`; returns a function that cancels it. */
  after(delayMs: number, callback: () => void): () => void;
}

/** The answer of a compare-and-swap. `unknown`: it may or may not have been stored. */
export type CasOutcome =
  | { kind: "stored"; revision: number }
  | { kind: "lost" }
  | { kind: "unknown"; error: Error };

export interface Versioned<T> {
  value: T;
  revision: number;
}

export interface Subscription {
  stop(): Promise<void>;
}

/** Who holds a shard, without what the record says of its slots. */
export interface LeaseHint {
  shard: number;
  holder: string | null;
  term: number;
  revision: number;
}

/** One record per shard. */
export interface LeaseStore {
  /** From the leader: reads what was acknowledged. Null when the shard has no record yet. */
  read(shard: number): Promise<Versioned<LeaseRecord> | null>;
  /** Writes if the record's revision is still `revision` (0: does not exist). */
  write(shard: number, record: LeaseRecord, revision: number): Promise<CasOutcome>;
  /** Every record and every change, in brief. Hints only: may lag, may repeat. */
  watch(onChange: (hint: LeaseHint) => void): Promise<Subscription>;
}

/** A batch of definitions in the order of the store, complete up to `view`. */
export interface ScheduleChanges {
  changed: readonly Schedule[];
  /** Ids that were removed from the store altogether, or hold what is no definition: then `unreadable` says why. */
  removed: readonly { id: string; revision: number; unreadable?: string | undefined }[];
  /** Calendars that were written: they lie in the same order as the definitions, and `view` covers them too. */
  calendars: readonly Calendar[];
  /** Everything at or before this sequence has been delivered. */
  view: number;
}

export interface ScheduleStore {
  get(id: string): Promise<Schedule | null>;
  /** The revision of what lies there and is no definition, which anyone with the rights can write; null: it is none. */
  unreadableAt(id: string): Promise<number | null>;
  /** The definition as it was at `revision`; null when the store keeps it no longer. */
  getRevision(id: string, revision: number): Promise<Schedule | null>;
  /** Every revision of an id that the store keeps, deleted or not, the oldest first. From the leader. */
  history(id: string): Promise<Schedule[]>;
  /** Writes if the id's revision is still `revision` (0: does not exist). */
  write(id: string, definition: ScheduleDefinition, revision: number): Promise<CasOutcome>;
  /** The sequence of the newest write. From the leader. */
  lastSequence(): Promise<number>;
  /** First everything, then every change. `onChanges` is first called when all of it has been delivered. */
  watch(onChanges: (changes: ScheduleChanges) => void): Promise<Subscription>;
  /** Moves the store's sequence forward, so that a view that was lost by the store can be reached again. */
  touch(): Promise<void>;
}

/** A message for WORK. */
export interface WorkMessage {
  subject: string;
  /** `Nats-Msg-Id`. */
  msgId: string;
  headers: Readonly<Record<string, string>>;
  body: Uint8Array;
}

export type PublishOutcome =
  | { kind: "stored"; seq: number }
  /** A message with this id was stored before, at `seq`. */
  | { kind: "duplicate"; seq: number }
  /** WORK holds a message with this subject. */
  | { kind: "taken" }
  /** The stream is full. Nothing was stored; try again later. */
  | { kind: "full"; reason: string }
  /** Refused for good. Nothing was stored. */
  | { kind: "refused"; reason: string }
  /** No answer: it may or may not have been stored, now or later. */
  | { kind: "unknown"; error: Error };

export interface StoredMessage {
  seq: number;
  subject: string;
  headers: Readonly<Record<string, string>>;
  body: Uint8Array;
  /** When the server stored it. */
  storedAt: Instant;
}

/** A message that only has to be sent. */
export interface PreparedMessage {
  /** Never rejects, never repeats by itself. */
  send(): Promise<PublishOutcome>;
}

/** WORK, as its producers see it. */
export interface WorkStream {
  /** Does ahead of time what can be done ahead of time. */
  prepare(message: WorkMessage): PreparedMessage;
  /** Never rejects, never repeats by itself. Outcomes come in any order. */
  publish(message: WorkMessage): Promise<PublishOutcome>;
  /** Resolves when the window of unanswered publishes has room. */
  ready(): Promise<void> | undefined;
  /** From the leader. */
  lastOn(subject: string): Promise<StoredMessage | null>;
  /** From the leader. */
  at(seq: number): Promise<StoredMessage | null>;
  remove(seq: number): Promise<void>;
  /** All tombstones, or those that were stored before an instant of the server's clock; the oldest first. */
  tombstones(storedBefore?: Instant): Promise<StoredMessage[]>;
}

export interface RunEvent {
  runId: string;
  /** `started`, `succeeded`, `failed`, `skipped`, `missed`, … */
  type: string;
  /** Repeats under the same id are refused by the server. */
  msgId: string;
  data: Readonly<Record<string, unknown>>;
}

/** A slot that was fired. */
export interface FiredSlot {
  scheduleId: string;
  slot: Instant;
  /** Sequence of its message in WORK, where it is known. */
  seq: number | null;
}

/** What became of slots. */
export interface ToldOfSlots {
  fired: readonly FiredSlot[];
  /** Of those that were not fired. */
  reports: readonly Report[];
}

/** What became of slots of one shard, many in one record. */
export interface SlotRecord {
  shard: number;
  term: number;
  /** Repeats under the same id are refused by the server. */
  msgId: string;
  fired: readonly FiredSlot[];
  /** Each has an event of its run too. Default: none. */
  reports?: readonly Report[] | undefined;
}

/** `last`: the sequence of the last record. */
export type SlotsRead = { fired: FiredSlot[]; last: number };

/** RUNS: what happened. Append-only. */
export interface RunLog {
  /** Resolves when the event is stored; a repeat is not an error. */
  append(event: RunEvent): Promise<void>;
  /** Resolves when the record is stored; a repeat is not an error. */
  appendSlots(record: SlotRecord): Promise<void>;
  /** The shard's slot records after a sequence of RUNS, from the leader. `onRead` is awaited after each; it may throw. */
  slotsAfter(shard: number, from: number, onRead?: () => Promise<void>): Promise<SlotsRead>;
  /** Whether any event of the run is known. From the leader. */
  hasAny(runId: string): Promise<boolean>;
  /** Whether an event of this type is known. From the leader. */
  has(runId: string, type: string): Promise<boolean>;
  lastSequence(): Promise<number>;
}

/** Live orchestrators and workers. For people and for spreading shards; never for safety. */
export interface Member {
  role: "orchestrator" | "worker";
  id: string;
  host: string;
  pid: number;
  startedAt: Instant;
  queues?: readonly string[] | undefined;
  labels?: Readonly<Record<string, string>> | undefined;
}

export interface Membership {
  /** Writes or refreshes a member; it fades by itself when not refreshed. */
  announce(member: Member): Promise<void>;
  leave(member: Member): Promise<void>;
  list(): Promise<Member[]>;
  /** Every announcement (null: has left). */
  watch(onChange: (key: string, member: Member | null) => void): Promise<Subscription>;
  /** Holds the member's subject for as long as this connection lives. */
  answerProbes(memberId: string): Subscription;
  /** `gone`: the server says that nobody holds the member's subject. */
  probe(memberId: string): Promise<"alive" | "gone" | "unknown">;
}

export interface DeadLetter {
  queue: string;
  /** Subject and sequence in WORK. */
  subject: string;
  seq: number;
  headers: Readonly<Record<string, string>>;
  body: Uint8Array;
  reason: string;
  attempts: number;
  error?: string | undefined;
  stack?: string | undefined;
}

export interface DeadLetters {
  /** Resolves when stored; the same (subject, seq) again is not an error. */
  bury(letter: DeadLetter): Promise<void>;
}

/** A job as a worker receives it. */
export interface Delivery {
  subject: string;
  headers: Readonly<Record<string, string>>;
  body: Uint8Array;
  seq: number;
  /** 1 for the first. */
  attempt: number;
  storedAt: Instant;
  ack(): void;
  /** Put back, for delivery after at least `delayMs`. */
  nak(delayMs: number): void;
  /** Still at work: the server waits anew. */
  working(): void;
  /** Done with for ever; the server deletes it. */
  term(reason: string): void;
}

export interface ConsumeOptions {
  /** Deliveries that may be handed out and not done with. */
  concurrency: number;
  /** Done with when the promise resolves, settled or not; it must not reject. */
  onDelivery(delivery: Delivery): void | Promise<void>;
  /** The pull was restarted, the connection came back, …: for the log. */
  onNotice?(text: string): void;
}

/** The pulling end of a queue. */
export interface WorkSource {
  /** Delivers until stopped; survives reconnects, leader changes and a stalled pull. */
  consume(queue: string, options: ConsumeOptions): Promise<Subscription>;
}

/** Asks the API and gets its JSON answer; throws a `PunctualError` when refused. */
export interface ApiCaller {
  call(endpoint: string, request: unknown): Promise<unknown>;
}

/** Answers the API's requests. A rejection of `handle` becomes an error response. */
export interface ApiServer {
  serve(id: string, handle: (endpoint: string, body: string) => Promise<unknown>): Subscription;
}

/** The pulling end of a stream that Punctual itself works off: the intake, the advisories. */
export interface DeliverySource {
  consume(options: ConsumeOptions): Promise<Subscription>;
}

/** A run that is queued or running. */
export interface Occupant {
  runId: string;
  queue: string;
  /** Of its message in WORK. */
  seq: number;
}

/** Hints that a run may be over, as soon as anyone knows; some are lost. */
export interface RunEnds {
  listen(run: Occupant, onEnd: () => void): Subscription;
}

/** Asking workers to end runs. Heard by those who listen at that moment. */
export interface Cancellations {
  request(runId: string): void;
  /** The same, and whether a worker answers, within `ms`, that it has the run. */
  ask(runId: string, ms: number): Promise<boolean>;
  /** @param onRequest says whether the run is here */
  listen(onRequest: (runId: string) => boolean): Subscription;
}
