/** The records of chains and groups in brief, by what a watch tells: which there are, and when to look at each. */
import type { ChainChange } from "../core/chain-store.js";
import type { Instant } from "../core/schedule.js";

export interface OpenChain {
  key: string;
  /** Null: of a group. */
  runId: string | null;
  queue: string;
  /** Of a run whose end is not known yet. */
  isUndecided: boolean;
  completedAt: Instant | null;
  storedAt: Instant;
  /** Not to be looked at before, on the monotonic clock. */
  nextLook: number;
  /** From one look without news to the next. */
  patienceMs: number;
  /** Whether to search for its run then, or only to look at the news. */
  isSearch: boolean;
  isBusy: boolean;
  /** Whether RUNS has been searched for what it told long ago. */
  isRecalled: boolean;
}

export class OpenChains {
  readonly #patienceMs: number;
  readonly #byKey = new Map<string, OpenChain>();
  /** Those that wait for a run. */
  readonly #byRun = new Map<string, Set<OpenChain>>();

  /** @param patienceMs from the first look to the second */
  constructor(patienceMs: number) {
    this.#patienceMs = patienceMs;
  }

  /** Those that were looked at longest ago come first. */
  [Symbol.iterator](): IterableIterator<OpenChain> {
    return this.#byKey.values();
  }

  get runIds(): Iterable<string> {
    return this.#byRun.keys();
  }

  has(one: OpenChain): boolean {
    return this.#byKey.get(one.key) === one;
  }

  hasKey(key: string): boolean {
    return this.#byKey.has(key);
  }

  isAwaited(runId: string): boolean {
    return this.#byRun.has(runId);
  }

  of(runId: string): Iterable<OpenChain> {
    return this.#byRun.get(runId) ?? [];
  }

  note({ key, record, storedAt }: ChainChange): void {
    const before = this.#byKey.get(key);
    if (before !== undefined) this.drop(before);
    if (record === null) return;
    const isRun = record.kind === "run";
    const one: OpenChain = {
      ...{ key, storedAt, patienceMs: this.#patienceMs },
      runId: isRun ? record.runId : null,
      queue: isRun ? record.queue : "",
      isUndecided: isRun && record.decided === null,
      completedAt: isRun ? null : record.completedAt,
      // It may be over already: news may come before the record does.
      nextLook: 0,
      isSearch: false,
      isBusy: before?.isBusy === true,
      isRecalled: false,
    };
    this.#byKey.set(key, one);
    if (isRun) this.#byRun.set(record.runId, (this.#byRun.get(record.runId) ?? new Set()).add(one));
  }

  drop(one: OpenChain): void {
    if (!this.has(one)) return;
    this.#byKey.delete(one.key);
    const others = this.#byRun.get(one.runId ?? "");
    others?.delete(one);
    if (others?.size === 0) this.#byRun.delete(one.runId ?? "");
  }

  /** The others come first from now on. */
  putLast(one: OpenChain): void {
    if (this.#byKey.delete(one.key)) this.#byKey.set(one.key, one);
  }

  /** It is worked on, or is not any more; a change that came meanwhile counts as the same record. */
  setBusy(key: string, isBusy: boolean): void {
    const one = this.#byKey.get(key);
    if (one !== undefined) one.isBusy = isBusy;
  }

  /** Tried again after a while, if it is still there. */
  lookAgain(key: string, at: number): void {
    const one = this.#byKey.get(key);
    if (one !== undefined) one.nextLook = at;
  }
}
