/** The gates of queues, in WORK, and what RUNS tells of who has passed. */
import { AckPolicy, DeliverPolicy, type JetStreamManager, type StoredMsg } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import type { GateStore, Waiting, WaitingQuery } from "../core/gate-store.js";
import { lanes } from "../core/lane.js";
import type { Subscription } from "../core/ports.js";
import type { Instant } from "../core/schedule.js";
import { waitingOf } from "../protocol/gate-message.js";
import type { Names } from "../protocol/names.js";
import { parseGateSubject } from "../protocol/subjects.js";
import { Bypass } from "./bypass.js";
import { isMissing } from "./refusal.js";
import { storedMessage } from "./work.js";

/** Read one after the other, before it is assumed that there are many. */
const FEW = 4;
const STRETCHES = 8;
/** Jobs that are expected in each. */
const PER_STRETCH = 8;
const LONGEST_STRETCH = 1_000;

export class NatsGateStore implements GateStore {
  readonly #connection: NatsConnection;
  readonly #jsm: JetStreamManager;
  readonly #names: Names;

  constructor(connection: NatsConnection, jsm: JetStreamManager, names: Names) {
    this.#connection = connection;
    this.#jsm = jsm;
    this.#names = names;
  }

  /** One answer after the other where few wait; where many do, several stretches of sequences at once. */
  async waiting(queue: string, { after, limit, key }: WaitingQuery): Promise<Waiting[]> {
    const filter = key === undefined ? this.#names.queueGate(queue) : this.#names.keyGate(queue, key);
    let { found, next } = await this.#stretch(
      filter,
      after + 1,
      Number.POSITIVE_INFINITY,
      Math.min(limit, FEW),
    );
    while (next !== null && found.length < limit) {
      const [first, last] = [found[0], found.at(-1)] as [Waiting, Waiting];
      const gap = Math.max(1, (last.seq - first.seq) / (found.length - 1));
      const length = Math.min(Math.ceil(gap * PER_STRETCH), LONGEST_STRETCH);
      const starts = Array.from({ length: STRETCHES }, (_, index) => (next as number) + index * length);
      const stretches = await Promise.all(
        starts.map((start) => this.#stretch(filter, start, start + length)),
      );
      found = [...found, ...stretches.flatMap((stretch) => stretch.found)];
      next = stretches.at(-1)?.next ?? null;
    }
    return found.slice(0, limit);
  }

  /** The jobs of a stretch of sequences. `next`: from where on there may be more; null: there are none. */
  async #stretch(
    filter: string,
    from: number,
    to: number,
    limit = Number.POSITIVE_INFINITY,
  ): Promise<{ found: Waiting[]; next: number | null }> {
    const found: Waiting[] = [];
    let seq = from;
    while (seq < to && found.length < limit) {
      const message = storedMessage(await this.#next(filter, seq));
      if (message === null) return { found, next: null };
      if (message.seq >= to) return { found, next: to };
      found.push(waitingOf(message));
      seq = message.seq + 1;
    }
    return { found, next: seq };
  }

  async count(queue: string): Promise<number> {
    const { work } = this.#names;
    const name = this.#names.gateConsumer(queue);
    try {
      return (await this.#jsm.consumers.info(work, name)).num_pending;
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
    const made = await this.#jsm.consumers.add(work, {
      durable_name: name,
      filter_subject: this.#names.queueGate(queue),
      ack_policy: AckPolicy.Explicit,
      deliver_policy: DeliverPolicy.All,
    });
    return made.num_pending;
  }

  async nextQueue(from: number): Promise<{ queue: string; seq: number } | null> {
    const message = await this.#next(this.#names.gateSubjects, from);
    if (message === null) return null;
    return { queue: parseGateSubject(message.subject)?.queue ?? "", seq: message.seq };
  }

  async lastSequence(): Promise<number> {
    return (await this.#jsm.streams.info(this.#names.work)).state.last_seq;
  }

  /** Only the first: there may be thousands a second, and all of them are read anyway. */
  onArrival(queue: string, arrived: () => void): Subscription {
    if (this.#connection.isClosed()) return { stop: async () => {} };
    const subscription = this.#connection.subscribe(this.#names.queueGate(queue), {
      max: 1,
      callback: (error) => {
        if (error === null) arrived();
      },
    });
    return { stop: async () => subscription.unsubscribe() };
  }

  onDeparture(queue: string, departed: (seq: number) => void): Subscription {
    const { acks, terminations } = this.#names;
    const subjects = lanes.flatMap((lane) => [acks(queue, lane), terminations(queue, lane)]);
    const subscriptions = subjects.map((subject) =>
      this.#connection.subscribe(subject, {
        callback: (error, message) => {
          const seq = error === null ? /"stream_seq":\s*(\d+)/.exec(message.string())?.[1] : undefined;
          if (seq !== undefined) departed(Number(seq));
        },
      }),
    );
    return {
      stop: async () => {
        for (const subscription of subscriptions) subscription.unsubscribe();
      },
    };
  }

  onBypass(queue: string, bypassed: () => void): Subscription {
    if (this.#connection.isClosed()) return { stop: async () => {} };
    const ports = { connection: this.#connection, jsm: this.#jsm, names: this.#names };
    return new Bypass(ports, bypassed).start(queue);
  }

  async quietSince(queue: string): Promise<Instant> {
    const subjects = lanes.map((lane) => this.#names.queued(this.#names.job(queue, "*", lane)));
    const last = await Promise.all(subjects.map((subject) => this.#lastIn(subject)));
    const times = last.flatMap((message) => (message === null ? [] : [message.time.getTime()]));
    return times.length > 0 ? Math.max(...times) : this.#beginningOfRuns();
  }

  /** What is older was removed. */
  async #beginningOfRuns(): Promise<Instant> {
    const { first_seq, first_ts } = (await this.#jsm.streams.info(this.#names.runs)).state;
    return first_seq <= 1 ? 0 : Date.parse(String(first_ts));
  }

  #next(filter: string, seq: number): Promise<StoredMsg | null> {
    const query = { seq, next_by_subj: filter };
    return this.#jsm.streams.getMessage(this.#names.work, query);
  }

  #lastIn(subject: string): Promise<StoredMsg | null> {
    return this.#jsm.streams.getMessage(this.#names.runs, { last_by_subj: subject });
  }
}
