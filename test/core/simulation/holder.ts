/**
 * An orchestrator of the simulation, as a story that stops before each message it sends and before each answer it
 * reads. Between two stops anything may happen to the rest of the world, and the story may never go on.
 */
import { Agenda } from "../../../src/core/agenda.js";
import type { CompiledSchedule } from "../../../src/core/compiled-schedule.js";
import {
  type Backlog,
  commitTo,
  emptyLease,
  type Firing,
  type LeaseRecord,
  type Report,
  takeOver,
} from "../../../src/core/lease.js";
import type { PublishOutcome } from "../../../src/core/ports.js";
import type { Schedule } from "../../../src/core/schedule.js";
import { headers as h } from "../../../src/protocol/headers.js";
import { FireMessages, msgIdOf } from "../../../src/protocol/job-message.js";
import { runIdOf } from "../../../src/protocol/names.js";
import type { Fault } from "../../../src/testing/index.js";
import { timesOf } from "../given.js";
import type { World } from "./world.js";

export interface Turn {
  choice: number;
  fault: Fault;
}

type Story<T> = Generator<undefined, T, Turn>;

const AHEAD_MS = 100;
const LIMITS = { fire: 6, reports: 3, slots: 12 };
const NO_BODY = new Uint8Array();

interface Term {
  record: LeaseRecord;
  revision: number;
  agenda: Agenda;
  inFlight: Map<string, Firing>;
  toPublish: Firing[];
  /** Stored in WORK, and RUNS is to be told. */
  toTell: Firing[];
  skipped: Report[];
  runsFrom: number;
}

export class Holder {
  readonly #world: World;
  readonly #id: string;
  readonly #offsetMs: number;
  readonly #story: Story<void>;
  readonly #known = new Map<string, CompiledSchedule>();
  #changes: CompiledSchedule[] = [];
  /** Runs it knows to be in WORK, from whatever term. */
  readonly #inWork = new Set<string>();
  #view = 0;
  #term: Term | undefined;

  /** @param offsetMs how far its clock is off */
  constructor(world: World, id: string, offsetMs: number) {
    this.#world = world;
    this.#id = id;
    this.#offsetMs = offsetMs;
    this.#story = this.#terms();
    this.#story.next();
  }

