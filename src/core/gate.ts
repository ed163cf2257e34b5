/**
 * The gate of a queue with limits: which of the jobs that wait there may pass now.
 *
 * Jobs pass in the order of waiting, except that one whose key is held up lets those of other keys go first, and that
 * those of a higher lane go before those of a lower one, as long as nobody has waited for too many of them. Nothing is
 * done here and no time is read: whoever carries it out says what became of each job. What is kept is bounded by the
 * `window`, however many jobs wait and however many keys they have: of each key a few jobs are held, and the rest is
 * read again when it is their turn.
 *
 * Tokens (see token-bucket.ts) begin with an empty bucket, as nobody knows here what passed before: a key that is not
 * known has had an empty bucket since the gate was opened, or since another key was forgotten to make room.
 *
 * Not everything comes through the gate: fires of schedules are not held back. They are counted in the rate of the
 * queue, and jobs make up for them.
 */
import { type GateHead, GateLine } from "./gate-line.js";
import { Heap } from "./heap.js";
import { type Lane, LaneTurns, lanes } from "./lane.js";
import type { KeyLimits, RateLimit } from "./queue.js";
import { TicketHolders } from "./ticket-holders.js";
import { TokenBucket } from "./token-bucket.js";

export interface GateLimits {
  /** Nothing passes. */
  paused: boolean;
  rate?: RateLimit | undefined;
  perKey?: KeyLimits | undefined;
}

/** Whether the jobs of a queue go through a gate. */
export function isGoverned({ rate, perKey }: Omit<GateLimits, "paused">): boolean {
  return rate !== undefined || perKey !== undefined;
}

/** A job that may pass. */
export interface Pass<H extends GateHead> {
  head: H;
  /** Which of its key's tickets it has. Null: its key needs none. */
  ticket: number | null;
  line: GateLine<H>;
}

/** A place in the heap of lines; out of date when the line was placed again since. */
interface Place<H extends GateHead> {
  line: GateLine<H>;
  placed: number;
  /** The sequence of its first, or the time at which it may pass. */
  by: number;
}

const byOrder = <H extends GateHead>(a: Place<H>, b: Place<H>) => a.by < b.by;

export class Gate<H extends GateHead> {
  readonly #window: number;
  #limits: GateLimits;
  #bucket: TokenBucket | undefined;
  /** Unknown keys have had an empty bucket since then. */
  #emptySince: number;
  #hasPassed = false;
  #isBypassed = false;
  #held = 0;
  /** Those of jobs that have a key by the key, the others by their lane. */
  readonly #lines = new Map<string, GateLine<H>>();
  /** One for each lane. */
  readonly #ready = new Map(lanes.map((lane) => [lane, new Heap<Place<H>>(byOrder)]));
  readonly #turns = new LaneTurns();
  readonly #resting = new Heap<Place<H>>(byOrder);
  readonly #holders: TicketHolders<H>;
  readonly #toRefill = new Set<GateLine<H>>();

  /** @param window jobs that are held in memory at most */
  constructor(limits: GateLimits, now: number, window = 10_000) {
    this.#limits = limits;
    this.#window = window;
    this.#emptySince = now;
    this.#holders = new TicketHolders(2 * window);
    this.#bucket = limits.rate === undefined ? undefined : new TokenBucket(limits.rate, now);
  }

