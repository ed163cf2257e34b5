/**
 * The memory server: what a NATS server with JetStream does for Punctual, in one object and by a given clock.
 *
 * It keeps the streams, the consumers of the queues and the members; programs reach it over a `MemoryLink` each
 * (see `open.ts`). Everything here is synchronous, so that a simulation can look at any state between two steps.
 */
import type { Clock, Member, StoredMessage } from "../core/ports.js";
import type { QueueSettings } from "../core/queue.js";
import { limits } from "../protocol/limits.js";
import { type Names, namesOf } from "../protocol/names.js";
import { parseJobSubject } from "../protocol/subjects.js";
import { type ConsumerSettings, MemoryConsumer } from "./consumer.js";
import type { Faults } from "./faults.js";
import { MemoryStream, type NewMessage, type StoreAnswer } from "./stream.js";

export interface MemoryServerOptions {
  /** The server's own clock. */
  clock: Clock;
  /** Default `punctual`. */
  namespace?: string;
  /** Default 16. */
  shards?: number;
  /** Default `limits.dedupWindowMs`. */
  dedupWindowMs?: number;
  /** An announcement that is not refreshed fades after this long. Default `limits.memberTtlMs`. */
  memberTtlMs?: number;
  /** Bytes of one message. Default 1 MiB. */
  maxPayload?: number;
  /** How long a program waits for an answer that does not come. Default 0. */
  answerTimeoutMs?: number;
}

const NO_BODY = new Uint8Array();
/** Of the subject of a job that no schedule fired. */
const TOLD_TOKENS = 4;
const INTERNAL = { ackWaitMs: 30_000, concurrency: 1_000 };

interface Announcement {
  member: Member;
  at: number;
}

export class MemoryServer {
  readonly clock: Clock;
  readonly names: Names;
  readonly shards: number;
  readonly maxPayload: number;
  readonly answerTimeoutMs: number;
  memberTtlMs: number;
  /** What goes wrong from now on. */
  faults: Faults = {};
  readonly work: MemoryStream;
  readonly runs: MemoryStream;
  readonly dead: MemoryStream;
  readonly intake: MemoryStream;
  readonly timers: MemoryStream;
  readonly schedules: MemoryStream;
  readonly leases: MemoryStream;
  readonly backfills: MemoryStream;
  readonly queueSettings: MemoryStream;
  readonly claims: MemoryStream;
  readonly alerts: MemoryStream;
  readonly chains: MemoryStream;
  readonly beats: MemoryStream;
  readonly queues = new Map<string, MemoryConsumer>();
  readonly intakeConsumer: MemoryConsumer;
  readonly advisoryConsumer: MemoryConsumer;
  readonly failureConsumer: MemoryConsumer;
  /** Who answers probes of a member; the value says whether it would answer now. */
  readonly answering = new Map<string, () => boolean>();
  /** Who ends runs when asked to. */
  readonly cancelling = new Set<(runId: string) => boolean>();
  /** Who listens to alerts. */
  readonly hearing = new Set<(subject: string, json: string) => void>();
  /** Who serves the API. */
  readonly serving = new Set<(endpoint: string, body: string) => Promise<unknown>>();
  readonly #members = new Map<string, Announcement>();
  readonly #memberListeners = new Set<(key: string, member: Member | null) => void>();
  #late: (() => void)[] = [];