  get #now(): number {
    return this.#world.clock.now() + this.#offsetMs;
  }

  /** It has a term, and nothing is left to do before its clock goes on. */
  get isIdle(): boolean {
    const term = this.#term;
    if (term === undefined || term.inFlight.size > 0 || term.skipped.length > 0) return false;
    if (this.#changes.length > 0 || term.record.backlog.length > 0 || term.record.firing.length > 0)
      return false;
    return term.record.view >= this.#view && term.record.cursor.time >= this.#now + AHEAD_MS;
  }

  /** Nothing is left but the backlog, for which its clock has to go on. */
  get isCatchingUp(): boolean {
    return this.#term !== undefined && this.#term.inFlight.size === 0 && this.#term.record.backlog.length > 0;
  }

  step(turn: Turn): void {
    this.#story.next(turn);
  }

  /** The watch delivers. */
  learn(count: number): void {
    for (const schedule of this.#world.definitions.slice(this.#view, this.#view + count)) {
      const compiled = { schedule, times: timesOf(schedule) };
      this.#known.set(schedule.id, compiled);
      this.#changes.push(compiled);
      this.#view = schedule.revision;
    }
  }

  *#terms(): Story<void> {
    for (;;) {
      yield;
      this.#term = yield* this.#take();
      if (this.#term === undefined) continue;
      if (yield* this.#settle(this.#term)) {
        while (yield* this.#act(this.#term)) {
          // until the term ends
        }
      }
      this.#term = undefined;
    }
  }

  *#take(): Story<Term | undefined> {
    const world = this.#world;
    const lease = world.readLease();
    const record = lease?.value ?? emptyLease(this.#now);
    const turn = yield;
    if (world.keeps("the record holds the view")) this.learn(Math.max(0, record.view - this.#view));
    const taken = takeOver(record, this.#id, world.nonce());
    const outcome = world.writeLease(taken, lease?.revision ?? 0, turn.fault);
    yield;
    if (typeof outcome !== "number") return undefined;
    const agenda = new Agenda(record.counts);
    this.#changes = [];
    agenda.inherit(record.backlog.map((range) => ({ range, compiled: this.#revision(range) })));
    for (const compiled of this.#known.values()) this.#put(agenda, compiled, taken);
    const nothing = { inFlight: new Map<string, Firing>(), toPublish: [], toTell: [], skipped: [] };
    return { record: taken, revision: outcome, agenda, runsFrom: 0, ...nothing };
  }

  #revision({ scheduleId, revision }: Backlog): CompiledSchedule {
    const schedule = this.#world.definitions.find(
      (each) => each.id === scheduleId && each.revision === revision,
    );
    return { schedule: schedule as Schedule, times: timesOf(schedule as Schedule) };
  }

  #put(agenda: Agenda, compiled: CompiledSchedule, record: LeaseRecord): void {
    const view = this.#world.keeps("the record holds the view") ? record.view : Number.POSITIVE_INFINITY;
    agenda.put(compiled, { view, cursor: record.cursor });
  }

  *#settle(term: Term): Story<boolean> {
    for (const firing of term.record.firing) {
      const fired = yield* this.#wasFired(term, firing);
      if (fired === "doubt") return false;
      if (fired === "told") continue;
      term.inFlight.set(runOf(firing), firing);
      (fired === "yes" ? term.toTell : term.toPublish).push(firing);
    }
    return true;
  }

  *#wasFired(term: Term, firing: Firing): Story<"told" | "yes" | "no" | "doubt"> {
    const world = this.#world;
    for (let older = firing.firstTerm; older < term.record.term; older++) {
      if (!world.keeps("tombstones")) break;
      const turn = yield;
      const outcome = this.#publishTombstone(runOf(firing), older, turn.fault);
      yield;
      if (outcome === "unknown") return "doubt";
      if (outcome.kind === "duplicate" && !this.#isTombstone(outcome.seq)) return "yes";
    }
    yield;
    if (this.#inWork.has(runOf(firing))) return "yes";
    if (!world.keeps("look for traces in RUNS")) return "no";
    if (world.isTold(runOf(firing))) return "told";
    return world.hasEvent(runOf(firing)) ? "yes" : "no";
  }

  #publishTombstone(runId: string, older: number, fault: Fault): PublishOutcome | "unknown" {
    const subject = this.#world.server.names.tombstone(runId, older);
    return this.#world.publish({ subject, msgId: msgIdOf(runId, older), headers: {}, body: NO_BODY }, fault);
  }

  #isTombstone(seq: number): boolean {
    if (!this.#world.keeps("a duplicate may be of a tombstone")) return false;
    const { work, names } = this.#world.server;
    return work.at(seq)?.subject.startsWith(names.tombstones.slice(0, -1)) ?? false;
  }

  #hasEvent(firing: Firing): boolean {
    return this.#world.keeps("look for traces in RUNS") && this.#world.hasEvent(runOf(firing));
  }

  *#act(term: Term): Story<boolean> {
    const turn = yield;
    const wish = turn.choice % 3;
    if (wish === 0) return yield* this.#commit(term, turn);
    if (wish === 2 && term.toTell.length > 0) return yield* this.#tell(term, turn);
    const firing = term.toPublish.shift();
    if (firing !== undefined) return yield* this.#publish(term, firing, turn);
    return term.toTell.length > 0 ? yield* this.#tell(term, turn) : yield* this.#commit(term, turn);
  }

  /** Told again when the answer does not come. */
  *#tell(term: Term, turn: Turn): Story<boolean> {
    const firings = [...term.toTell];
    const isTold = this.#world.tellSlots(firings, term.record.term, turn.fault);
    yield;
    if (isTold === "unknown") return true;
    for (const firing of firings) term.inFlight.delete(runOf(firing));
    term.toTell = term.toTell.slice(firings.length);
    return true;
  }

  #fired(term: Term, firing: Firing): void {
    this.#inWork.add(runOf(firing));
    term.toTell.push(firing);
  }

  *#commit(term: Term, turn: Turn): Story<boolean> {
    for (const compiled of this.#changes.splice(0)) this.#put(term.agenda, compiled, term.record);
    const { record, inFlight } = term;
    const limits = { ...LIMITS, fire: LIMITS.fire - inFlight.size };
    const plan = term.agenda.plan(this.#now, this.#now + AHEAD_MS, record.term, record.cursor, limits);
    const next = commitTo(record, {
      nonce: this.#world.nonce(),
      view: this.#view,
      cursor: plan.cursor,
      runsFrom: inFlight.size === 0 ? term.runsFrom : 0,
      fire: plan.fire,
      keep: [...inFlight.values()],
      reports: [...term.skipped, ...plan.reports],
      counts: term.agenda.counts,
      backlog: term.agenda.backlog,
    });
    const outcome = this.#world.writeLease(next, term.revision, turn.fault);
    yield;
    if (typeof outcome !== "number") return false;
    for (const firing of plan.fire) inFlight.set(runOf(firing), firing);
    term.toPublish.push(...plan.fire);
    Object.assign(term, { record: next, revision: outcome, skipped: [] });
    term.runsFrom = this.#world.server.runs.lastSequence;
    yield;
    for (const { scheduleId, from, outcome } of next.reports) {
      this.#world.tellRuns(runIdOf(scheduleId, from), outcome);
    }
    return true;
  }

  *#publish(term: Term, firing: Firing, turn: Turn): Story<boolean> {
    const outcome = this.#world.publish(this.#messageOf(term, firing), turn.fault);
    yield;
    if (outcome === "unknown" && !this.#world.keeps("doubt ends the term")) {
      term.toPublish.push(firing);
      return true;
    }
    if (outcome === "unknown") return false;
    if (outcome.kind === "taken") return yield* this.#readTaken(term, firing);
    if (outcome.kind === "duplicate") return !this.#world.keeps("doubt ends the term");
    this.#fired(term, firing);
    return true;
  }

  *#readTaken(term: Term, firing: Firing): Story<boolean> {
    yield;
    const runId = runOf(firing);
    const { subject } = this.#messageOf(term, firing);
    const message = this.#world.server.work.last(subject);
    yield;
    const isOwn = message?.headers[h.runId] === runId || this.#hasEvent(firing);
    const fired = isOwn || !this.#world.keeps("a taken subject is read");
    if (!fired && message === null) {
      term.toPublish.push(firing);
      return true;
    }
    if (fired) this.#fired(term, firing);
    else {
      term.inFlight.delete(runId);
      this.#skip(term, firing);
    }
    return true;
  }

  #skip(term: Term, { scheduleId, slot }: Firing): void {
    const report = { scheduleId, reason: "overlap", from: slot, to: slot, count: 1 };
    term.skipped.push({ ...report, outcome: "skipped" });
    term.agenda.uncount({ scheduleId, slot, revision: 0, firstTerm: 0 });
    if (!this.#world.keeps("skipped becomes true by a commit")) {
      this.#world.tellRuns(runIdOf(scheduleId, slot), "skipped");
    }
  }

  #messageOf(term: Term, firing: Firing) {
    const schedule = this.#world.definitions[firing.revision - 1];
    if (schedule === undefined) throw new Error(`no revision ${firing.revision}`);
    return new FireMessages(this.#world.server.names, schedule).message(firing.slot, term.record.term);
  }
}

const runOf = ({ scheduleId, slot }: Firing): string => runIdOf(scheduleId, slot);