  /** Jobs for which there is room. */
  get room(): number {
    return Math.max(0, this.#window - this.#held);
  }

  /** Lines and holders that are kept. */
  get size(): { jobs: number; keys: number; holders: number } {
    return { jobs: this.#held, keys: this.#lines.size, holders: this.#holders.size };
  }

  limit(limits: GateLimits, now: number): void {
    this.#limits = limits;
    if (limits.rate === undefined) this.#bucket = undefined;
    else if (this.#bucket === undefined) this.#bucket = new TokenBucket(limits.rate, now);
    else this.#bucket.change(limits.rate, now);
    for (const line of this.#lines.values()) {
      line.limitTo(limits.perKey?.rate, now, now);
      this.#place(line, now);
    }
  }

  /** Nothing had passed for so long before `now`. Counts until the first has passed here. */
  credit(idleMs: number, now: number): void {
    if (this.#hasPassed || now - idleMs >= this.#emptySince) return;
    this.#emptySince = now - idleMs;
    const { rate, perKey } = this.#limits;
    if (rate !== undefined && !this.#isBypassed) this.#bucket = new TokenBucket(rate, this.#emptySince);
    for (const line of this.#lines.values()) {
      if (perKey?.rate !== undefined) line.refill(perKey.rate, this.#emptySince);
      this.#place(line, now);
    }
  }

  /** A job that waits; they come in order. One that is known, or that is behind others of its key, changes nothing. */
  offer(head: H, now: number): void {
    const line = this.#lineOf(head, now);
    if (head.seq <= line.heldTo) return;
    const isFull = line.heads.length >= line.mostHeld(this.#limits.perKey, this.#window);
    if (head.key !== null && (line.hasMore || isFull)) {
      line.hasMore = true;
      return;
    }
    this.#hold(line, head);
    this.#place(line, now);
  }

  /** Keys of which more is to be read: from where on, and how many. */
  refills(): { key: string; after: number; limit: number }[] {
    return [...this.#toRefill].map((line) => ({
      key: line.key as string,
      after: line.heldTo,
      limit: line.mostHeld(this.#limits.perKey, this.#window) - line.heads.length,
    }));
  }

  /** What was read for a refill; fewer than asked for: there are no more. */
  refill({ key, limit }: { key: string; limit: number }, heads: readonly H[], now: number): void {
    const line = this.#lines.get(key);
    if (line === undefined) return;
    this.#toRefill.delete(line);
    line.hasMore = heads.length >= limit;
    for (const head of heads) if (head.seq > line.heldTo) this.#hold(line, head);
    this.#place(line, now);
  }

  /** The next job that may pass now, with all that it needs taken; null: none. */
  next(now: number): Pass<H> | null {
    if (this.#limits.paused) return null;
    this.#wake(now);
    if (!this.#isAnyReady() || this.#bucket?.take(now) === false) return null;
    const lane = this.#turns.next((lane) => this.#firstIn(lane) !== undefined);
    const { line } = this.#firstIn(lane as Lane) as Place<H>;
    const pass = { ...line.pass(this.#limits.perKey, now), line };
    this.#held--;
    this.#hasPassed = true;
    this.#place(line, now);
    return pass;
  }

  /** Milliseconds until it is worth asking for the next; infinite: not before something happens. */
  untilNext(now: number): number {
    if (this.#limits.paused) return Number.POSITIVE_INFINITY;
    this.#wake(now);
    if (this.#isAnyReady()) return this.#bucket?.untilNext(now) ?? 0;
    const rest = this.#first(this.#resting);
    return rest === undefined ? Number.POSITIVE_INFINITY : Math.max(0, rest.by - now);
  }

  /** It is in the queue, as the message with that sequence in WORK. */
  landed({ ticket, line }: Pass<H>, seq: number, now: number): void {
    this.#bucket?.settle(now);
    line.settle(now);
    if (ticket !== null) {
      line.hold(ticket, seq);
      this.#holders.add(seq, line, ticket, now);
    }
    this.#place(line, now);
  }

  /** It has left the gate, after it has landed. */
  left({ ticket, line }: Pass<H>, now: number): void {
    if (ticket !== null) line.leave(ticket, "gate");
    this.#place(line, now);
  }

  /** It was not put into the queue and never will be: it was cancelled, or skipped. */
  dropped({ ticket, line }: Pass<H>, now: number): void {
    this.#bucket?.giveBack(now);
    line.giveBack(now);
    if (ticket !== null) line.drop(ticket);
    this.#place(line, now);
  }

  /** It was not put into the queue, and waits again. */
  putBack(pass: Pass<H>, now: number): void {
    const { head, line } = pass;
    line.putBack(head);
    this.#held++;
    this.dropped(pass, now);
  }

  /** Its ticket turned out to be held by another message in WORK: it waits again. */
  occupied(pass: Pass<H>, seq: number, now: number): void {
    const { line, ticket } = pass;
    this.putBack(pass, now);
    if (ticket === null) return;
    line.occupy(ticket, seq);
    this.#holders.add(seq, line, ticket, now);
    this.#place(line, now);
  }

  /** A message has come into the queue past the gate. */
  bypassed(now: number): void {
    this.#isBypassed = true;
    this.#bucket?.spend(now);
  }

  /** A message has left the queue. */
  ended(seq: number, now: number): void {
    const line = this.#holders.remove(seq);
    if (line !== undefined) this.#place(line, now);
  }

  /** Messages in WORK for which jobs wait, and that nobody has looked at for a while. */
  suspects(now: number, notSince: number, most: number): number[] {
    return this.#holders.suspects(now, notSince, most);
  }

  #hold(line: GateLine<H>, head: H): void {
    line.heads.push(head);
    line.heldTo = head.seq;
    this.#held++;
  }

  /** Puts a line where it belongs; what lies of it elsewhere is out of date from now on. */
  #place(line: GateLine<H>, now: number): void {
    line.placed++;
    if (line.hasMore && 2 * line.heads.length <= line.mostHeld(this.#limits.perKey, this.#window))
      this.#toRefill.add(line);
    const wait = line.untilNext(this.#limits.perKey, now);
    if (wait === Number.POSITIVE_INFINITY) return;
    const { placed } = line;
    const { seq, lane } = line.heads[0] as H;
    if (wait > 0) this.#resting.push({ line, placed, by: now + wait });
    else this.#ready.get(lane)?.push({ line, placed, by: seq });
  }

  #isAnyReady(): boolean {
    return lanes.some((lane) => this.#firstIn(lane) !== undefined);
  }

  #firstIn(lane: Lane): Place<H> | undefined {
    return this.#first(this.#ready.get(lane) as Heap<Place<H>>);
  }

  #wake(now: number): void {
    for (let rest = this.#first(this.#resting); rest !== undefined && rest.by <= now; ) {
      this.#resting.pop();
      this.#place(rest.line, now);
      rest = this.#first(this.#resting);
    }
  }

  #first(heap: Heap<Place<H>>): Place<H> | undefined {
    for (let top = heap.peek(); top !== undefined; top = heap.peek()) {
      if (top.placed === top.line.placed) return top;
      heap.pop();
    }
    return undefined;
  }

  #lineOf(head: H, now: number): GateLine<H> {
    const id = idOf(head);
    const known = this.#lines.get(id);
    if (known !== undefined) return known;
    if (this.#lines.size >= 2 * this.#window) this.#forgetLines(now);
    const line = new GateLine<H>(id, head.key);
    line.limitTo(this.#limits.perKey?.rate, this.#emptySince, now);
    this.#lines.set(id, line);
    return line;
  }

  /** First those that would be the same if they were made anew, then others. */
  #forgetLines(now: number): void {
    const idle = [...this.#lines.values()].filter((line) => line.isIdle);
    for (const line of idle) if (line.isAsNew(now)) this.#lines.delete(line.id);
    if (this.#lines.size <= this.#window * 1.5) return;
    const surplus = this.#lines.size - this.#window * 1.5;
    const rest = idle.filter((line) => !line.isAsNew(now)).slice(0, surplus);
    for (const line of rest) this.#lines.delete(line.id);
    if (rest.length > 0) this.#emptySince = now;
  }
}

/** No key has a dot. */
function idOf(head: Pick<GateHead, "key" | "lane">): string {
  return head.key ?? `.${head.lane}`;
}
