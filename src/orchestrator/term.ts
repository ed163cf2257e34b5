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
import type { Versioned } from "../core/ports.js";
import type { Instant } from "../core/schedule.js";
import { limits } from "../protocol/limits.js";
import { mostFirings } from "../protocol/stored.js";
import { Alarm } from "../runtime/alarm.js";
import { Adopted } from "./adopted.js";
import type { Definition, Definitions } from "./definitions.js";
import { Doubt } from "./doubt.js";
import { Flights } from "./flights.js";
import type { Inherited } from "./inherited.js";
import { type PublicationPorts, Publications } from "./publications.js";
import { lostReportOf, Reports, reportOf } from "./reports.js";
import { type RunLimitPorts, RunLimits } from "./run-limits.js";
import { RunsMark } from "./runs-mark.js";
import { type InWork, SlotRecords } from "./slot-records.js";
import { Tenure, type TenurePorts } from "./tenure.js";
import { Traces } from "./traces.js";

export interface TermPorts extends PublicationPorts, TenurePorts, RunLimitPorts {
  definitions: Definitions;
}

/** What a term starts from. */
export interface Beginning {
  lease: Versioned<LeaseRecord>;
  /** Monotonic time at which the write of `lease` was begun. */
  startedAt: number;
  /** What this orchestrator knows from its former terms. */
  inWork: InWork;
}

export type TermEnd = { kind: "released" | "lost" } | { kind: "doubt"; reason: string };

/** What is not published by then is left to the successor. */
const RELEASE_WITHIN_MS = 1_000;
/** With sixteen shards of one orchestrator at once, each run has a sixteenth of that. */
const LEAD_PER_RUN_MS = 0.4;
const SLOTS_PER_PLAN = 20_000;

export class Term {
  readonly #ports: TermPorts;
  readonly #shard: number;
  readonly #agenda: Agenda<Definition>;
  readonly #adopted: Adopted;
  readonly #flights = new Flights();
  readonly #publications: Publications;
  readonly #slots: SlotRecords;
  readonly #traces: Traces;
  readonly #mark: RunsMark;
  readonly #runLimits: RunLimits;
  readonly #reports: Reports;
  readonly #tenure: Tenure;
  readonly #alarm: Alarm;
  #doubt: string | undefined;
  #releaseBy: number | undefined;
  #ended = false;

