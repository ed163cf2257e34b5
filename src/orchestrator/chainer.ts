/**
 * Sees to it that what is to follow upon the end of a run follows, once.
 *
 * All open records are known by a watch, in brief, and by asking for them now and then; those of the shards that are
 * held here are looked after. What RUNS tells is read as it comes, for as long as there is such a record, and a run of
 * which there is news is looked at. Now and then each is looked at in any case, as news may come before the record does,
 * or get lost on the way. What there is to do is read from the store each time, and done by `ChainWork`; the lease only
 * keeps others from doing it too.
 */
import type { ChainChange, ChainStore } from "../core/chain-store.js";
import { messageOf } from "../core/errors.js";
import { SKEW_MS } from "../core/instant.js";
import type { Clock, Subscription } from "../core/ports.js";
import { shardOfChain } from "../protocol/chain-message.js";
import { limits } from "../protocol/limits.js";
import type { Logger } from "../runtime/log.js";
import { ChainWork, type ChainWorkPorts, type Looked } from "./chain-work.js";
import { type OpenChain, OpenChains } from "./open-chains.js";
import { Recollection, type RecollectionPorts } from "./recollection.js";
import { RollCall } from "./roll-call.js";
import { RunIndex, type RunIndexPorts } from "./run-index.js";

export interface ChainerPorts extends RunIndexPorts, RecollectionPorts, Omit<ChainWorkPorts, "index"> {
  chains: ChainStore;
  clock: Clock;
  log: Logger;
}

export interface ChainerOptions {
  /** Runs that are remembered from the news, beside those that are waited for. Default 20,000. */
  mostRuns?: number;
}

const EVERY_MS = 100;
/** Records that are worked on at once. */
const AT_ONCE = 32;
/** Without news of its run, a record is looked at after this, and then less and less often; so many at a time. */
const LOOK_AGAIN_MS = 15_000;
const LOOK_AT_LEAST_EVERY_MS = 240_000;
const LOOK_FOR_ABANDONED_EVERY_MS = 24 * 3_600_000;
const LOOKS = 10;
const ROLL_CALL_EVERY_MS = 300_000;
const ROLL_CALL_AGAIN_MS = 30_000;
const RETRY_MS = 1_000;
const MOST_RUNS = 20_000;

export class Chainer implements Subscription {
  readonly #ports: ChainerPorts;
  readonly #termOf: (shard: number) => number | null;
  readonly #open = new OpenChains(LOOK_AGAIN_MS);
  readonly #index: RunIndex;
  readonly #work: ChainWork;
  readonly #recollection: Recollection;
  readonly #rollCall: RollCall;
  readonly #toCall = new Set<number>();
  readonly #terms = new Map<number, number | null>();
  /** Queues with runs of which nothing is known, though they were searched for. */
  readonly #forgotten = new Map<string, Set<OpenChain>>();
  #readTo: number | null = null;
  #watch: Subscription | undefined;
  #cancelTimer: () => void = () => {};
  #busy = 0;
  #isRecalling = false;
  #isCalling = false;
  #nextRollCall = 0;
  #stopped = false;

