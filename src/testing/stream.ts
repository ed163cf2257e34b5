/** A stream of the memory server: what JetStream keeps, and when it refuses. Everything here is synchronous. */
import type { Clock, StoredMessage } from "../core/ports.js";
import { headers as h } from "../protocol/headers.js";

export interface StreamSettings {
  /** Messages of one subject; default no limit. */
  perSubject?: number;
  /** What happens at that limit: the oldest goes, or the new one is refused. Default `old`. */
  discard?: "old" | "new";
  /** A message id is remembered for this long. Default: message ids mean nothing. */
  dedupWindowMs?: number;
}

export interface NewMessage {
  subject: string;
  /** `Nats-Msg-Id` among them makes a repeat of the message a duplicate. */
  headers: Readonly<Record<string, string>>;
  body: Uint8Array;
  /** Stored only if the newest message of the subject has this sequence; 0: if there is none. */
  expectedLast?: number | undefined;
}

export type StoreAnswer =
  | { kind: "stored"; seq: number }
  | { kind: "duplicate"; seq: number }
  | { kind: "taken" }
  | { kind: "full"; reason: string }
  | { kind: "wrong last sequence" };

interface KnownId {
  seq: number;
  at: number;
}

/** What was removed within it, a server that is killed may have again. */
const REMOVALS_LOST_MS = 120_000;

export class MemoryStream {
  /** Above this it is full. */
  maxMessages = Number.POSITIVE_INFINITY;
  readonly #clock: Clock;
  readonly #settings: StreamSettings;
  /** By sequence, in order. */
  readonly #messages = new Map<number, StoredMessage>();
  readonly #bySubject = new Map<string, number[]>();
  readonly #ids = new Map<string, KnownId>();
  /** The oldest first. */
  readonly #removed: { message: StoredMessage; at: number }[] = [];
  readonly #listeners = new Set<(message: StoredMessage) => void>();
  readonly #removalListeners = new Set<(seq: number) => void>();
  #lastSequence = 0;

  constructor(clock: Clock, settings: StreamSettings = {}) {
    this.#clock = clock;
    this.#settings = settings;
  }

  get lastSequence(): number {
    return this.#lastSequence;
  }

  get size(): number {
    return this.#messages.size;
  }

  /** In the order of the server: duplicate, expectation, limits. What is refused does not use up its id. */
  store(message: NewMessage): StoreAnswer {
    const known = this.#knownId(message.headers[h.msgId]);
    if (known !== undefined) return { kind: "duplicate", seq: known };
    const last = this.last(message.subject)?.seq ?? 0;
    if (message.expectedLast !== undefined && message.expectedLast !== last) {
      return { kind: "wrong last sequence" };
    }
    const refusal = this.#refusal(message.subject);
    if (refusal !== null) return refusal;
    return { kind: "stored", seq: this.#append(message) };
  }

  last(subject: string): StoredMessage | null {
    const seq = this.#bySubject.get(subject)?.at(-1);
    return seq === undefined ? null : this.at(seq);
  }

  at(seq: number): StoredMessage | null {
    return this.#messages.get(seq) ?? null;
  }

  /** The messages of one subject, oldest first. */
  of(subject: string): StoredMessage[] {
    return (this.#bySubject.get(subject) ?? []).map((seq) => this.#messages.get(seq) as StoredMessage);
  }

  subjects(): IterableIterator<string> {
    return this.#bySubject.keys();
  }

  messages(): IterableIterator<StoredMessage> {
    return this.#messages.values();
  }

  remove(seq: number): boolean {
    const message = this.#messages.get(seq);
    if (message === undefined) return false;
    this.#messages.delete(seq);
    this.#noteRemoval(message);
    const left = (this.#bySubject.get(message.subject) as number[]).filter((other) => other !== seq);
    if (left.length === 0) this.#bySubject.delete(message.subject);
    else this.#bySubject.set(message.subject, left);
    for (const listener of [...this.#removalListeners]) listener(seq);
    return true;
  }

  /** What a kill may do: those that were removed lately are there again, as far as the limit of their subject allows. */
  forgetRemovals(isForgotten: (subject: string) => boolean = () => true): void {
    const { perSubject = Number.POSITIVE_INFINITY } = this.#settings;
    for (const { message } of this.#removed.splice(0).reverse()) {
      const seqs = this.#bySubject.get(message.subject) ?? [];
      if (!isForgotten(message.subject) || seqs.length >= perSubject) continue;
      this.#messages.set(message.seq, message);
      this.#bySubject.set(message.subject, [...seqs, message.seq].sort(ascending));
    }
    const all = [...this.#messages.values()].sort((a, b) => a.seq - b.seq);
    this.#messages.clear();
    for (const message of all) this.#messages.set(message.seq, message);
  }

  /** What a restart does: only the ids of messages that are still there are known afterwards. */
  forgetIds(): void {
    this.#ids.clear();
    for (const { seq, headers, storedAt } of this.#messages.values()) {
      const id = headers[h.msgId];
      if (id !== undefined) this.#ids.set(id, { seq, at: storedAt });
    }
  }

  /** Calls back, at once, for every message that is stored; returns a function that ends it. */
  onStored(listener: (message: StoredMessage) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Calls back, at once, for every message that is removed; returns a function that ends it. */
  onRemoved(listener: (seq: number) => void): () => void {
    this.#removalListeners.add(listener);
    return () => this.#removalListeners.delete(listener);
  }

  #noteRemoval(message: StoredMessage): void {
    const now = this.#clock.now();
    const kept = this.#removed.findIndex(({ at }) => at > now - REMOVALS_LOST_MS);
    this.#removed.splice(0, kept < 0 ? this.#removed.length : kept);
    this.#removed.push({ message, at: now });
  }

  #knownId(id: string | undefined): number | undefined {
    const window = this.#settings.dedupWindowMs;
    const known = id === undefined || window === undefined ? undefined : this.#ids.get(id);
    if (known === undefined || window === undefined) return undefined;
    return this.#clock.now() - known.at < window ? known.seq : undefined;
  }

  #refusal(subject: string): StoreAnswer | null {
    const { perSubject, discard } = this.#settings;
    const there = this.#bySubject.get(subject)?.length ?? 0;
    if (discard === "new" && perSubject !== undefined && there >= perSubject) return { kind: "taken" };
    if (this.size >= this.maxMessages) return { kind: "full", reason: "maximum messages exceeded (10077)" };
    return null;
  }

  #append({ subject, headers, body }: NewMessage): number {
    const seq = ++this.#lastSequence;
    const message: StoredMessage = {
      seq,
      subject,
      headers: { ...headers },
      body,
      storedAt: this.#clock.now(),
    };
    this.#messages.set(seq, message);
    this.#bySubject.set(subject, [...(this.#bySubject.get(subject) ?? []), seq]);
    const id = headers[h.msgId];
    if (id !== undefined) this.#ids.set(id, { seq, at: message.storedAt });
    const { perSubject } = this.#settings;
    const all = this.#bySubject.get(subject) as number[];
    if (perSubject !== undefined && all.length > perSubject) this.remove(all[0] as number);
    for (const listener of this.#listeners) listener(message);
    return seq;
  }
}

const ascending = (a: number, b: number): number => a - b;