  constructor(ports: TermPorts, shard: number, { lease, startedAt, inWork }: Beginning) {
    this.#ports = ports;
    this.#shard = shard;
    this.#agenda = new Agenda(lease.value.counts);
    this.#adopted = new Adopted(this.#agenda);
    this.#tenure = new Tenure(ports, shard, lease, startedAt);
    this.#alarm = new Alarm(ports.clock);
    this.#reports = new Reports(ports, {
      onEvent: (report) => this.#slots.report(report),
      onRoom: () => this.#alarm.ring(),
    });
    this.#mark = new RunsMark(ports, lease.value.runsFrom);
    this.#runLimits = new RunLimits(ports);
    const place = { shard, term: this.term };
    this.#slots = new SlotRecords(ports, place, inWork, {
      onTold: (firing) => this.#drop(firing),
      onReported: (report) => this.#reports.told(report),
    });
    this.#traces = new Traces(ports.runs, shard, this.#mark.value, inWork);
    this.#publications = new Publications(ports, {
      ...place,
      flights: this.#flights,
      mostResting: () => this.#room / 2,
      mayPublish: () => this.mayPublish(),
      hasEnded: () => this.#ended,
      onFired: (firing, seq) => this.#fired(firing, seq),
      onNotFired: (firing, outcome, reason) => this.#notFired(firing, outcome, reason),
      onDoubt: (reason) => this.#endInDoubt(reason),
    });
  }

  get term(): number {
    return this.#tenure.record.term;
  }

  /** Whether things may be done that only the holder should do. */
  get mayAct(): boolean {
    return this.#releaseBy === undefined && this.mayPublish();
  }

  /** Whether what belongs to the shard may be published; also while the term ends in good order. */
  mayPublish(): boolean {
    return !this.#ended && this.#doubt === undefined && this.#tenure.isTrusted;
  }

  /** Settles and ticks until the term ends. Never rejects. */
  async run(inherited: Inherited): Promise<TermEnd> {
    const { definitions } = this.#ports;
    const unlisten = definitions.listen(this.#shard, (change) => {
      this.#adopted.note(change);
      this.#alarm.ring();
    });
    this.#agenda.inherit(inherited.backlog);
    for (const range of inherited.lostBacklog) this.#reports.add(lostReportOf(range));
    for (const definition of definitions.of(this.#shard)) this.#agenda.put(definition, this.#tenure.record);
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
      this.#slots.stop();
      this.#publications.stop();
      unlisten();
    }
  }

  /** Asks the term to end in good order: it decides no more, and lets go when what it decided is published. */
  release(): void {
    this.#releaseBy ??= this.#ports.clock.monotonic() + RELEASE_WITHIN_MS;
    this.#slots.hurry();
    this.#alarm.ring();
  }

  /** False when it was broken off to let go; what was inherited is then inherited by the next holder. */
  async #settle(inherited: Inherited): Promise<boolean> {
    try {
      const ports = { ...this.#ports, pause: () => this.#waitForRoom() };
      const renew = () => this.#tenure.keepAlive();
      const { fired, open, lost } = await inherited.settle(ports, this.#traces, this.term, renew);
      const firings = open.map((item) => item.firing);
      this.#flights.add(open, this.#mark.value);
      for (const { firing, seq } of fired) this.#fired(firing, seq);
      for (const { firing, reason } of lost) {
        this.#reports.add(reportOf(firing, "missed", reason));
        this.#agenda.uncount(firing);
      }
      this.#publications.add(firings);
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
      if (this.#mayRelease()) return await this.#release(this.#flights.firings);
      const waitMs = this.#untilNextCommit();
      if (waitMs > 0 || this.#releaseBy !== undefined) await this.#alarm.wait(waitMs);
      else if (!(await this.#commit())) return { kind: "lost" };
    }
  }

  #mayRelease(): boolean {
    if (this.#releaseBy === undefined) return false;
    return this.#underWay === 0 || this.#ports.clock.monotonic() >= this.#releaseBy;
  }

  /** Until the release, once it was asked for. */
  #untilNextCommit(): number {
    const { clock } = this.#ports;
    if (this.#releaseBy !== undefined) return this.#releaseBy - clock.monotonic();
    if (this.#adopted.hasChanges) return 0;
    const renewal = Math.max(0, this.#tenure.untilRenewal);
    if (this.#underWay > this.#room / 2 || this.#reports.isFull) return renewal;
    const next = this.#agenda.nextTime();
    const due = next === null ? Number.POSITIVE_INFINITY : next - this.#leadTo(next) - clock.now();
    return Math.max(0, Math.min(renewal, due, this.#agenda.untilCatchUp(clock.now())));
  }

  /** For runs, in the record. */
  get #room(): number {
    return mostFirings(this.#ports.definitions.longestId);
  }

  /** Runs that the record carries and nothing holds up. */
  get #underWay(): number {
    return this.#flights.size - this.#publications.waiting;
  }

  /** How long before an instant what falls due at it is committed: a crowd takes time to be made ready. */
  #leadTo(instant: Instant): number {
    const crowd = this.#agenda.crowdBy(instant, this.#room);
    return this.#ports.settings.ahead / 2 + crowd * LEAD_PER_RUN_MS;
  }

  #horizon(now: Instant): Instant {
    const soon = now + this.#ports.settings.ahead;
    const next = this.#agenda.nextTime();
    if (next === null || next <= soon) return soon;
    return next - this.#leadTo(next) <= now ? next : soon;
  }

  /** One write: decides what is due, renews the lease. False when another holder has written. */
  async #commit(): Promise<boolean> {
    const { clock, definitions } = this.#ports;
    const begunAt = clock.monotonic();
    this.#adopted.adoptChanges(this.#tenure.record);
    const view = definitions.view;
    const keep = this.#flights.firings;
    const runsFrom = this.#mark.value;
    const now = clock.now();
    const plan = this.#agenda.plan(now, this.#horizon(now), this.term, this.#tenure.record.cursor, {
      fire: this.#room - keep.length,
      reports: limits.reportsPerShard - this.#reports.untold.length,
      slots: SLOTS_PER_PLAN,
    });
    const flights = plan.fire.map((firing, index) => ({ firing, definition: plan.by[index] as Definition }));
    this.#reports.addAll(plan.reports);
    const reports = this.#reports.untold;
    const record = commitTo(this.#tenure.record, {
      nonce: this.#ports.newNonce(),
      view,
      cursor: plan.cursor,
      runsFrom: this.#flights.runsFrom(runsFrom),
      fire: plan.fire,
      keep,
      reports,
      counts: this.#agenda.counts,
      backlog: this.#agenda.backlog,
    });
    if (!(await this.#tenure.write(record))) return false;
    this.#ports.telemetry.ticked(clock.monotonic() - begunAt);
    this.#flights.add(flights, runsFrom);
    this.#publications.add(plan.fire);
    this.#reports.tell(reports);
    void this.#mark.refresh();
    this.#runLimits.pause(this.#agenda.exhausted().filter(({ id }) => !this.#flights.hasOpen(id)));
    return true;
  }

  async #release(firing: readonly Firing[]): Promise<TermEnd> {
    const record = release(this.#tenure.record, this.#ports.newNonce());
    const next = this.term + 1;
    const left = firing.map((one) => (this.#publications.isUnsent(one) ? { ...one, firstTerm: next } : one));
    const kept = { ...record, firing: left, reports: this.#reports.untold, counts: this.#agenda.counts };
    return { kind: (await this.#tenure.write(kept)) ? "released" : "lost" };
  }

  #endInDoubt(reason: string): void {
    this.#doubt ??= reason;
    this.#alarm.ring();
  }

  /** Its message is in WORK: the entry stays until RUNS is told. */
  #fired(firing: Firing, seq: number | null): void {
    this.#flights.land(firing, this.#mark.value);
    this.#slots.add(firing, seq);
  }

  /** The next commit leaves the entry out. */
  #drop(firing: Firing): void {
    this.#flights.drop(firing);
    if (this.#underWay === Math.floor(this.#room / 2) || this.#releaseBy !== undefined) this.#alarm.ring();
  }

  /** Becomes true with the commit that drops the entry and carries the report. */
  #notFired(firing: Firing, outcome: Report["outcome"], reason: string): void {
    this.#reports.add(reportOf(firing, outcome, reason));
    this.#agenda.uncount(firing);
    this.#drop(firing);
  }
}
