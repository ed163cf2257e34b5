/** One shard as one orchestrator sees it: watched from outside, tried for when free, held for a term. */
import { emptyLease, type LeaseRecord, takeOver } from "../core/lease.js";
import type { LeaseHint, ScheduleStore, Versioned } from "../core/ports.js";
import { runIdOf } from "../protocol/names.js";
import { shouldTry } from "./candidacy.js";
import { Inherited } from "./inherited.js";
import type { Peers } from "./members.js";
import { type ShardTimerPorts, ShardTimers } from "./shard-timers.js";
import type { InWork } from "./slot-records.js";
import { Term, type TermEnd, type TermPorts } from "./term.js";

export interface ShardPorts extends TermPorts, ShardTimerPorts {
  self: string;
  schedules: ScheduleStore;
  peers: Peers;
}

/** Between tries. */
const RETRY_MS = 100;
/** A term that ends in doubt this soon was not worth its haste. */
const HASTY_MS = 1_000;
/** A view that is behind for this long is helped along. */
const VIEW_PATIENCE_MS = 1_000;

export class Shard {
  readonly #ports: ShardPorts;
  readonly #number: number;
  readonly #inWork: InWork;
  #seen: { revision: number; holder: string | null; at: number };
  #term: Term | undefined;
  #trying: Promise<void> | undefined;
  #stopped = false;

  /** @param inWork what is known from earlier connections */
  constructor(ports: ShardPorts, number: number, inWork: InWork) {
    this.#ports = ports;
    this.#number = number;
    this.#inWork = inWork;
    this.#seen = { revision: 0, holder: null, at: ports.clock.monotonic() };
  }

  get number(): number {
    return this.#number;
  }

  get isHeld(): boolean {
    return this.#term !== undefined;
  }

  /** Who holds it as far as is known; null: nobody. */
  get holder(): string | null {
    return this.#seen.holder;
  }

  /** The term in which things may be done that only the holder should do; null: not now. */
  get actingTerm(): number | null {
    return this.#term?.mayAct === true ? this.#term.term : null;
  }

  /** A hint from the watch. */
  onLease({ holder, revision }: LeaseHint): void {
    if (revision <= this.#seen.revision) return;
    this.#seen = { revision, holder, at: this.#ports.clock.monotonic() };
    this.consider();
  }

  /** Tries for the shard if it is time to. */
  consider(): void {
    const { self, clock, peers, settings } = this.#ports;
    if (this.#stopped || this.#trying !== undefined) return;
    const candidacy = {
      self,
      shard: this.#number,
      holder: this.#seen.holder,
      unchangedMs: clock.monotonic() - this.#seen.at,
      leaseDurationMs: settings.leaseDuration,
      live: peers.live(),
      isGone: (id: string) => peers.isGone(id),
    };
    if (shouldTry(candidacy)) this.#begin();
  }

  /** Gives the shard to whoever should have it; nothing when it is not held. */
  release(): void {
    this.#term?.release();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#term?.release();
    await this.#trying;
  }

  #begin(): void {
    this.#trying = this.#holdForAWhile()
      .catch((error) => {
        this.#ports.log.warn(
          { shard: this.#number, error: (error as Error).message },
          "could not take the shard",
        );
      })
      .finally(() => {
        this.#ports.clock.after(RETRY_MS, () => {
          this.#trying = undefined;
          this.consider();
        });
      });
  }

  /** Takes the shard and holds it, through doubts, until it is released or lost. */
  async #holdForAWhile(): Promise<void> {
    const { clock } = this.#ports;
    const basis = this.#seen.revision;
    while (!this.#stopped) {
      const begunAt = clock.monotonic();
      const end = await this.#oneTerm(basis);
      if (end?.kind !== "doubt") return;
      // One doubt is answered at once, a row of them slowly.
      if (clock.monotonic() - begunAt < HASTY_MS)
        await new Promise<void>((resolve) => clock.after(RETRY_MS, resolve));
    }
  }

  /**
   * Null when somebody else has it.
   *
   * @param basis the revision by which the shard was found to be free
   */
  async #oneTerm(basis: number): Promise<TermEnd | null> {
    const { clock, leases, self, log, telemetry } = this.#ports;
    const lease = await leases.read(this.#number);
    if (lease !== null && !this.#isStillFree(lease, basis)) return null;
    const record = lease?.value ?? emptyLease(clock.now());
    await this.#reach(record.view);
    const inherited = await Inherited.of(
      record,
      this.#ports.definitions,
      this.#ports.schedules,
      this.#number,
    );
    const startedAt = clock.monotonic();
    const taken = takeOver(record, self, this.#ports.newNonce());
    const outcome = await leases.write(this.#number, taken, lease?.revision ?? 0);
    if (outcome.kind === "unknown") return { kind: "doubt", reason: outcome.error.message };
    if (outcome.kind === "lost") return null;
    this.#term = new Term(this.#ports, this.#number, {
      lease: { value: taken, revision: outcome.revision },
      startedAt,
      inWork: this.#knownOf(record),
    });
    // Asked to stop while the lease was being taken: nobody has told this term.
    if (this.#stopped) this.#term.release();
    telemetry.termBegan(record.holder === null || record.holder === self ? "free" : "taken over");
    log.debug({ shard: this.#number, term: taken.term, inherited: record.firing.length }, "took a shard");
    const end = await this.#run(this.#term, inherited);
    this.#term = undefined;
    telemetry.termEnded(end.kind);
    if (end.kind === "doubt") log.warn({ shard: this.#number, reason: end.reason }, "a term ended in doubt");
    return end;
  }

  async #run(term: Term, inherited: Inherited): Promise<TermEnd> {
    const timers = new ShardTimers(this.#ports, this.#number, () => term.mayPublish());
    void timers.run();
    try {
      return await term.run(inherited);
    } finally {
      timers.stop();
    }
  }

  /** What we know to be in WORK of what the record has not dropped; that of other times is of no use any more. */
  #knownOf({ firing }: LeaseRecord): InWork {
    const carried = new Set(firing.map(({ scheduleId, slot }) => runIdOf(scheduleId, slot)));
    for (const runId of this.#inWork.keys()) if (!carried.has(runId)) this.#inWork.delete(runId);
    return this.#inWork;
  }

  /**
   * What the leader says counts: the watch may have been behind when the shard was found to be free, as it is after
   * a pause of this process, and may have caught up since.
   */
  #isStillFree({ value, revision }: Versioned<LeaseRecord>, basis: number): boolean {
    if (value.holder === null || value.holder === this.#ports.self) return true;
    if (revision <= basis) return true;
    if (revision > this.#seen.revision)
      this.#seen = { revision, holder: value.holder, at: this.#ports.clock.monotonic() };
    return false;
  }

  /** A successor may decide nothing before it knows all that the record's decisions were made from. */
  async #reach(view: number): Promise<void> {
    const { definitions, schedules, clock } = this.#ports;
    while (definitions.view < view) {
      const patience = new Promise<void>((resolve) => clock.after(VIEW_PATIENCE_MS, resolve));
      await Promise.race([definitions.reached(view), patience]);
      // The store may have lost its newest definitions with a power failure, and its sequence with them.
      if (definitions.view < view) await schedules.touch();
    }
  }
}
