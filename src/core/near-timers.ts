/** The timers of a shard that fall due soon, earliest first: all that is kept of them in memory. */
import { Heap } from "./heap.js";
import type { Instant } from "./schedule.js";
import type { Timer } from "./timer.js";

export class NearTimers {
  readonly #heap = new Heap<Timer>((a, b) => a.at < b.at || (a.at === b.at && a.seq < b.seq));
  /** Until they are done with: what is told of twice is there once. */
  readonly #known = new Set<number>();
  /**
   * Messages for one run at one time. They are one job, that was enqueued again after the server had forgotten its id:
   * the first that is not cancelled stands for all of them.
   */
  readonly #twins = new Map<string, Timer[]>();
  #until: Instant;

  /** @param until timers that fall due then or later are left where they are */
  constructor(until: Instant) {
    this.#until = until;
  }

  get until(): Instant {
    return this.#until;
  }

  /** From now on later ones are taken too; those that were left have to be told of again. */
  extend(until: Instant): void {
    this.#until = until;
  }

  /** Timers that are not done with. */
  get size(): number {
    return this.#known.size;
  }

  add(timer: Timer): void {
    if (this.#known.has(timer.seq) || timer.at >= this.#until) return;
    this.#known.add(timer.seq);
    const key = keyOf(timer);
    const twins = this.#twins.get(key);
    if (twins !== undefined) {
      twins.push(timer);
      return;
    }
    this.#twins.set(key, [timer]);
    this.#heap.push(timer);
  }

  /** When the next one falls due; null when there is none. */
  get nextTime(): Instant | null {
    return this.#heap.peek()?.at ?? null;
  }

  /** Takes out those that fall due by then, in order, at most so many. They stay known. */
  take(until: Instant, most: number): Timer[] {
    const taken: Timer[] = [];
    for (let next = this.#heap.peek(); next !== undefined; next = this.#heap.peek()) {
      if (next.at > until || taken.length >= most) break;
      taken.push(next);
      this.#heap.pop();
    }
    return taken;
  }

  /** Back in line: it could not be dealt with. */
  putBack(timer: Timer): void {
    this.#heap.push(timer);
  }

  /** Its job is queued, or was refused for good: so it is with its twins, who are given back. */
  settle(timer: Timer): Timer[] {
    const twins = this.#twins.get(keyOf(timer)) ?? [];
    this.#twins.delete(keyOf(timer));
    return twins.filter(({ seq }) => seq !== timer.seq);
  }

  /** It was cancelled: the next of its twins takes its place. */
  cancel(timer: Timer): void {
    const key = keyOf(timer);
    const twins = (this.#twins.get(key) ?? []).filter(({ seq }) => seq !== timer.seq);
    const [next] = twins;
    if (next === undefined) this.#twins.delete(key);
    else {
      this.#twins.set(key, twins);
      this.#heap.push(next);
    }
  }

  /** Its message is gone. */
  forget({ seq }: Timer): void {
    this.#known.delete(seq);
  }
}

const keyOf = ({ runId, at }: Timer): string => `${runId}@${at}`;
