/** Timers on their way into WORK: what the answer to each means. */
import { messageOf } from "../core/errors.js";
import type { RunHistory } from "../core/lookback.js";
import type {
  Clock,
  DeadLetters,
  PreparedMessage,
  PublishOutcome,
  RunLog,
  StoredMessage,
  WorkStream,
} from "../core/ports.js";
import type { Instant } from "../core/schedule.js";
import type { Timer, TimerStore } from "../core/timer.js";
import { headers as h } from "../protocol/headers.js";
import type { Names } from "../protocol/names.js";
import { isUntoldKey, parseJobSubject } from "../protocol/subjects.js";
import type { Logger } from "../runtime/log.js";
import type { Dispatcher, Due, Publishing } from "./dispatcher.js";
import type { FiredTimers } from "./fired-timers.js";
import { buryRefused } from "./refusal.js";
import { tellCancelled } from "./told-cancelled.js";

export interface TimerOutcomePorts {
  work: WorkStream;
  timers: Pick<TimerStore, "read">;
  runs: RunLog;
  history: RunHistory;
  dead: DeadLetters;
  dispatcher: Dispatcher;
  firedTimers: FiredTimers;
  names: Names;
  clock: Clock;
  log: Logger;
}

/** A timer that was read. There may be thousands: what few of them need is read again. */
export interface DueTimer extends Due {
  timer: Timer;
  /** Where its job belongs in WORK. */
  subject: string;
  prepared: PreparedMessage;
  /** Of its start; NaN: none. */
  deadline: Instant;
  /** It comes back for another attempt. */
  isBegun: boolean;
}

export interface TimerTerm {
  mayPublish(): boolean;
  /** Its job is queued, or never will be. Its message is to be removed, as after a cancellation. */
  onSettled(timer: Timer): void;
  onCancelled(timer: Timer): void;
}

const RETRY_MS = 250;
/** A retry whose place is taken is tried again this often. */
const TAKEN_RETRY_MS = 1_000;

export class TimerOutcomes implements Publishing<DueTimer> {
  readonly #ports: TimerOutcomePorts;
  readonly #term: TimerTerm;
  #underWay = 0;

  constructor(ports: TimerOutcomePorts, term: TimerTerm) {
    this.#ports = ports;
    this.#term = term;
  }

  /** Handed to the dispatcher and not done with. */
  get underWay(): number {
    return this.#underWay;
  }

  begin(items: readonly DueTimer[]): void {
    this.#underWay += items.length;
  }

  mayPublish(): boolean {
    return this.#term.mayPublish();
  }

  admits(item: DueTimer): boolean {
    if (item.isBegun || !(this.#ports.clock.now() > item.deadline)) return true;
    void this.#tellEnd(item, "expired", "start deadline");
    return false;
  }

  prepare({ prepared }: DueTimer): PreparedMessage {
    return prepared;
  }

  restOf(): number {
    return 0;
  }

  onOutcome(item: DueTimer, outcome: PublishOutcome): void {
    switch (outcome.kind) {
      case "stored":
        this.#done(item);
        return;
      case "duplicate":
        void this.#attempt(item, () => this.#onDuplicate(item, outcome.seq));
        return;
      case "taken":
        void this.#attempt(item, () => this.#onTaken(item));
        return;
      case "refused":
        void this.#attempt(item, async () => {
          const stored = await this.#ports.timers.read(item.timer.seq);
          if (stored !== null) await this.#bury(item.timer, stored, outcome.reason);
          this.#done(item);
        });
        return;
      case "full":
      case "unknown": // the server takes the message id once
        this.#ports.dispatcher.addLater(this, item, RETRY_MS);
    }
  }

  /** What nobody can run is kept with the reason. */
  async bury(timer: Timer, stored: StoredMessage, reason: string): Promise<void> {
    try {
      await this.#bury(timer, stored, reason);
      this.#term.onSettled(timer);
    } catch (error) {
      this.#ports.log.warn(
        { runId: timer.runId, error: messageOf(error) },
        "a timer could not be kept as a dead letter: left for the next term",
      );
    }
  }

  /** Whoever cancelled it may have crashed before it was told. */
  async withdrawn({ timer }: DueTimer, tombstone: StoredMessage): Promise<void> {
    const { runId, seq, at } = timer;
    if (tombstone.headers[h.reason] === "cancelled")
      await tellCancelled(this.#ports.runs, { runId, at: "timers", seq }, at);
    this.#term.onCancelled(timer);
  }

  /** Fired by an earlier holder, or cancelled. */
  async #onDuplicate(item: DueTimer, seq: number): Promise<void> {
    const { work, names } = this.#ports;
    const { runId } = item.timer;
    const first = await work.at(seq);
    if (first?.subject !== names.timerTombstone(runId, item.timer.seq)) return this.#done(item);
    await this.withdrawn(item, first);
    this.#underWay--;
  }

  /** Its place is held by itself, or by another job with the same key. */
  async #onTaken(item: DueTimer): Promise<void> {
    const { work, dispatcher } = this.#ports;
    const occupant = await work.lastOn(item.subject);
    if (occupant === null) return dispatcher.addLater(this, item, 0);
    if (occupant.headers[h.runId] === item.timer.runId) {
      this.#done(item);
      return;
    }
    if (item.isBegun) return dispatcher.addLater(this, item, TAKEN_RETRY_MS);
    await this.#append(item, "skipped", "a job with this id or key is queued or running");
    this.#done(item);
  }

  async #tellEnd(item: DueTimer, type: string, reason: string): Promise<void> {
    await this.#attempt(item, async () => {
      await this.#append(item, type, reason);
      this.#done(item);
    });
  }

  #append({ timer, subject }: DueTimer, type: string, reason: string): Promise<void> {
    const queue = parseJobSubject(subject)?.queue;
    const data = { reason, queue, at: new Date(timer.at).toISOString() };
    return this.#ports.runs.append({
      runId: timer.runId,
      type,
      msgId: `${timer.runId}/${type}/t${timer.seq}`,
      data,
    });
  }

  async #bury(timer: Timer, { headers, body, subject }: StoredMessage, reason: string): Promise<void> {
    const { runId, seq } = timer;
    const queue = parseJobSubject(headers[h.subject] ?? "")?.queue ?? "default";
    await buryRefused(this.#ports, { queue, subject, seq, headers, body }, runId, reason, `t${seq}`);
  }

  #done({ timer, subject }: DueTimer): void {
    this.#underWay--;
    const place = parseJobSubject(subject);
    if (place !== null && isUntoldKey(place.key, timer.runId))
      this.#ports.firedTimers.add(place.queue, timer.seq);
    this.#term.onSettled(timer);
  }

  /** What cannot be done now is begun anew with the publish: that is refused as before. */
  async #attempt(item: DueTimer, act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      this.#ports.log.warn(
        { runId: item.timer.runId, error: messageOf(error) },
        "a timer could not be settled: tried again",
      );
      this.#ports.dispatcher.addLater(this, item, TAKEN_RETRY_MS);
    }
  }
}
