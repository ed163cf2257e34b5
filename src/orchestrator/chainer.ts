/**
 * Sees to it that what is to follow upon the end of a run follows, once.
 *
 * All open records are known by a watch, in brief; those of the shards that are held here are looked after. What RUNS
 * tells is read as it comes, for as long as there is such a record, and a run of which there is news is looked at. Now
 * and then each is looked at in any case, as news may come before the record does, or get lost on the way. What there is
 * to do is read from the store each time, and done by `ChainWork`; the lease only keeps others from doing it too.
 */
import type { ChainChange, ChainStore } from "../core/chain-store.js";
import { messageOf } from "../core/errors.js";
import type { Clock, Subscription } from "../core/ports.js";
import type { Instant } from "../core/schedule.js";
import { shardOfChain } from "../protocol/chain-message.js";
import { limits } from "../protocol/limits.js";
import type { Logger } from "../runtime/log.js";
import { ChainWork, type ChainWorkPorts } from "./chain-work.js";
import { RunIndex, type RunIndexPorts } from "./run-index.js";

export interface ChainerPorts extends RunIndexPorts, Omit<ChainWorkPorts, "index"> {
  chains: ChainStore;
  clock: Clock;
  log: Logger;
}

const EVERY_MS = 100;
/** Records that are worked on at once. */
const AT_ONCE = 32;
/** Without news of its run, a record is looked at this often; so many at a time. */
const LOOK_AGAIN_MS = 15_000;
const LOOKS = 10;
const RETRY_MS = 1_000;
/** Runs that are remembered from the news. */
const MOST_RUNS = 20_000;

/** What is known of a record without reading it. */
interface Known {
  /** Null: of a group. */
  runId: string | null;
  completedAt: Instant | null;
  /** Not to be looked at before, on the monotonic clock. */
  nextLook: number;
  /** Whether to search for its run then, or only to look at the news. */
  isSearch: boolean;
  isBusy: boolean;
}

export class Chainer implements Subscription {
  readonly #ports: ChainerPorts;
  readonly #termOf: (shard: number) => number | null;
  readonly #index: RunIndex;
  readonly #work: ChainWork;
  readonly #known = new Map<string, Known>();
  /** Keys of the records that wait for a run. */
  readonly #byRun = new Map<string, Set<string>>();
  readonly #terms = new Map<number, number | null>();
  #readTo: number | null = null;
  #watch: Subscription | undefined;
  #cancelTimer: () => void = () => {};
  #busy = 0;
  #stopped = false;

  /** @param termOf the term in which a shard is held here and may be acted for; null: it is not, now */
  constructor(ports: ChainerPorts, termOf: (shard: number) => number | null) {
    this.#ports = ports;
    this.#termOf = termOf;
    this.#index = new RunIndex(ports, MOST_RUNS);
    this.#work = new ChainWork({ ...ports, index: this.#index });
  }

  async start(): Promise<this> {
    this.#watch = await this.#ports.chains.watch((change) => this.#note(change));
    this.#keepGoing();
    return this;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelTimer();
    await this.#watch?.stop();
  }

  #note({ key, record }: ChainChange): void {
    const before = this.#known.get(key);
    if (before?.runId != null) this.#forgetRun(before.runId, key);
    if (record === null) {
      this.#known.delete(key);
      return;
    }
    const runId = record.kind === "run" ? record.runId : null;
    const completedAt = record.kind === "group" ? record.completedAt : null;
    // It may be over already: news may come before the record does.
    this.#known.set(key, {
      runId,
      completedAt,
      nextLook: 0,
      isSearch: false,
      isBusy: before?.isBusy === true,
    });
    if (runId !== null) this.#byRun.set(runId, (this.#byRun.get(runId) ?? new Set()).add(key));
  }

  #forgetRun(runId: string, key: string): void {
    const keys = this.#byRun.get(runId);
    keys?.delete(key);
    if (keys?.size === 0) this.#byRun.delete(runId);
  }

  #keepGoing(): void {
    this.#cancelTimer = this.#ports.clock.after(EVERY_MS, async () => {
      try {
        await this.#pass();
      } catch (error) {
        this.#ports.log.debug({ error: messageOf(error) }, "chains could not be looked at: tried again");
      }
      if (!this.#stopped) this.#keepGoing();
    });
  }

  async #pass(): Promise<void> {
    const taken = this.#newlyHeld();
    for (const [key, known] of this.#known)
      if (taken.has(shardOfChain(key))) Object.assign(known, { nextLook: 0, isSearch: true });
    const hasRuns = [...this.#byRun.values()].some((keys) => [...keys].some((key) => this.#isMine(key)));
    if (hasRuns) await this.#readNews();
    else this.#readTo = null;
    const now = this.#ports.clock.monotonic();
    let looks = 0;
    for (const [key, known] of this.#known) {
      if (this.#stopped || this.#busy >= AT_ONCE) return;
      if (known.isBusy || known.nextLook > now || !this.#isMine(key) || this.#isKept(known)) continue;
      const { isSearch } = known;
      if (isSearch && ++looks > LOOKS) continue;
      Object.assign(known, { nextLook: now + LOOK_AGAIN_MS, isSearch: true });
      void this.#workOn(key, known, isSearch);
    }
  }

  /** Shards whose records are to be looked at anew: nobody knows what was done in between. */
  #newlyHeld(): Set<number> {
    const taken = new Set<number>();
    for (const key of this.#known.keys()) {
      const shard = shardOfChain(key);
      const term = this.#termOf(shard);
      if (term !== null && this.#terms.get(shard) !== term) taken.add(shard);
    }
    for (const shard of taken) this.#terms.set(shard, this.#termOf(shard));
    return taken;
  }

  #isMine(key: string): boolean {
    return this.#termOf(shardOfChain(key)) !== null;
  }

  /** A group that is completed can be asked for a while longer. */
  #isKept({ completedAt }: Known): boolean {
    return completedAt !== null && completedAt + limits.groupTtlMs > this.#ports.clock.now();
  }

  async #readNews(): Promise<void> {
    const { ids, last } = await this.#index.changes(this.#readTo);
    // What came before the first reading is found by the first look at each.
    this.#readTo = last;
    for (const id of ids)
      for (const key of this.#byRun.get(id) ?? []) {
        const known = this.#known.get(key);
        if (known !== undefined) Object.assign(known, { nextLook: 0, isSearch: false });
      }
  }

  async #workOn(key: string, known: Known, isSearch: boolean): Promise<void> {
    known.isBusy = true;
    this.#busy++;
    try {
      const term = this.#termOf(shardOfChain(key));
      const isOurs = () => !this.#stopped && this.#termOf(shardOfChain(key)) === term;
      await this.#work.run(key, isSearch, isOurs);
    } catch (error) {
      const now = this.#known.get(key);
      if (now !== undefined) now.nextLook = this.#ports.clock.monotonic() + RETRY_MS;
      const { log } = this.#ports;
      log.warn({ runId: known.runId, error: messageOf(error) }, "what follows waits: tried again");
    } finally {
      this.#busy--;
      known.isBusy = false;
      const now = this.#known.get(key);
      if (now !== undefined) now.isBusy = false;
    }
  }
}