  /** @param termOf the term in which a shard is held here and may be acted for; null: it is not, now */
  constructor(
    ports: ChainerPorts,
    termOf: (shard: number) => number | null,
    { mostRuns = MOST_RUNS }: ChainerOptions = {},
  ) {
    this.#ports = ports;
    this.#termOf = termOf;
    this.#index = new RunIndex(ports, mostRuns, (runId) => this.#open.isAwaited(runId));
    this.#work = new ChainWork({ ...ports, index: this.#index });
    this.#rollCall = new RollCall(ports.chains, this.#open);
    this.#recollection = new Recollection(ports);
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

  #note(change: ChainChange): void {
    this.#open.note(change);
    if (change.record === null) this.#work.forget(change.key);
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
    void this.#callRoll(taken);
    for (const one of taken.size > 0 ? this.#open : [])
      if (taken.has(shardOfChain(one.key)))
        Object.assign(one, { nextLook: 0, isSearch: true, isRecalled: false, patienceMs: LOOK_AGAIN_MS });
    if (this.#hasRuns()) await this.#readNews();
    else this.#readTo = null;
    void this.#recall();
    const now = this.#ports.clock.monotonic();
    let searches = 0;
    for (const one of this.#open) {
      if (this.#stopped || this.#busy >= AT_ONCE) return;
      if (one.isBusy || one.nextLook > now || !this.#isMine(one) || this.#isKept(one)) continue;
      const { isSearch } = one;
      if (isSearch && one.isUndecided && ++searches > LOOKS) continue;
      one.nextLook = now + one.patienceMs;
      one.isSearch = true;
      this.#open.putLast(one);
      void this.#workOn(one, isSearch);
    }
  }

  /** Shards whose records are to be looked at anew: nobody knows what was done in between. */
  #newlyHeld(): Set<number> {
    const taken = new Set<number>();
    for (let shard = 0; shard < this.#ports.shards; shard++) {
      const term = this.#termOf(shard);
      if (term === null || this.#terms.get(shard) === term) continue;
      taken.add(shard);
      this.#terms.set(shard, term);
    }
    return taken;
  }

  /** Of shards that were taken over, and now and then of all. */
  async #callRoll(taken: ReadonlySet<number>): Promise<void> {
    const now = this.#ports.clock.monotonic();
    for (const shard of taken) this.#toCall.add(shard);
    if (now >= this.#nextRollCall) {
      this.#nextRollCall = now + ROLL_CALL_EVERY_MS;
      for (const [shard, term] of this.#terms) if (this.#termOf(shard) === term) this.#toCall.add(shard);
    }
    // Who lost the server has taken its shards again before its watch goes on.
    if (taken.size > 0) this.#nextRollCall = Math.min(this.#nextRollCall, now + ROLL_CALL_AGAIN_MS);
    if (this.#isCalling) return;
    this.#isCalling = true;
    try {
      for (const shard of this.#toCall) {
        await this.#rollCall.of(shard);
        this.#toCall.delete(shard);
      }
    } catch (error) {
      this.#ports.log.debug({ error: messageOf(error) }, "chains could not be listed: tried again");
    } finally {
      this.#isCalling = false;
    }
  }

  #hasRuns(): boolean {
    for (const one of this.#open) if (one.runId !== null && this.#isMine(one)) return true;
    return false;
  }

  #isMine({ key }: OpenChain): boolean {
    return this.#termOf(shardOfChain(key)) !== null;
  }

  /** A group that is completed can be asked for a while longer. */
  #isKept({ completedAt }: OpenChain): boolean {
    return completedAt !== null && completedAt + limits.groupTtlMs > this.#ports.clock.now();
  }

  /** So old that RUNS may not tell of its run any more. */
  #isForgotten({ storedAt }: OpenChain): boolean {
    return this.#ports.clock.now() - storedAt > limits.runsMaxAgeMs;
  }

  async #readNews(): Promise<void> {
    const { ids, last } = await this.#index.changes(this.#readTo);
    // What came before the first reading is found by the first look at each.
    this.#readTo = last;
    for (const id of ids)
      for (const one of this.#open.of(id))
        Object.assign(one, { nextLook: 0, isSearch: false, patienceMs: LOOK_AGAIN_MS });
  }

  async #workOn(one: OpenChain, isSearch: boolean): Promise<void> {
    const { key, runId } = one;
    one.isBusy = true;
    this.#busy++;
    try {
      const term = this.#termOf(shardOfChain(key));
      const isOurs = () => !this.#stopped && this.#termOf(shardOfChain(key)) === term;
      const looked = await this.#work.run(key, isSearch, isOurs);
      this.#onLooked(one, isSearch, looked);
      if (looked === "untold" && one.isRecalled && this.#isForgotten(one))
        if (!(await this.#work.discard(key, isOurs)))
          this.#open.lookAgain(key, this.#ports.clock.monotonic() + LOOK_FOR_ABANDONED_EVERY_MS);
    } catch (error) {
      this.#open.lookAgain(key, this.#ports.clock.monotonic() + RETRY_MS);
      const { log } = this.#ports;
      log.warn({ runId, error: messageOf(error) }, "what follows waits: tried again");
    } finally {
      this.#busy--;
      this.#open.setBusy(key, false);
    }
  }

  #onLooked(one: OpenChain, isSearch: boolean, looked: Looked): void {
    // The watch may have been cut when it went.
    if (looked === "none") this.#open.drop(one);
    if (!isSearch || !this.#open.has(one)) return;
    if (looked === "untold" && !one.isRecalled) {
      one.isRecalled = true;
      this.#forgotten.set(one.queue, (this.#forgotten.get(one.queue) ?? new Set()).add(one));
    }
    // Seen to be gone, it is soon looked at once more.
    one.patienceMs = looked === "gone" ? LOOK_AGAIN_MS : Math.min(one.patienceMs * 2, LOOK_AT_LEAST_EVERY_MS);
  }

  /** One queue at a time: it may be much to read. */
  async #recall(): Promise<void> {
    const [first] = this.#forgotten;
    if (first === undefined || this.#isRecalling) return;
    const [queue, chains] = first;
    this.#forgotten.delete(queue);
    this.#isRecalling = true;
    try {
      const runIds = new Set([...chains].flatMap(({ runId }) => (runId === null ? [] : [runId])));
      const since = Math.min(...[...chains].map(({ storedAt }) => storedAt)) - SKEW_MS;
      await this.#index.learn(await this.#recollection.of({ queue, runIds, since }));
      for (const { key } of chains) this.#open.lookAgain(key, 0);
    } catch (error) {
      for (const one of chains) one.isRecalled = false;
      this.#ports.log.debug({ queue, error: messageOf(error) }, "RUNS could not be searched: tried again");
    } finally {
      this.#isRecalling = false;
    }
  }
}
