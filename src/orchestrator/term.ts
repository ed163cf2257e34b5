/**
 * One term: a holder's time with a shard.
 *
 * A term begins with a record that was written by compare-and-swap under a new term number, settles what it
 * inherited, and then ticks. A tick plans what is due a little ahead, commits the plan in one write that also
 * renews the lease, and hands the committed runs to the dispatcher. The term ends when it is told to release,
 * when a write is lost to another holder, or with a doubt; it never continues after one.
 *
 *   trusted until = start of the last successful write + lease duration − margin, on the monotonic clock
 *
 * That limit only decides how soon we stop trying. Safety rests on the writes alone.
 */
import { Agenda } from "../core/agenda.js";
import { commitTo, type Firing, type LeaseRecord, type Report, release } from "../core/lease.js";
import type { CasOutcome, Clock, LeaseStore, PublishOutcome, Versioned, WorkMessage } from "../core/ports.js";
import { limits } from "../protocol/limits.js";
import type { Logger } from "../runtime/log.js";
import { Alarm } from "./alarm.js";
import type { Change, Definition, Definitions } from "./definitions.js";
import type { Dispatcher, Publishing } from "./dispatcher.js";
import { Doubt } from "./doubt.js";
import type { InFlight, Inherited } from "./inherited.js";
import type { OrchestratorSettings } from "./options.js";
import { Reports } from "./reports.js";
import { readTaken, type SettlePorts } from "./settle.js";

export interface TermPorts extends SettlePorts {
  clock: Clock;
  leases: LeaseStore;
  definitions: Definitions;
  dispatcher: Dispatcher;
  settings: OrchestratorSettings;
  log: Logger;
  newNonce(): string;
}

export type TermEnd = { kind: "released" | "lost" } | { kind: "doubt"; reason: string };

/** What is not published by then is left to the successor. */
const RELEASE_WITHIN_MS = 1_000;
const FULL_RETRY_MS = 250;
const RUNS_REFRESH_MS = 10_000;
const SLOTS_PER_PLAN = 20_000;

export class Term implements Publishing {
  readonly #ports: TermPorts;
  readonly #shard: number;
  readonly #agenda = new Agenda();
  readonly #definitions = new Map<string, Definition>();
  readonly #changes: Change[] = [];
  readonly #inFlight = new Map<Firing, InFlight>();
  readonly #reports: Reports;
  readonly #alarm: Alarm;
  #record: LeaseRecord;
  #revision: number;
  #trustedUntil: number;
  #renewedAt: number;
  #runsFrom = 0;
  #runsReadAt = Number.NEGATIVE_INFINITY;
  #doubt: string | undefined;
  #releaseBy: number | undefined;
  #renewal: Promise<void> | undefined;
  #ended = false;

  /** @param startedAt monotonic time at which the write of `lease` was begun */
  constructor(ports: TermPorts, shard: number, lease: Versioned<LeaseRecord>, startedAt: number) {
    this.#ports = ports;
    this.#shard = shard;
    this.#record = lease.value;
    this.#revision = lease.revision;
    this.#renewedAt = startedAt;
    this.#trustedUntil = this.#trustFrom(startedAt);
    this.#alarm = new Alarm(ports.clock);
    this.#reports = new Reports(ports, () => this.#alarm.ring());
  }

  get term(): number {
    return this.#record.term;
  }

  /** Runs that were committed and are not known to be stored. */
  get inFlight(): number {
    return this.#inFlight.size;
  }

