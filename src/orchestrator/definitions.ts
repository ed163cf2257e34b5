/** All definitions, compiled, by shard: what a shard's next term starts from. */

import { type Calendar, calendarsOf } from "../core/calendar.js";
import type { CompiledSchedule } from "../core/compiled-schedule.js";
import { messageOf } from "../core/errors.js";
import { shardOf } from "../core/hash.js";
import type { Firing } from "../core/lease.js";
import { takesTurns } from "../core/overlap-policy.js";
import type { ScheduleChanges, ScheduleStore, Subscription, WorkMessage } from "../core/ports.js";
import type { FireTimes, Instant, Schedule, ScheduleSpec } from "../core/schedule.js";
import { jitterOf } from "../core/time/bounds.js";
import { compileSpec } from "../core/time/fire-times.js";
import { previousFireTime } from "../core/time/previous.js";
import { FireMessages } from "../protocol/job-message.js";
import type { Names } from "../protocol/names.js";
import type { Logger } from "../runtime/log.js";

const UNREADABLE = "a stored schedule cannot be read: it never fires";
const NEVER: FireTimes = { next: () => null };

export class Definition implements CompiledSchedule {
  readonly schedule: Schedule;
  readonly times: FireTimes;
  /** Nothing has to be asked at the fire time: its runs have no deadline, and do not wait for each other. */
  readonly isPlain: boolean;
  readonly #jitterMs: number;
  readonly #names: Names;
  #messages: FireMessages | undefined;
  #lastSlot: Instant | undefined;

  constructor(schedule: Schedule, times: FireTimes, names: Names) {
    this.schedule = schedule;
    this.times = times;
    this.isPlain = schedule.startDeadlineMs === 0 && !takesTurns(schedule);
    this.#jitterMs = schedule.spec.kind === "composite" ? schedule.spec.jitterMs : 0;
    this.#names = names;
  }

  /** Made at the first fire: most definitions of a large store do not fire soon. */
  get messages(): FireMessages {
    this.#messages ??= new FireMessages(this.#names, this.schedule);
    return this.#messages;
  }

