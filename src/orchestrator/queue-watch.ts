/** What rules need to know of queues: what waits in them, and what became dead letters lately. */
import type { DeadLetterStore } from "../core/dead-letter-store.js";
import type { QueueFigures, ServerFigures } from "../core/figures.js";
import { isGoverned } from "../core/gate.js";
import type { GateStore } from "../core/gate-store.js";
import { CLOCKS_DIFFER_MS } from "../core/instant.js";
import type { Clock } from "../core/ports.js";
import type { QueueStore } from "../core/queue.js";
import type { Instant } from "../core/schedule.js";
import { limits } from "../protocol/limits.js";
import type { Names } from "../protocol/names.js";

export interface QueueWatchPorts {
  figures: ServerFigures;
  gates: Pick<GateStore, "count">;
  queues: Pick<QueueStore, "list">;
  letters: DeadLetterStore;
  names: Names;
  clock: Clock;
}

export interface Depth {
  waiting: number;
  oldestAgeMs: number | null;
}

/** A pass goes on without the newest counts: there are other rules. */
const PATIENCE_MS = 1_000;
/** Of the letters that were there before the first look, the newest. */
const LOOK_BACK = 50_000;

export class QueueWatch {
  readonly #ports: QueueWatchPorts;
  /** By queue, the oldest first. */
  readonly #deaths = new Map<string, Instant[]>();
  #depths: ReadonlyMap<string, Depth> | undefined;
  #counting: Promise<ReadonlyMap<string, Depth>> | undefined;
  /** The next letter has this id, or a later one. */
  #next: number | undefined;

  constructor(ports: QueueWatchPorts) {
    this.#ports = ports;
  }

  deathsOf(queue: string): readonly Instant[] {
    return this.#deaths.get(queue) ?? [];
  }

  get dying(): Iterable<string> {
    return this.#deaths.keys();
  }

  /** As they were counted last; undefined: they never were. */
  get lastDepths(): ReadonlyMap<string, Depth> | undefined {
    return this.#depths;
  }

  /** Reads all letters anew: more of the past counts than before. */
  rewind(): void {
    this.#deaths.clear();
    this.#next = undefined;
  }

  /** Every queue that can be worked. Where the server takes long to count, as it was when it last had. */
  async depths(): Promise<ReadonlyMap<string, Depth>> {
    this.#counting ??= this.#count().finally(() => {
      this.#counting = undefined;
    });
    const counting = this.#counting;
    // What fails when nobody waits any more is tried again in the next pass.
    counting.catch(() => {});
    if (this.#depths === undefined) return counting;
    const enough = new Promise<void>((resolve) => this.#ports.clock.after(PATIENCE_MS, resolve));
    await Promise.race([counting, enough]);
    return this.#depths;
  }

  async #count(): Promise<ReadonlyMap<string, Depth>> {
    const { figures, gates, queues } = this.#ports;
    const depths = new Map<string, Depth>();
    for (const figure of await figures.queues()) add(depths, figure);
    for (const { queue, settings } of await queues.list()) {
      if (!isGoverned(settings)) continue;
      const { waiting, oldestAgeMs } = depths.get(queue) ?? { waiting: 0, oldestAgeMs: null };
      depths.set(queue, { waiting: waiting + (await gates.count(queue)), oldestAgeMs });
    }
    this.#depths = depths;
    return depths;
  }

  /** Reads the dead letters that are new. @param withinMs no rule looks back further */
  async readDeaths(withinMs: number): Promise<void> {
    const { letters, clock, names } = this.#ports;
    const { first, next } = await letters.bounds();
    // A stream that was made anew begins anew.
    if (this.#next !== undefined && this.#next > next) this.rewind();
    const range = { from: Math.max(first, this.#next ?? next - LOOK_BACK), before: next };
    const prefix = names.deadLetter("").length;
    const found: { queue: string; at: Instant }[] = [];
    await letters.scan(range, ({ subject, storedAt }) => {
      found.push({ queue: subject.slice(prefix), at: storedAt });
      return true;
    });
    // Together: where a scan breaks off, it is read again.
    this.#next = next;
    for (const { queue, at } of found) {
      const deaths = this.#deaths.get(queue);
      if (deaths === undefined) this.#deaths.set(queue, [at]);
      else deaths.push(at);
    }
    this.#forget(clock.now() - withinMs - CLOCKS_DIFFER_MS);
  }

  /** What is too old, and of each queue more than any rule counts. */
  #forget(before: Instant): void {
    for (const [queue, deaths] of this.#deaths) {
      const kept = deaths.filter((at) => at > before).slice(-limits.alertDeaths - 1);
      if (kept.length === 0) this.#deaths.delete(queue);
      else this.#deaths.set(queue, kept);
    }
  }
}

function add(depths: Map<string, Depth>, { queue, waiting, oldestAgeMs }: QueueFigures): void {
  const known = depths.get(queue) ?? { waiting: 0, oldestAgeMs: null };
  const ages = [known.oldestAgeMs, oldestAgeMs].filter((age) => age !== null);
  depths.set(queue, {
    waiting: known.waiting + waiting,
    oldestAgeMs: ages.length === 0 ? null : Math.max(...ages),
  });
}
