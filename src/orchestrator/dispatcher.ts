/** Publishes what falls due at its time: one queue by time, one timer, as fast as the server answers. */
import { Heap } from "../core/heap.js";
import type { Firing } from "../core/lease.js";
import type { Clock, PreparedMessage, PublishOutcome, WorkStream } from "../core/ports.js";
import type { Instant } from "../core/schedule.js";

/** Something to be published at its time. */
export interface Due {
  slot: Instant;
  catchUp?: true | undefined;
}

/** The term under which runs, or other things that fall due, are published. */
export interface Publishing<Item extends Due = Firing> {
  /** False from the moment at which the lease can no longer be trusted. */
  mayPublish(): boolean;
  /** Whether a run that is due is to be published now; if not, its owner has dealt with it. */
  admits(item: Item): boolean;
  /** Called while there is time, if there is. */
  prepare(item: Item): PreparedMessage;
  /** How long after its slot a run that is added is to be published; asked once. */
  restOf(item: Item): number;
  onOutcome(item: Item, outcome: PublishOutcome): void;
}

interface Batch {
  owner: Publishing<Due>;
  items: readonly Due[];
  /** Made ready while there was time; by index. */
  prepared: readonly PreparedMessage[];
  next: number;
  /** When the next one is due. */
  time: Instant;
}

/** The wall clock may be set while we wait for it. */
const LOOK_MS = 1_000;

const timeOf = (heap: Heap<Batch>): Instant => heap.peek()?.time ?? Number.POSITIVE_INFINITY;

export class Dispatcher {
  readonly #work: Pick<WorkStream, "ready">;
  readonly #clock: Clock;
  readonly #live = new Heap<Batch>((a, b) => a.time < b.time);
  /** What is caught up with goes after what is due now. */
  readonly #late = new Heap<Batch>((a, b) => a.time < b.time);
  #cancelTimer: (() => void) | undefined;
  #pumping = false;

  constructor(work: Pick<WorkStream, "ready">, clock: Clock) {
    this.#work = work;
    this.#clock = clock;
  }

  /** @param items in the order of their slots */
  add<Item extends Due>(owner: Publishing<Item>, items: readonly Item[]): void {
    const live: Item[] = [];
    const late: Item[] = [];
    for (const item of items) {
      const delayMs = owner.restOf(item);
      if (delayMs > 0) this.#addOne(owner, item, item.slot + delayMs);
      else if (item.catchUp === true) late.push(item);
      else live.push(item);
    }
    this.#add(this.#live, owner, live);
    this.#add(this.#late, owner, late);
    this.#wake();
  }

  #add<Item extends Due>(heap: Heap<Batch>, owner: Publishing<Item>, items: readonly Item[]): void {
    const first = items[0];
    if (first === undefined) return;
    // What can be done before the fire time is done now: then only the sending is left.
    const isEarly = first.slot > this.#clock.now();
    const prepared = isEarly ? items.map((item) => owner.prepare(item)) : [];
    heap.push(batchOf({ owner, items, prepared, next: 0, time: first.slot }));
  }

  /** Publishes one again after a while. */
  addLater<Item extends Due>(owner: Publishing<Item>, item: Item, delayMs: number): void {
    this.#addOne(owner, item, this.#clock.now() + delayMs);
    this.#wake();
  }

  #addOne<Item extends Due>(owner: Publishing<Item>, item: Item, time: Instant): void {
    const heap = item.catchUp === true ? this.#late : this.#live;
    heap.push(batchOf({ owner, items: [item], prepared: [], next: 0, time }));
  }

  stop(): void {
    this.#cancelTimer?.();
    while (this.#live.pop() !== undefined);
    while (this.#late.pop() !== undefined);
  }

  #wake(): void {
    if (this.#pumping) return;
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    const next = Math.min(timeOf(this.#live), timeOf(this.#late));
    if (next === Number.POSITIVE_INFINITY) return;
    const wait = Math.min(next - this.#clock.now(), LOOK_MS);
    if (wait > 0) this.#cancelTimer = this.#clock.after(wait, () => this.#wake());
    else void this.#pump();
  }

  async #pump(): Promise<void> {
    this.#pumping = true;
    for (let heap = this.#due(); heap !== undefined; heap = this.#due()) {
      const room = this.#work.ready();
      if (room !== undefined) await room;
      else this.#publishNext(heap);
    }
    this.#pumping = false;
    this.#wake();
  }

  #due(): Heap<Batch> | undefined {
    const now = this.#clock.now();
    if (timeOf(this.#live) <= now) return this.#live;
    return timeOf(this.#late) <= now ? this.#late : undefined;
  }

  #publishNext(heap: Heap<Batch>): void {
    const batch = heap.peek() as Batch;
    const { owner } = batch;
    if (!owner.mayPublish()) {
      heap.pop();
      return;
    }
    const index = batch.next++;
    const item = batch.items[index] as Due;
    const following = batch.items[batch.next];
    if (following === undefined) heap.pop();
    else if (following.slot > batch.time) {
      batch.time = following.slot;
      heap.replace(batch);
    }
    if (!owner.admits(item)) return;
    const message = batch.prepared[index] ?? owner.prepare(item);
    void message.send().then((outcome) => owner.onOutcome(item, outcome));
  }
}

/** An owner is asked of nothing but the items it has added. */
function batchOf<Item extends Due>(
  batch: { owner: Publishing<Item>; items: readonly Item[] } & Omit<Batch, "owner" | "items">,
): Batch {
  return batch as unknown as Batch;
}
