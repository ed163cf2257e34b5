/**
 * The timers of one shard, for as long as its term lasts.
 *
 *   stored ─► known (sequence and time, for what falls due soon) ─► read (some seconds ahead) ─► published ─► removed
 *
 * A timer whose message is there is to be fired, by whoever holds the shard. All that put it into WORK use the same
 * message id, so the server takes it once; a holder that crashed before it removed the message leaves a repeat that
 * the server refuses. Only what the server may have forgotten is looked for in RUNS: timers that were due already when
 * the term began.
 */
import { messageOf } from "../core/errors.js";
import { NearTimers } from "../core/near-timers.js";
import type { Clock, StoredMessage, Subscription } from "../core/ports.js";
import type { RunsReader } from "../core/runs-reader.js";
import type { Instant } from "../core/schedule.js";
import { MINUTE_MS, minuteOf, type Timer, type TimerStore } from "../core/timer.js";
import { admitted } from "../protocol/gate-message.js";
import { headers as h } from "../protocol/headers.js";
import { parseJobSubject } from "../protocol/subjects.js";
import { workMessageOf } from "../protocol/timer-message.js";
import type { Admission } from "../runtime/admission.js";
import { Alarm } from "../runtime/alarm.js";
import type { Logger } from "../runtime/log.js";
import type { Dispatcher } from "./dispatcher.js";
import { type DueTimer, type TimerOutcomePorts, TimerOutcomes } from "./timer-outcomes.js";
import { TimerTraces } from "./timer-traces.js";

export interface ShardTimerPorts extends TimerOutcomePorts {
  reader: RunsReader;
  timers: TimerStore;
  dispatcher: Dispatcher;
  admission: Admission;
  clock: Clock;
  log: Logger;
}

/** Known so long before they are due, but for the time until the turn of their shard. */
const NEAR_MINUTES = 2;
/** Read so long before. Far below the time for which the server remembers a message id. */
const READ_AHEAD_MS = 4_000;
/** Of what falls due then, so much is read at once: what is asked for together costs little more than one of it. */
const READ_SPAN_MS = 250;
/** Read and not yet in WORK. */
const MOST_READ = 20_000;
const TOGETHER = 256;
/** Those further behind give way to what falls due now. */
const LATE_MS = 60_000;
/** All minutes that have passed are looked at for what was lost sight of. */
const SWEEP_MS = 300_000;
/** And so long after a term began, when its turn has come. */
const SWEEP_AGAIN_MS = 20_000;
/** Not at the turn of a minute, when most falls due, and not all shards at once: each reads so long after it. */
const turnOf = (shard: number): number => 10_000 + (shard % 16) * 2_000;
const RETRY_MS = 1_000;
const REMOVE_AFTER_MS = 1_000;
/** What was done with within so long is removed together. */
const REMOVE_TOGETHER_MS = 100;

export class ShardTimers {
  readonly #ports: ShardTimerPorts;
  readonly #shard: number;
  readonly #near: NearTimers;
  readonly #outcomes: TimerOutcomes;
  readonly #traces: TimerTraces;
  readonly #alarm: Alarm;
  /** What falls due before was perhaps fired by an earlier holder. */
  readonly #inheritedUntil: Instant;
  #watch: Subscription | undefined;
  #sweptAt: number;
  /** Done with, and when; they are yet to be removed. */
  #done: { timer: Timer; at: number }[] = [];
  #stopped = false;

