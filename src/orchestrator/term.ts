/**
 * One term: a holder's time with a shard.
 *
 * A term begins with a record that was written by compare-and-swap under a new term number, settles what it
 * inherited, and then ticks. A tick plans what is due a little ahead, commits the plan in one write that also
 * renews the lease, and hands the committed runs to the dispatcher. The term ends when it is told to release,
 * when a write is lost to another holder, or with a doubt; it never continues after one.
 */
import { Agenda } from "../core/agenda.js";
import { commitTo, type Firing, type LeaseRecord, type Report, release } from "../core/lease.js";
import type { PublishOutcome, Versioned, WorkMessage } from "../core/ports.js";
import { limits } from "../protocol/limits.js";
import type { Logger } from "../runtime/log.js";
import { Alarm } from "./alarm.js";
import type { Change, Definition, Definitions } from "./definitions.js";
import type { Dispatcher, Publishing } from "./dispatcher.js";
import { Doubt } from "./doubt.js";
import type { InFlight, Inherited } from "./inherited.js";
import { Reports } from "./reports.js";
import { readTaken, type SettlePorts } from "./settle.js";
import { Tenure, type TenurePorts } from "./tenure.js";

export interface TermPorts extends SettlePorts, TenurePorts {
  definitions: Definitions;
  dispatcher: Dispatcher;
  log: Logger;
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
  readonly #agenda: Agenda;
  readonly #definitions = new Map<string, Definition>();
  readonly #changes: Change[] = [];
  readonly #inFlight = new Map<Firing, InFlight>();
  readonly #reports: Reports;
  readonly #tenure: Tenure;
  readonly #alarm: Alarm;
  #runsFrom = 0;
  #runsReadAt = Number.NEGATIVE_INFINITY;
  #doubt: string | undefined;
  #releaseBy: number | undefined;
  #isWaiting = false;
  #ended = false;

  /** @param startedAt monotonic time at which the write of `lease` was begun */
  constructor(ports: TermPorts, shard: number, lease: Versioned<LeaseRecord>, startedAt: number) {
    this.#ports = ports;
    this.#shard = shard;
    this.#agenda = new Agenda(lease.value.counts);
    this.#tenure = new Tenure(ports, shard, lease, startedAt);
    this.#alarm = new Alarm(ports.clock);
    this.#reports = new Reports(ports, () => this.#alarm.ring());
  }

  get term(): number {
    return this.#tenure.record.term;
  }

  /** Settles and ticks until the term ends. Never rejects. */
  async run(inherited: Inherited): Promise<TermEnd> {
    const unlisten = this.#ports.definitions.listen(this.#shard, (change) => this.#onChange(change));
    for (const definition of this.#ports.definitions.of(this.#shard)) this.#adopt(definition);
    try {
      this.#reports.tell(this.#tenure.record.reports);
      return (await this.#settle(inherited))
        ? await this.#tick()
        : await this.#release(this.#tenure.record.firing);
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
    return !this.#ended && this.#doubt === undefined && this.#tenure.isTrusted;
  }

  messageOf(firing: Firing): WorkMessage {
    const { definition } = this.#inFlight.get(firing) as InFlight;
    return definition.messageOf(firing, this.term);
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
        this.#warnOfWaiting(outcome.reason);
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
      const { open, lost } = await inherited.settle(ports, this.#tenure.record, () =>
        this.#tenure.keepAlive(),
      );
      const firings = open.map((item) => item.firing);
      for (const item of open) this.#inFlight.set(item.firing, item);
      for (const { firing, reason } of lost) {
        this.#reports.add(reportOf(firing, "missed", reason));
        this.#agenda.uncount(firing);
      }
      this.#ports.dispatcher.add(this, firings);
      return true;
    } catch (error) {
      if (this.#releaseBy === undefined) throw error;
      await this.#tenure.settled();
      return false;
    }
  }

  /** A full stream may stay full for long: the lease must not run out over it, nor an orchestrator fail to stop. */
  async #waitForRoom(): Promise<void> {
    await this.#ports.pause();
    if (this.#ended || this.#releaseBy !== undefined) throw new Doubt("the settlement was broken off");
    await this.#tenure.keepAlive();
  }

  async #tick(): Promise<TermEnd> {
    for (;;) {
      if (this.#doubt !== undefined) return { kind: "doubt", reason: this.#doubt };
      if (!this.#tenure.isTrusted) return { kind: "doubt", reason: "the lease was not renewed in time" };
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
    const renewal = Math.max(0, this.#tenure.untilRenewal);
    if (this.#inFlight.size > limits.firingPerShard / 2 || this.#reports.isFull) return renewal;
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
    const plan = this.#agenda.plan(now, now + settings.ahead, this.term, this.#tenure.record.cursor, {
      fire: limits.firingPerShard - keep.length,
      reports: limits.reportsPerShard - this.#reports.untold.length,
      slots: SLOTS_PER_PLAN,
    });
    const flights = plan.fire.map((firing) => this.#flightOf(firing));
    this.#reports.addAll(plan.reports);
    const reports = this.#reports.untold;
    const record = commitTo(this.#tenure.record, {
      nonce: this.#ports.newNonce(),
      view,
      cursor: plan.cursor,
      runsFrom: this.#runsFrom,
      fire: plan.fire,
      keep,
      reports,
      counts: this.#agenda.counts,
    });
    if (!(await this.#tenure.write(record))) return false;
    for (const flight of flights) this.#inFlight.set(flight.firing, flight);
    this.#ports.dispatcher.add(this, plan.fire);
    this.#reports.tell(reports);
    void this.#refreshRunsFrom();
    return true;
  }

  async #release(firing: readonly Firing[]): Promise<TermEnd> {
    const record = release(this.#tenure.record, this.#ports.newNonce());
    const kept = { ...record, firing, reports: this.#reports.untold, counts: this.#agenda.counts };
    return { kind: (await this.#tenure.write(kept)) ? "released" : "lost" };
  }

  async #onTaken(firing: Firing): Promise<void> {
    try {
      const { definition } = this.#inFlight.get(firing) as InFlight;
      const trace = {
        subject: definition.messages.subject(firing.slot),
        runsFrom: this.#tenure.record.runsFrom,
      };
      const by = await readTaken(this.#ports, firing, trace);
      if (by === "this run") this.#done(firing);
      else if (by === "another run") this.#notFired(firing, "skipped", "overlap");
      else this.#ports.dispatcher.addLater(this, firing, 0);
    } catch (error) {
      this.#endInDoubt(`a taken subject could not be read: ${(error as Error).message}`);
    }
  }

  /** Once a term: there may be thousands of runs, each tried again and again. */
  #warnOfWaiting(reason: string): void {
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    this.#ports.log.warn({ shard: this.#shard, reason }, "WORK takes nothing: runs wait");
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
    this.#agenda.uncount(firing);
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
    this.#agenda.put(definition, this.#tenure.record);
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
