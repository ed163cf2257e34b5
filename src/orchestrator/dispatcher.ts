/** Publishes committed runs at their fire time: one queue by time, one timer, as fast as the server answers. */
import { Heap } from "../core/heap.js";
import type { Firing } from "../core/lease.js";
import type { Clock, PreparedMessage, PublishOutcome, WorkMessage, WorkStream } from "../core/ports.js";
import type { Instant } from "../core/schedule.js";

/** The term under which runs are published. */
export interface Publishing {
  /** False from the moment at which the lease can no longer be trusted. */
  mayPublish(): boolean;
  messageOf(firing: Firing): WorkMessage;
  onOutcome(firing: Firing, outcome: PublishOutcome): void;
}

interface Batch {
  owner: Publishing;
  firings: readonly Firing[];
  /** Made ready while there was time; by index. */
  prepared: readonly PreparedMessage[];
  next: number;
  /** When the next one is due. */
  time: Instant;
}

export class Dispatcher {
  readonly #work: WorkStream;
  readonly #clock: Clock;
  readonly #batches = new Heap<Batch>((a, b) => a.time < b.time);
  #cancelTimer: (() => void) | undefined;
  #pumping = false;

  constructor(work: WorkStream, clock: Clock) {
    this.#work = work;
    this.#clock = clock;
  }

  /** @param firings in the order of their slots */
  add(owner: Publishing, firings: readonly Firing[]): void {
    const first = firings[0];
    if (first === undefined) return;
    // What can be done before the fire time is done now: then only the sending is left.
    const isEarly = first.slot > this.#clock.now();
    const prepared = isEarly ? firings.map((firing) => this.#work.prepare(owner.messageOf(firing))) : [];
    this.#batches.push({ owner, firings, prepared, next: 0, time: first.slot });
    this.#wake();
  }

  /** Publishes one again after a while. */
  addLater(owner: Publishing, firing: Firing, delayMs: number): void {
    this.#batches.push({
      owner,
      firings: [firing],
      prepared: [],
      next: 0,
      time: this.#clock.now() + delayMs,
    });
    this.#wake();
  }

  stop(): void {
    this.#cancelTimer?.();
    while (this.#batches.pop() !== undefined);
  }

  #wake(): void {
    if (this.#pumping) return;
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    const top = this.#batches.peek();
    if (top === undefined) return;
    const wait = top.time - this.#clock.now();
    if (wait > 0) this.#cancelTimer = this.#clock.after(wait, () => this.#wake());
    else void this.#pump();
  }

  async #pump(): Promise<void> {
    this.#pumping = true;
    for (let top = this.#due(); top !== undefined; top = this.#due()) {
      const room = this.#work.ready();
      if (room !== undefined) await room;
      else this.#publishNext(top);
    }
    this.#pumping = false;
    this.#wake();
  }

  #due(): Batch | undefined {
    const top = this.#batches.peek();
    return top !== undefined && top.time <= this.#clock.now() ? top : undefined;
  }

  #publishNext(batch: Batch): void {
    const { owner } = batch;
    if (!owner.mayPublish()) {
      this.#batches.pop();
      return;
    }
    const index = batch.next++;
    const firing = batch.firings[index] as Firing;
    const following = batch.firings[batch.next];
    if (following === undefined) this.#batches.pop();
    else if (following.slot > batch.time) {
      batch.time = following.slot;
      this.#batches.replace(batch);
    }
    const message = batch.prepared[index] ?? this.#work.prepare(owner.messageOf(firing));
    void message.send().then((outcome) => owner.onOutcome(firing, outcome));
  }
}