  constructor(options: MemoryServerOptions) {
    const { clock } = options;
    this.clock = clock;
    this.names = namesOf(options.namespace ?? "punctual");
    this.shards = options.shards ?? limits.defaultShards;
    this.maxPayload = options.maxPayload ?? 1_048_576;
    this.answerTimeoutMs = options.answerTimeoutMs ?? 0;
    this.memberTtlMs = options.memberTtlMs ?? limits.memberTtlMs;
    const dedupWindowMs = options.dedupWindowMs ?? limits.dedupWindowMs;
    this.work = new MemoryStream(clock, { perSubject: 1, discard: "new", dedupWindowMs });
    this.runs = new MemoryStream(clock, { dedupWindowMs });
    this.dead = new MemoryStream(clock, { dedupWindowMs });
    this.intake = new MemoryStream(clock, { discard: "new", dedupWindowMs });
    this.timers = new MemoryStream(clock, { discard: "new", dedupWindowMs });
    this.schedules = new MemoryStream(clock, { perSubject: limits.scheduleHistory });
    this.leases = new MemoryStream(clock, { perSubject: 1 });
    this.backfills = new MemoryStream(clock, { perSubject: 1 });
    this.queueSettings = new MemoryStream(clock, { perSubject: limits.queueHistory });
    this.claims = new MemoryStream(clock, { perSubject: 1 });
    this.alerts = new MemoryStream(clock, { perSubject: 1 });
    this.chains = new MemoryStream(clock, { perSubject: 1 });
    this.beats = new MemoryStream(clock, { perSubject: 1 });
    this.intakeConsumer = this.#internalConsumer(this.intake, true, () => true);
    this.advisoryConsumer = this.#internalConsumer(this.runs, false, (subject) =>
      subject.startsWith(this.#exhausted("")),
    );
    const [before, after] = this.names.failures.split("*") as [string, string];
    const isFailure = (subject: string) => subject.startsWith(before) && subject.endsWith(after);
    this.failureConsumer = this.#internalConsumer(this.runs, false, isFailure);
    this.work.onStored((message) => this.#republish(message));
  }

  /** Stores or refuses, as the stream that listens on the subject does. */
  store(stream: MemoryStream, message: NewMessage): StoreAnswer | { kind: "refused"; reason: string } {
    if (message.body.length > this.maxPayload) return { kind: "refused", reason: "maximum payload exceeded" };
    return stream.store(message);
  }

  /** The consumer of a queue, made if there is none. */
  queue(queue: string, settings: QueueSettings): MemoryConsumer {
    const existing = this.queues.get(queue);
    if (existing !== undefined) return existing;
    const made = this.#consumer(this.work, {
      ...settings,
      accepts: (subject) => parseJobSubject(subject)?.queue === queue,
      laneOf: (subject) => parseJobSubject(subject)?.lane ?? "work",
      removeSettled: true,
      onExhausted: (message, deliveries) => this.#advise(queue, message, deliveries),
    });
    this.queues.set(queue, made);
    return made;
  }

  announce(member: Member): void {
    const key = this.names.memberKey(member.role, member.id);
    this.#members.set(key, { member, at: this.clock.monotonic() });
    this.#tellOfMember(key, member);
  }

  leave(member: Member): void {
    const key = this.names.memberKey(member.role, member.id);
    this.#members.delete(key);
    this.#tellOfMember(key, null);
  }

  /** Those whose last announcement has not faded. */
  members(): [key: string, member: Member][] {
    const oldest = this.clock.monotonic() - this.memberTtlMs;
    return [...this.#members].filter(([, { at }]) => at > oldest).map(([key, { member }]) => [key, member]);
  }

  onMember(listener: (key: string, member: Member | null) => void): () => void {
    this.#memberListeners.add(listener);
    return () => this.#memberListeners.delete(listener);
  }

  /** What a restart does to the memory of message ids: those of messages that are gone are forgotten. */
  forget(): void {
    for (const stream of [this.work, this.runs, this.dead, this.intake, this.timers]) stream.forgetIds();
  }

  /** Takes a definition out of its bucket altogether, as an operator can, past every rule. */
  eraseDefinition(key: string): void {
    const headers = { "KV-Operation": "DEL" };
    this.schedules.store({ subject: key, headers, body: NO_BODY });
  }

  /** Keeps a request that is `late`. */
  holdBack(act: () => void): void {
    this.#late.push(act);
  }

  /** Requests that are late and have not arrived. */
  get lateRequests(): number {
    return this.#late.length;
  }

  /** Late requests arrive now: the first `count` of them, or all. */
  deliverLate(count = this.#late.length): void {
    for (const act of this.#late.splice(0, count)) act();
  }

  #internalConsumer(
    stream: MemoryStream,
    removeSettled: boolean,
    accepts: (subject: string) => boolean,
  ): MemoryConsumer {
    const maxAttempts = Number.POSITIVE_INFINITY;
    return this.#consumer(stream, { ...INTERNAL, maxAttempts, removeSettled, accepts });
  }

  #consumer(stream: MemoryStream, settings: ConsumerSettings): MemoryConsumer {
    return new MemoryConsumer(stream, this.clock, settings);
  }

  /** Of jobs that no schedule fired, headers only, as WORK is configured. */
  #republish(message: StoredMessage): void {
    if (message.subject.split(".").length !== TOLD_TOKENS || this.faults.republish?.(message) === true)
      return;
    const subject = this.names.queued(message.subject);
    const headers = { ...message.headers, "Nats-Sequence": String(message.seq) };
    this.runs.store({ subject, headers, body: NO_BODY });
  }

  #advise(queue: string, message: StoredMessage, deliveries: number): void {
    if (this.faults.advisory?.(message) === true) return;
    const { seq } = message;
    const consumer = this.names.consumer(queue);
    const text = JSON.stringify({ stream: this.names.work, consumer, stream_seq: seq, deliveries });
    const body = new TextEncoder().encode(text);
    this.runs.store({ subject: this.#exhausted(consumer), headers: {}, body });
  }

  #exhausted(consumer: string): string {
    return this.names.maxDeliveries.slice(0, -1) + consumer;
  }

  #tellOfMember(key: string, member: Member | null): void {
    for (const listener of this.#memberListeners) listener(key, member);
  }
}
