/** A durable consumer of the memory server: who gets which message, and when again. */

import { type Lane, LaneTurns, lanes } from "../core/lane.js";
import type { Clock, StoredMessage } from "../core/ports.js";
import { areAcksTold, type LaneCounts, type QueueSettings } from "../core/queue.js";
import type { MemoryStream } from "./stream.js";

/** One end that pulls. */
export interface Puller {
  hasRoom(): boolean;
  hand(message: StoredMessage, attempt: number): void;
}

/** Without `history` it is not of a queue. */
type OfQueue = Pick<QueueSettings, "ackWaitMs" | "maxAttempts" | "concurrency"> &
  Partial<Pick<QueueSettings, "history" | "perKey">>;

export interface ConsumerSettings extends OfQueue {
  accepts(subject: string): boolean;
  /** Default: everything is in `work`. */
  laneOf?(subject: string): Lane;
  /** Work queues delete what is acknowledged. */
  removeSettled: boolean;
  /** A message stays where it is after its last attempt; said once. */
  onExhausted?(message: StoredMessage, deliveries: number): void;
}

export class MemoryConsumer {
  #settings: ConsumerSettings;
  /** Sequences that are never handed out again, and how often they were. */
  readonly exhausted = new Map<number, number>();
  readonly #stream: MemoryStream;
  readonly #clock: Clock;
  readonly #pullers = new Set<Puller>();
  readonly #fresh: Record<Lane, number[]> = { high: [], work: [], low: [] };
  readonly #handedOut: Record<Lane, number> = { high: 0, work: 0, low: 0 };
  readonly #turns = new LaneTurns();
  readonly #again: number[] = [];
  readonly #attempts = new Map<number, number>();
  /** Handed out, or put back with a delay: each with what cancels its timer. */
  readonly #pending = new Map<number, { cancel(): void; atWork: boolean }>();
  readonly #endFeed: () => void;

  constructor(stream: MemoryStream, clock: Clock, settings: ConsumerSettings) {
    this.#stream = stream;
    this.#clock = clock;
    this.#settings = settings;
    for (const message of stream.messages()) this.#add(message);
    this.#endFeed = stream.onStored((message) => {
      this.#add(message);
      this.serve();
    });
  }

  /** Whoever pulls gets nothing more. */
  close(): void {
    this.#endFeed();
    this.#pullers.clear();
    for (const { cancel } of this.#pending.values()) cancel();
  }

  /** From now on; what waits for its acknowledgement already does so as before. */
  configure(settings: OfQueue): void {
    this.#settings = { ...this.#settings, ...settings };
    this.serve();
  }

  get areAcksTold(): boolean {
    const { history = "full", perKey } = this.#settings;
    return areAcksTold({ history, perKey });
  }

  /** Sequences that were handed out, and are not acknowledged. */
  get inHand(): number[] {
    return [...this.#pending.keys(), ...this.#again];
  }

  counts(): LaneCounts[] {
    const pending = this.inHand.flatMap((seq) => this.#stream.at(seq) ?? []);
    return lanes.map((lane) => {
      const running = pending.filter((message) => this.#laneOf(message) === lane);
      return {
        lane,
        queued: this.#fresh[lane].filter((seq) => this.#stream.at(seq) !== null).length,
        running: running.length,
        redelivered: running.filter(({ seq }) => (this.#attempts.get(seq) ?? 0) > 1).length,
        pulls: [...this.#pullers].filter((puller) => puller.hasRoom()).length,
        paused: false,
      };
    });
  }

  /** The newest sequence of a lane. */
  handedOut(lane: Lane): number {
    return this.#handedOut[lane];
  }

  attach(puller: Puller): void {
    this.#pullers.add(puller);
    this.serve();
  }

  detach(puller: Puller): void {
    this.#pullers.delete(puller);
  }

  /** Hands out what can be handed out; redeliveries first. */
  serve(): void {
    for (let puller = this.#nextPuller(); puller !== undefined; puller = this.#nextPuller()) {
      const message = this.#next();
      if (message === null) return;
      const attempt = (this.#attempts.get(message.seq) ?? 0) + 1;
      if (attempt > this.#settings.maxAttempts) {
        this.exhausted.set(message.seq, attempt - 1);
        this.#settings.onExhausted?.(message, attempt - 1);
        continue;
      }
      this.#attempts.set(message.seq, attempt);
      const lane = this.#laneOf(message);
      this.#handedOut[lane] = Math.max(this.#handedOut[lane], message.seq);
      this.#waitForAck(message.seq);
      puller.hand(message, attempt);
    }
  }

  /** A late acknowledgement counts too. */
  settle(seq: number): void {
    this.#drop(seq);
    this.#attempts.delete(seq);
    if (this.#settings.removeSettled) this.#stream.remove(seq);
    this.serve();
  }

  putBack(seq: number, delayMs: number): void {
    if (!this.#pending.has(seq)) return;
    this.#drop(seq);
    if (delayMs <= 0) this.#return(seq);
    else this.#pending.set(seq, { cancel: this.#returnAfter(seq, delayMs), atWork: false });
    this.serve();
  }

  waitAnew(seq: number): void {
    if (this.#pending.get(seq)?.atWork !== true) return;
    this.#drop(seq);
    this.#waitForAck(seq);
  }

  #add(message: StoredMessage): void {
    if (!this.#settings.accepts(message.subject)) return;
    this.#fresh[this.#laneOf(message)].push(message.seq);
  }

  /** In turn, so that all pullers get their share. */
  #nextPuller(): Puller | undefined {
    if (this.#pending.size >= this.#settings.concurrency) return undefined;
    for (const puller of this.#pullers) {
      if (!puller.hasRoom()) continue;
      this.#pullers.delete(puller);
      this.#pullers.add(puller);
      return puller;
    }
    return undefined;
  }

  #next(): StoredMessage | null {
    for (;;) {
      const seq = this.#again.shift() ?? this.#nextFresh();
      if (seq === undefined) return null;
      const message = this.#stream.at(seq);
      if (message !== null) return message;
    }
  }

  #nextFresh(): number | undefined {
    const lane = this.#turns.next((one) => this.#fresh[one].length > 0);
    return lane === null ? undefined : this.#fresh[lane].shift();
  }

  #laneOf({ subject }: StoredMessage): Lane {
    return this.#settings.laneOf?.(subject) ?? "work";
  }

  #waitForAck(seq: number): void {
    this.#pending.set(seq, { cancel: this.#returnAfter(seq, this.#settings.ackWaitMs), atWork: true });
  }

  #returnAfter(seq: number, delayMs: number): () => void {
    return this.#clock.after(delayMs, () => {
      this.#drop(seq);
      this.#return(seq);
      this.serve();
    });
  }

  #return(seq: number): void {
    if (this.#stream.at(seq) !== null) this.#again.push(seq);
  }

  #drop(seq: number): void {
    this.#pending.get(seq)?.cancel();
    this.#pending.delete(seq);
  }
}
