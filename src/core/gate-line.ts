/** The jobs of one key that wait at a gate, and the tickets and tokens that let them through. */
import type { Lane } from "./lane.js";
import type { KeyLimits, RateLimit } from "./queue.js";
import { TokenBucket } from "./token-bucket.js";

/** A job that waits: as much of it as a decision needs. */
export interface GateHead {
  /** Of its message: the order of waiting. */
  seq: number;
  /** Null: no limit of keys is for it. */
  key: string | null;
  /** Where it belongs by its priority. */
  lane: Lane;
}

/** A right to be in the queue. It is given back when its job has left both the gate and the queue. */
interface Ticket {
  /** The message that holds it, in WORK. Null: not known yet. */
  seq: number | null;
  hasLeftGate: boolean;
  hasLeftQueue: boolean;
}

/** Jobs of one key that are held in memory; the rest is read again when it is their turn. */
const HELD_OF_KEY = 64;

export class GateLine<H extends GateHead> {
  readonly id: string;
  readonly key: string | null;
  /** In the order of waiting. */
  readonly heads: H[] = [];
  /** Every waiting job of this key up to here was read and is, or was, among `heads`. */
  heldTo = 0;
  /** There are more behind `heldTo`, which were passed over. */
  hasMore = false;
  /** Counts the times that it was put in its place: what lies in a heap from before is out of date. */
  placed = 0;
  readonly #tickets = new Map<number, Ticket>();
  #bucket: TokenBucket | undefined;
  /** Passed, and nobody knows yet what became of them. */
  #inFlight = 0;

  constructor(id: string, key: string | null) {
    this.id = id;
    this.key = key;
  }

  /** How many jobs of it are worth holding. */
  mostHeld(limits: KeyLimits | undefined, window: number): number {
    if (this.key === null || limits === undefined) return window;
    return Math.min(window, Math.max(HELD_OF_KEY, 2 * (concurrencyOf(limits) ?? 0)));
  }

  /** Jobs of it that are on their way to the queue, or there. */
  get underWay(): number {
    return this.#tickets.size;
  }

  /** Keeps the bucket as it is, or makes or removes one. */
  limitTo(rate: RateLimit | undefined, emptySince: number, now: number): void {
    if (rate === undefined || this.key === null) this.#bucket = undefined;
    else if (this.#bucket === undefined) this.#bucket = new TokenBucket(rate, emptySince);
    else this.#bucket.change(rate, now);
  }

  /** Forgets what the bucket holds, for one that was empty since another time. */
  refill(rate: RateLimit, emptySince: number): void {
    if (this.#bucket !== undefined) this.#bucket = new TokenBucket(rate, emptySince);
  }

  /** Milliseconds until the first may pass; infinite: not by the passing of time. */
  untilNext(limits: KeyLimits | undefined, now: number): number {
    if (this.heads.length === 0) return Number.POSITIVE_INFINITY;
    const most = this.key === null || limits === undefined ? undefined : concurrencyOf(limits);
    if (most !== undefined && this.#tickets.size >= most) return Number.POSITIVE_INFINITY;
    return this.#bucket?.untilNext(now) ?? 0;
  }

  /** Lets the first pass. To be asked only when `untilNext` is 0. */
  pass(limits: KeyLimits | undefined, now: number): { head: H; ticket: number | null } {
    this.#bucket?.take(now);
    this.#inFlight++;
    const head = this.heads.shift() as H;
    if (this.key === null || limits === undefined || concurrencyOf(limits) === undefined)
      return { head, ticket: null };
    let ticket = 1;
    while (this.#tickets.has(ticket)) ticket++;
    this.#tickets.set(ticket, { seq: null, hasLeftGate: false, hasLeftQueue: false });
    return { head, ticket };
  }

  /** Its job is in the queue. */
  settle(now: number): void {
    this.#inFlight--;
    this.#bucket?.settle(now);
  }

  /** It was not put into the queue. */
  giveBack(now: number): void {
    this.#inFlight--;
    this.#bucket?.giveBack(now);
  }

  /** It waits again, where it was. */
  putBack(head: H): void {
    const place = this.heads.findIndex(({ seq }) => seq > head.seq);
    this.heads.splice(place < 0 ? this.heads.length : place, 0, head);
  }

  /** Its job is in the queue, as that message. */
  hold(ticket: number, seq: number): void {
    const held = this.#tickets.get(ticket);
    if (held !== undefined) held.seq = seq;
  }

  /** Another message has it, which never was at this gate, or has left it. */
  occupy(ticket: number, seq: number): void {
    this.#tickets.set(ticket, { seq, hasLeftGate: true, hasLeftQueue: false });
  }

  leave(ticket: number, what: "gate" | "queue"): void {
    const held = this.#tickets.get(ticket);
    if (held === undefined) return;
    if (what === "gate") held.hasLeftGate = true;
    else held.hasLeftQueue = true;
    if (held.hasLeftGate && held.hasLeftQueue) this.#tickets.delete(ticket);
  }

  drop(ticket: number): void {
    this.#tickets.delete(ticket);
  }

  /** Whether nothing of it waits, and nothing is on its way that would need it. */
  get isIdle(): boolean {
    if (this.heads.length > 0 || this.hasMore || this.#inFlight > 0) return false;
    for (const { hasLeftGate } of this.#tickets.values()) if (!hasLeftGate) return false;
    return true;
  }

  /** Whether one that is made anew would be the same, given that this one is idle. */
  isAsNew(now: number): boolean {
    return this.#tickets.size === 0 && (this.#bucket?.isFull(now) ?? true);
  }
}

/** Order is kept by letting the next one pass when the one before it is over. */
export function concurrencyOf({ concurrency, order }: KeyLimits): number | undefined {
  return order ? 1 : concurrency;
}
