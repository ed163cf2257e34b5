/**
 * The gate of a queue with limits: which of the jobs that wait there may pass now.
 *
 * Jobs pass in the order of waiting, except that one whose key is held up lets those of other keys go first. Nothing is
 * done here and no time is read: whoever carries it out says what became of each job. What is kept is bounded by the
 * `window`, however many jobs wait and however many keys they have: of each key a few jobs are held, and the rest is
 * read again when it is their turn.
 *
 * Tokens (see token-bucket.ts) begin with an empty bucket, as nobody knows here what passed before: a key that is not
 * known has had an empty bucket since the gate was opened, or since another key was forgotten to make room.
 */
import { type GateHead, GateLine } from "./gate-line.js";
import { Heap } from "./heap.js";
import type { KeyLimits, RateLimit } from "./queue.js";
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

interface Holder<H extends GateHead> {
  line: GateLine<H>;
  ticket: number;
  lookedAt: number;
}

const byOrder = <H extends GateHead>(a: Place<H>, b: Place<H>) => a.by < b.by;

export class Gate<H extends GateHead> {
  readonly #window: number;
  #limits: GateLimits;
  #bucket: TokenBucket | undefined;
  /** Unknown keys have had an empty bucket since then. */
  #emptySince: number;
  #hasPassed = false;
  #held = 0;
  readonly #lines = new Map<string | null, GateLine<H>>();
  readonly #ready = new Heap<Place<H>>(byOrder);
  readonly #resting = new Heap<Place<H>>(byOrder);
  /** Who holds tickets, by sequence in WORK; the one that was looked at longest ago is first. */
  readonly #holders = new Map<number, Holder<H>>();
  readonly #toRefill = new Set<GateLine<H>>();

  /** @param window jobs that are held in memory at most */
  constructor(limits: GateLimits, now: number, window = 10_000) {
    this.#limits = limits;
    this.#window = window;
    this.#emptySince = now;
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
    if (rate !== undefined) this.#bucket = new TokenBucket(rate, this.#emptySince);
    for (const line of this.#lines.values()) {
      if (perKey?.rate !== undefined) line.refill(perKey.rate, this.#emptySince);
      this.#place(line, now);
    }
  }

  /** A job that waits; they come in order. One that is known, or that is behind others of its key, changes nothing. */
  offer(head: H, now: number): void {
    const line = this.#lineOf(head.key, now);
    if (head.seq <= line.heldTo) return;
    if (line.hasMore || line.heads.length >= line.mostHeld(this.#limits.perKey, this.#window)) {
      line.hasMore = true;
      return;
    }
    this.#hold(line, head);
    this.#place(line, now);
  }

  /** Keys of which more is to be read: from where on, and how many. */
  refills(): { key: string | null; after: number; limit: number }[] {
    return [...this.#toRefill].map((line) => ({
      key: line.key,
      after: line.heldTo,
      limit: line.mostHeld(this.#limits.perKey, this.#window) - line.heads.length,
    }));
  }

  /** What was read for a refill; fewer than asked for: there are no more. */
  refill({ key, limit }: { key: string | null; limit: number }, heads: readonly H[], now: number): void {
    const line = this.#lineOf(key, now);
    this.#toRefill.delete(line);
    line.hasMore = heads.length >= limit;
    for (const head of heads) if (head.seq > line.heldTo) this.#hold(line, head);
    this.#place(line, now);
  }

  /** The next job that may pass now, with all that it needs taken; null: none. */
  next(now: number): Pass<H> | null {
    if (this.#limits.paused) return null;
    this.#wake(now);
    const place = this.#first(this.#ready);
    if (place === undefined || this.#bucket?.take(now) === false) return null;
    this.#ready.pop();
    const { line } = place;
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
    if (this.#first(this.#ready) !== undefined) return this.#bucket?.untilNext(now) ?? 0;
    const rest = this.#first(this.#resting);
    return rest === undefined ? Number.POSITIVE_INFINITY : Math.max(0, rest.by - now);
  }

  /** It is in the queue, as the message with that sequence in WORK. */
  landed({ ticket, line }: Pass<H>, seq: number, now: number): void {
    this.#bucket?.settle(now);
    line.settle(now);
    if (ticket !== null) {
      line.hold(ticket, seq);
      this.#holders.set(seq, { line, ticket, lookedAt: now });
      this.#forgetHolders();
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
    this.#holders.set(seq, { line, ticket, lookedAt: now });
    this.#place(line, now);
  }

  /** A message has left the queue. */
  ended(seq: number, now: number): void {
    const holder = this.#holders.get(seq);
    if (holder === undefined) return;
    this.#holders.delete(seq);
    holder.line.leave(holder.ticket, "queue");
    this.#place(holder.line, now);
  }

  /** Messages in WORK for which jobs wait, and that nobody has looked at for a while. */
  suspects(now: number, notSince: number, most: number): number[] {
    const found: number[] = [];
    for (const [seq, holder] of this.#holders) {
      if (holder.lookedAt > now - notSince || found.length >= most) break;
      this.#holders.delete(seq);
      this.#holders.set(seq, { ...holder, lookedAt: now });
      if (holder.line.heads.length > 0) found.push(seq);
    }
    return found;
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
    const [heap, by] = wait > 0 ? [this.#resting, now + wait] : [this.#ready, line.heads[0]?.seq ?? 0];
    heap.push({ line, placed: line.placed, by });
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

  #lineOf(key: string | null, now: number): GateLine<H> {
    const known = this.#lines.get(key);
    if (known !== undefined) return known;
    if (this.#lines.size >= 2 * this.#window) this.#forgetLines(now);
    const line = new GateLine<H>(key);
    line.limitTo(this.#limits.perKey?.rate, this.#emptySince, now);
    this.#lines.set(key, line);
    return line;
  }

  /** First those that would be the same if they were made anew, then others. */
  #forgetLines(now: number): void {
    const idle = [...this.#lines.values()].filter((line) => line.isIdle);
    for (const line of idle) if (line.isAsNew(now)) this.#lines.delete(line.key);
    if (this.#lines.size <= this.#window * 1.5) return;
    const surplus = this.#lines.size - this.#window * 1.5;
    const rest = idle.filter((line) => !line.isAsNew(now)).slice(0, surplus);
    for (const line of rest) this.#lines.delete(line.key);
    if (rest.length > 0) this.#emptySince = now;
  }

  /** A ticket that nobody waits for is found taken when somebody does. */
  #forgetHolders(): void {
    if (this.#holders.size <= 2 * this.#window) return;
    for (const [seq, { line, ticket }] of this.#holders) {
      if (this.#holders.size <= this.#window * 1.5) return;
      if (!line.isIdle) continue;
      this.#holders.delete(seq);
      line.drop(ticket);
    }
  }
}