  messageOf({ slot, catchUp }: Firing, term: number, ticket: number): WorkMessage {
    const trigger = catchUp === true ? "catch-up" : "schedule";
    const details = { trigger, ticket, previous: this.#before(slot), delayMs: this.delayOf(slot) } as const;
    return this.messages.message(slot, term, details);
  }

  /** By the schedule's jitter. The slot stays what the run is known by. */
  delayOf(slot: Instant): number {
    if (this.#jitterMs === 0) return 0;
    return jitterOf(this.schedule.id, slot, this.times.next(slot), this.#jitterMs);
  }

  /** Slots mostly come one after the other. */
  #before(slot: Instant): Instant | null {
    const last = this.#lastSlot;
    this.#lastSlot = slot;
    if (last !== undefined && last < slot && this.times.next(last) === slot) return last;
    return previousFireTime(this.times, slot);
  }
}

/** A change for one shard: the new definition, or the id of one that is no more. */
export type Change = Definition | { removed: string };

export class Definitions {
  readonly #shards: Map<string, Definition>[];
  readonly #listeners: Set<(change: Change) => void>[];
  readonly #waiting: { view: number; resolve(): void }[] = [];
  readonly #names: Names;
  readonly #log: Logger;
  readonly #calendars = new Map<string, Calendar>();
  #view = -1;
  #longestId = 0;

  constructor(shards: number, names: Names, log: Logger) {
    this.#shards = Array.from({ length: shards }, () => new Map());
    this.#listeners = Array.from({ length: shards }, () => new Set());
    this.#names = names;
    this.#log = log;
  }

  /** Resolves when everything that is stored now has been loaded. */
  async follow(store: ScheduleStore): Promise<Subscription> {
    const subscription = await store.watch((changes) => this.#apply(changes));
    await this.reached(0);
    return subscription;
  }

  /** Everything at or before this sequence is known here. */
  get view(): number {
    return Math.max(0, this.#view);
  }

  /** The length of the longest id of all that was ever known. */
  get longestId(): number {
    return this.#longestId;
  }

  /** Resolves when the view is at least `view`. */
  reached(view: number): Promise<void> {
    if (this.#view >= view) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ view, resolve }));
  }

  of(shard: number): IterableIterator<Definition> {
    return this.#shard(shard).values();
  }

  /** Of all shards, each as it is when its turn comes. */
  *all(): Generator<Definition> {
    for (const shard of this.#shards) yield* [...shard.values()];
  }

  get(schedule: Pick<Schedule, "id" | "shard">): Definition | undefined {
    return this.#shard(schedule.shard).get(schedule.id);
  }

  /** Wherever it is. */
  find(id: string): Definition | undefined {
    return this.#shard(shardOf(id, this.#shards.length)).get(id);
  }

  /** Schedules that are meant and not deleted, by id, after `after`. */
  page(after: string, limit: number, isMeant: (schedule: Schedule) => boolean): Schedule[] {
    const found: Schedule[] = [];
    for (const shard of this.#shards) {
      for (const { schedule } of shard.values())
        if (schedule.id > after && !schedule.deleted && isMeant(schedule)) found.push(schedule);
    }
    return found.sort((a, b) => (a.id < b.id ? -1 : 1)).slice(0, limit);
  }

  /** Calls back, at once and in order, for every change of a shard; returns a function that ends it. */
  listen(shard: number, listener: (change: Change) => void): () => void {
    const listeners = this.#listeners[shard] as Set<(change: Change) => void>;
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  /** Calendars that were made, deleted since or not. */
  get calendars(): ReadonlyMap<string, Calendar> {
    return this.#calendars;
  }

  /** The schedules that refer to a calendar. */
  usersOf(calendar: string): Schedule[] {
    const schedules = this.#shards.flatMap((shard) => [...shard.values()].map(({ schedule }) => schedule));
    return schedules.filter(({ deleted, spec }) => !deleted && refersTo(spec, [calendar]));
  }

  compile(schedule: Schedule): Definition {
    return new Definition(schedule, this.#timesOf(schedule), this.#names);
  }

  #apply(changes: ScheduleChanges): void {
    for (const calendar of changes.calendars) this.#calendars.set(calendar.name, calendar);
    for (const schedule of changes.changed) this.#put(this.compile(schedule));
    if (changes.calendars.length > 0) this.#replan(changes.calendars.map(({ name }) => name));
    for (const { id, unreadable } of changes.removed) {
      if (unreadable !== undefined)
        this.#log.error({ scheduleId: id, error: unquoted(unreadable) }, UNREADABLE);
      this.#remove(id);
    }
    this.#view = Math.max(this.#view, changes.view);
    for (const waiter of this.#waiting.splice(0)) {
      if (this.#view >= waiter.view) waiter.resolve();
      else this.#waiting.push(waiter);
    }
  }

  #put(definition: Definition): void {
    const { id, shard, revision } = definition.schedule;
    const known = this.#shard(shard).get(id);
    if (known !== undefined && known.schedule.revision >= revision) return;
    this.#shard(shard).set(id, definition);
    this.#longestId = Math.max(this.#longestId, id.length);
    this.#tell(shard, definition);
  }

  /** Slots that are not decided yet go by what the calendars say now. */
  #replan(calendars: readonly string[]): void {
    for (const [shard, definitions] of this.#shards.entries()) {
      for (const { schedule } of definitions.values()) {
        if (!refersTo(schedule.spec, calendars)) continue;
        const definition = this.compile(schedule);
        definitions.set(schedule.id, definition);
        this.#tell(shard, definition);
      }
    }
  }

  #remove(id: string): void {
    this.#shards.forEach((definitions, shard) => {
      if (definitions.delete(id)) this.#tell(shard, { removed: id });
    });
  }

  #tell(shard: number, change: Change): void {
    for (const listener of this.#listeners[shard] ?? []) listener(change);
  }

  #shard(shard: number): Map<string, Definition> {
    return this.#shards[shard] as Map<string, Definition>;
  }

  /** The API lets nothing in that cannot be compiled; a definition written past it never fires. */
  #timesOf(schedule: Schedule): FireTimes {
    if (schedule.deleted) return NEVER;
    try {
      return compileSpec(schedule.spec, schedule.id, (name) => this.#calendars.get(name));
    } catch (error) {
      this.#log.error({ scheduleId: schedule.id, error: messageOf(error) }, UNREADABLE);
      return NEVER;
    }
  }
}

/** What came instead may be a payload, which no log shows. */
const unquoted = (message: string): string => message.replace(/, got .*/s, "");

function refersTo(spec: ScheduleSpec, calendars: readonly string[]): boolean {
  return calendarsOf(spec).some(({ name }) => calendars.includes(name));
}