  /** @param mayPublish false from the moment at which the lease can no longer be trusted */
  constructor(ports: ShardTimerPorts, shard: number, mayPublish: () => boolean) {
    const now = ports.clock.now();
    this.#ports = ports;
    this.#shard = shard;
    this.#near = new NearTimers(minuteOf(now) + NEAR_MINUTES * MINUTE_MS);
    this.#alarm = new Alarm(ports.clock);
    this.#inheritedUntil = now + READ_AHEAD_MS;
    this.#sweptAt = ports.clock.monotonic();
    this.#traces = new TimerTraces(ports);
    this.#outcomes = new TimerOutcomes(ports, {
      mayPublish: () => !this.#stopped && mayPublish(),
      onSettled: (timer) => this.#settled(timer),
      onCancelled: (timer) => this.#cancelled(timer),
    });
  }

  /** Timers that are known and not done with. */
  get size(): number {
    return this.#near.size;
  }

  /** Until it is stopped. Never rejects. */
  async run(): Promise<void> {
    await this.#persistently("watch timers", async () => {
      this.#watch = await this.#ports.timers.watch(this.#shard, (timer) => this.#note(timer));
    });
    void this.#follow();
    while (!this.#stopped) {
      await this.#read();
      await this.#alarm.wait(this.#untilNextRead());
    }
  }

  stop(): void {
    this.#stopped = true;
    this.#alarm.ring();
    this.#watch?.stop().catch(() => {});
  }

  /** First all that is near or was left over, then minute after minute. */
  async #follow(): Promise<void> {
    await this.#loadPassed();
    // Who lost the server has a new term before its watch goes on.
    this.#sweptAt += SWEEP_AGAIN_MS + turnOf(this.#shard) - SWEEP_MS;
    const pause = new Alarm(this.#ports.clock);
    while (!this.#stopped) {
      const now = this.#ports.clock.now() - turnOf(this.#shard);
      while (!this.#stopped && this.#near.until < minuteOf(now) + NEAR_MINUTES * MINUTE_MS) {
        const minute = this.#near.until;
        this.#near.extend(minute + MINUTE_MS);
        await this.#load(minute);
      }
      if (this.#ports.clock.monotonic() - this.#sweptAt >= SWEEP_MS) await this.#loadPassed();
      await pause.wait(RETRY_MS);
    }
  }

  /** Every minute before the horizon that has timers: usually there are two or three. */
  async #loadPassed(): Promise<void> {
    this.#sweptAt = this.#ports.clock.monotonic();
    await this.#persistently("find timers", async () => {
      for (const minute of await this.#ports.timers.minutes(this.#shard))
        if (minute < this.#near.until && !this.#stopped) await this.#load(minute);
    });
  }

  #load(minute: Instant): Promise<void> {
    return this.#persistently("read timers", async () => {
      for (const timer of await this.#ports.timers.of(this.#shard, minute)) this.#note(timer);
    });
  }

  #note(timer: Timer): void {
    if (this.#stopped) return;
    this.#near.add(timer);
    if (timer.at === this.#near.nextTime) this.#alarm.ring();
  }

  #untilNextRead(): number {
    const next = this.#near.nextTime;
    if (next === null) return MINUTE_MS;
    if (this.#outcomes.underWay >= MOST_READ) return RETRY_MS / 10;
    return Math.max(0, next - READ_AHEAD_MS - this.#ports.clock.now());
  }

  /** Reads what falls due soon, and hands it over to be published at its time. */
  async #read(): Promise<void> {
    const { clock, dispatcher } = this.#ports;
    while (!this.#stopped) {
      const room = Math.min(TOGETHER, MOST_READ - this.#outcomes.underWay);
      const timers = this.#near.take(clock.now() + READ_AHEAD_MS + READ_SPAN_MS, room);
      if (timers.length === 0) return;
      const due = await Promise.all(timers.map((timer) => this.#dueOf(timer)));
      if (this.#stopped) return;
      const found = due.filter((item) => item !== null);
      this.#outcomes.begin(found);
      dispatcher.add(this.#outcomes, found);
    }
  }

  /** Null: there is nothing to publish. */
  async #dueOf(timer: Timer): Promise<DueTimer | null> {
    try {
      const message = await this.#ports.timers.read(timer.seq);
      if (message === null) this.#cancelled(timer);
      if (message === null || (await this.#wasFired(timer, message))) return null;
      const due = await this.#due(timer, message);
      return due === null || (await this.#wasCancelled(due)) ? null : due;
    } catch (error) {
      this.#ports.log.warn(
        { runId: timer.runId, error: messageOf(error) },
        "a timer could not be read: tried again",
      );
      this.#ports.clock.after(RETRY_MS, () => {
        this.#near.putBack(timer);
        this.#alarm.ring();
      });
      return null;
    }
  }

  /** By way of the gate, if its queue has one by now. */
  async #due(timer: Timer, stored: StoredMessage): Promise<DueTimer | null> {
    const { admission, names } = this.#ports;
    const work = workMessageOf(timer, stored);
    const queue = work === null ? undefined : parseJobSubject(work.subject)?.queue;
    if (work === null || queue === undefined) {
      void this.#outcomes.bury(timer, stored, "it does not say where it belongs");
      return null;
    }
    const message = admitted(work, await admission.settings(queue), names);
    const { [h.startDeadline]: deadline = "", [h.attemptsBefore]: before } = message.headers;
    const isLate = timer.at < this.#ports.clock.now() - LATE_MS;
    return {
      slot: timer.at,
      timer,
      subject: message.subject,
      prepared: this.#ports.work.prepare(message),
      deadline: Date.parse(deadline),
      isBegun: before !== undefined,
      ...(isLate && { catchUp: true }),
    };
  }

  /** Whether somebody did, and the server has forgotten the message id, or that the timer was removed. */
  async #wasCancelled(due: DueTimer): Promise<boolean> {
    const { runId, seq, at } = due.timer;
    if (at > this.#inheritedUntil) return false;
    const { work, names } = this.#ports;
    const tombstone = await work.lastOn(names.timerTombstone(runId, seq));
    if (tombstone !== null) await this.#outcomes.withdrawn(due, tombstone);
    return tombstone !== null;
  }

  /** Whether an earlier holder has fired it, or somebody else. */
  async #wasFired(timer: Timer, stored: StoredMessage): Promise<boolean> {
    if (timer.at > this.#inheritedUntil) return false;
    const isFired = this.#ports.firedTimers.has(timer.seq) || (await this.#traces.wasFired(timer, stored));
    if (!isFired) return false;
    this.#settled(timer);
    return true;
  }

  #settled(timer: Timer): void {
    const at = this.#ports.clock.monotonic();
    if (this.#done.length === 0) this.#removeLater(REMOVE_AFTER_MS);
    for (const one of [timer, ...this.#near.settle(timer)]) this.#done.push({ timer: one, at });
  }

  /** What falls due now goes first: the server has to remove messages one by one. */
  #removeLater(waitMs: number): void {
    this.#ports.clock.after(waitMs, () => {
      const until = this.#ports.clock.monotonic() - REMOVE_AFTER_MS;
      const rest = this.#done.findIndex(({ at }) => at > until);
      const ripe = this.#done.splice(0, rest === -1 ? this.#done.length : rest);
      for (const { timer } of ripe) this.#remove(timer);
      if (this.#done.length > 0) this.#removeLater(REMOVE_TOGETHER_MS);
    });
  }

  #cancelled(timer: Timer): void {
    this.#near.cancel(timer);
    this.#remove(timer);
    this.#alarm.ring();
  }

  #remove(timer: Timer): void {
    void this.#persistently("remove a timer", async () => {
      await this.#ports.timers.remove(timer.seq);
      this.#near.forget(timer);
    });
  }

  /** Until it succeeds, or the term is over: then the next holder does it. */
  async #persistently(what: string, act: () => Promise<void>): Promise<void> {
    while (!this.#stopped) {
      try {
        return await act();
      } catch (error) {
        if (this.#stopped) return;
        this.#ports.log.warn(
          { shard: this.#shard, error: messageOf(error) },
          `could not ${what}: tried again`,
        );
        await new Promise<void>((resolve) => this.#ports.clock.after(RETRY_MS, resolve));
      }
    }
  }
}