  /** Settles and ticks until the term ends. Never rejects. */
  async run(inherited: Inherited): Promise<TermEnd> {
    const unlisten = this.#ports.definitions.listen(this.#shard, (change) => this.#onChange(change));
    for (const definition of this.#ports.definitions.of(this.#shard)) this.#adopt(definition);
    try {
      this.#reports.tell(this.#record.reports);
      return (await this.#settle(inherited)) ? await this.#tick() : await this.#release(this.#record.firing);
    } catch (error) {
      return { kind: "doubt", reason: (error as Error).message };
    } finally {
      this.#ended = true;
      this.#reports.stop();
      unlisten();
    }
  }

  /** Asks the term to end in good order: it decides no more, and lets go when what it decided is published. */
  release(): void {
    this.#releaseBy ??= this.#ports.clock.monotonic() + RELEASE_WITHIN_MS;
    this.#alarm.ring();
  }

  mayPublish(): boolean {
    return !this.#ended && this.#doubt === undefined && this.#isTrusted();
  }

  messageOf(firing: Firing): WorkMessage {
    const { definition } = this.#inFlight.get(firing) as InFlight;
    return definition.messages.message(firing.slot, this.term);
  }

  onOutcome(firing: Firing, outcome: PublishOutcome): void {
    if (this.#ended) return;
    switch (outcome.kind) {
      case "stored":
        this.#done(firing);
        break;
      case "taken":
        void this.#onTaken(firing);
        break;
      case "full":
        this.#ports.log.warn({ shard: this.#shard, reason: outcome.reason }, "WORK is full: the run waits");
        this.#ports.dispatcher.addLater(this, firing, FULL_RETRY_MS);
        break;
      case "refused":
        this.#notFired(firing, "missed", `refused: ${outcome.reason}`);
        break;
      case "duplicate":
        // Each term publishes a run under an id of its own: only a successor's tombstone can have used it.
        this.#endInDoubt("a publish was refused as a duplicate: someone has taken over");
        break;
      case "unknown":
        this.#endInDoubt(`a publish was not answered: ${outcome.error.message}`);
    }
  }

  /** False when it was broken off to let go; what was inherited is then inherited by the next holder. */
  async #settle(inherited: Inherited): Promise<boolean> {
    try {
      const ports = { ...this.#ports, pause: () => this.#waitForRoom() };
      const { open, lost } = await inherited.settle(ports, this.#record, () => this.#keepAlive());
      const firings = open.map((item) => item.firing);
      for (const item of open) this.#inFlight.set(item.firing, item);
      for (const { firing, reason } of lost) this.#reports.add(reportOf(firing, "missed", reason));
      this.#ports.dispatcher.add(this, firings);
      return true;
    } catch (error) {
      if (this.#releaseBy === undefined) throw error;
      await this.#renewal;
      return false;
    }
  }

  /** A long settlement renews the lease without changing what it says; many ask, one writes. */
  #keepAlive(): Promise<void> {
    const { clock, settings } = this.#ports;
    if (this.#renewal === undefined && clock.monotonic() - this.#renewedAt >= settings.leaseDuration / 3) {
      this.#renewal = this.#renew().finally(() => {
        this.#renewal = undefined;
      });
    }
    return this.#renewal ?? Promise.resolve();
  }

  async #renew(): Promise<void> {
    const kept = await this.#write({ ...this.#record, nonce: this.#ports.newNonce() });
    if (!kept) throw new Doubt("another holder has written during the settlement");
  }

  /** A full stream may stay full for long: the lease must not run out over it, nor an orchestrator fail to stop. */
  async #waitForRoom(): Promise<void> {
    await this.#ports.pause();
    if (this.#ended || this.#releaseBy !== undefined) throw new Doubt("the settlement was broken off");
    await this.#keepAlive();
  }

  async #tick(): Promise<TermEnd> {
    for (;;) {
      if (this.#doubt !== undefined) return { kind: "doubt", reason: this.#doubt };
      if (!this.#isTrusted()) return { kind: "doubt", reason: "the lease was not renewed in time" };
      if (this.#mayRelease()) return await this.#release([...this.#inFlight.keys()]);
      if (this.#isTimeToCommit() && !(await this.#commit())) return { kind: "lost" };
      await this.#alarm.wait(this.#untilNextCommit());
    }
  }

  #mayRelease(): boolean {
    if (this.#releaseBy === undefined) return false;
    return this.#inFlight.size === 0 || this.#ports.clock.monotonic() >= this.#releaseBy;
  }

  #isTimeToCommit(): boolean {
    if (this.#releaseBy !== undefined) return false;
    return this.#changes.length > 0 || this.#untilNextCommit() <= 0;
  }

  #untilNextCommit(): number {
    const { clock, settings } = this.#ports;
    if (this.#releaseBy !== undefined) return this.#releaseBy - clock.monotonic();
    const renewal = this.#renewedAt + settings.leaseDuration / 3 - clock.monotonic();
    if (this.#inFlight.size > limits.firingPerShard / 2 || this.#reports.isFull) return Math.max(0, renewal);
    const next = this.#agenda.nextTime();
    const due = next === null ? Number.POSITIVE_INFINITY : next - settings.ahead / 2 - clock.now();
    return Math.max(0, Math.min(renewal, due));
  }

  /** One write: decides what is due, renews the lease. False when another holder has written. */
  async #commit(): Promise<boolean> {
    const { clock, settings, definitions } = this.#ports;
    this.#adoptChanges();
    const view = definitions.view;
    const keep = [...this.#inFlight.keys()];
    const now = clock.now();
    const plan = this.#agenda.plan(now, now + settings.ahead, this.term, this.#record.cursor, {
      fire: limits.firingPerShard - keep.length,
      reports: limits.reportsPerShard - this.#reports.untold.length,
      slots: SLOTS_PER_PLAN,
    });
    const flights = plan.fire.map((firing) => this.#flightOf(firing));
    this.#reports.addAll(plan.reports);
    const reports = this.#reports.untold;
    const record = commitTo(this.#record, {
      nonce: this.#ports.newNonce(),
      view,
      cursor: plan.cursor,
      runsFrom: this.#runsFrom,
      fire: plan.fire,
      keep,
      reports,
    });
    if (!(await this.#write(record))) return false;
    for (const flight of flights) this.#inFlight.set(flight.firing, flight);
    this.#ports.dispatcher.add(this, plan.fire);
    this.#reports.tell(reports);
    void this.#refreshRunsFrom();
    return true;
  }

  async #release(firing: readonly Firing[]): Promise<TermEnd> {
    const record = release(this.#record, this.#ports.newNonce());
    const kept = { ...record, firing, reports: this.#reports.untold };
    return { kind: (await this.#write(kept)) ? "released" : "lost" };
  }

  async #write(record: LeaseRecord): Promise<boolean> {
    const startedAt = this.#ports.clock.monotonic();
    const outcome: CasOutcome = await this.#ports.leases.write(this.#shard, record, this.#revision);
    if (outcome.kind === "unknown")
      throw new Doubt(`a lease write was not answered: ${outcome.error.message}`);
    if (outcome.kind === "lost") return false;
    this.#record = record;
    this.#revision = outcome.revision;
    this.#renewedAt = startedAt;
    this.#trustedUntil = this.#trustFrom(startedAt);
    return true;
  }

  async #onTaken(firing: Firing): Promise<void> {
    try {
      const { definition } = this.#inFlight.get(firing) as InFlight;
      const trace = { subject: definition.messages.subject(firing.slot), runsFrom: this.#record.runsFrom };
      const by = await readTaken(this.#ports, firing, trace);
      if (by === "this run") this.#done(firing);
      else if (by === "another run") this.#notFired(firing, "skipped", "overlap");
      else this.#ports.dispatcher.addLater(this, firing, 0);
    } catch (error) {
      this.#endInDoubt(`a taken subject could not be read: ${(error as Error).message}`);
    }
  }

  #endInDoubt(reason: string): void {
    this.#doubt ??= reason;
    this.#alarm.ring();
  }

  #done(firing: Firing): void {
    this.#inFlight.delete(firing);
    if (this.#inFlight.size === limits.firingPerShard / 2 || this.#releaseBy !== undefined)
      this.#alarm.ring();
  }

  /** Becomes true with the commit that drops the entry and carries the report. */
  #notFired(firing: Firing, outcome: Report["outcome"], reason: string): void {
    this.#reports.add(reportOf(firing, outcome, reason));
    this.#done(firing);
  }

  #flightOf(firing: Firing): InFlight {
    return { firing, definition: this.#definitions.get(firing.scheduleId) as Definition };
  }

  #onChange(change: Change): void {
    this.#changes.push(change);
    this.#alarm.ring();
  }

  #adoptChanges(): void {
    for (const change of this.#changes.splice(0)) {
      if ("removed" in change) {
        this.#agenda.remove(change.removed);
        this.#definitions.delete(change.removed);
      } else this.#adopt(change);
    }
  }

  #adopt(definition: Definition): void {
    this.#definitions.set(definition.schedule.id, definition);
    this.#agenda.put(definition, this.#record);
  }

  #isTrusted(): boolean {
    return this.#ports.clock.monotonic() < this.#trustedUntil;
  }

  #trustFrom(startedAt: number): number {
    const { leaseDuration, leaseMargin } = this.#ports.settings;
    return startedAt + leaseDuration - leaseMargin;
  }

  /** Every event of a run that is committed later is newer than this. An older value is safe, and slower. */
  async #refreshRunsFrom(): Promise<void> {
    const now = this.#ports.clock.monotonic();
    if (now - this.#runsReadAt < RUNS_REFRESH_MS) return;
    this.#runsReadAt = now;
    this.#runsFrom = await this.#ports.runs.lastSequence().catch(() => this.#runsFrom);
  }
}

function reportOf(firing: Firing, outcome: Report["outcome"], reason: string): Report {
  const { scheduleId, slot } = firing;
  return { scheduleId, outcome, reason, from: slot, to: slot, count: 1 };
}
