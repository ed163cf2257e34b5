/**
 * Runs that find their subject taken.
 *
 * A schedule with `maxConcurrent` n has n subjects; a run tries them one after the other. When all of them hold other
 * runs, its overlap policy says what becomes of it: it is skipped, it waits its turn, or it has the oldest of the others
 * ended. Hints say when to try again; a slow poll stands in for those that are lost.
 */
import type { Firing } from "../core/lease.js";
import { WaitingLine } from "../core/overlap.js";
import { takesTurns } from "../core/overlap-policy.js";
import type { Cancellations, Clock, Occupant, RunEnds, Subscription } from "../core/ports.js";
import type { Schedule } from "../core/schedule.js";
import { limits } from "../protocol/limits.js";
import type { Definition } from "./definitions.js";
import { readTaken, type SettlePorts } from "./settle.js";

export interface OverlapPorts extends SettlePorts {
  clock: Clock;
  cancellations: Cancellations;
  ends: RunEnds;
}

/** What becomes of runs, said to their term. */
export interface OverlapOutcomes {
  definitionOf(firing: Firing): Definition;
  publish(firing: Firing): void;
  fired(firing: Firing, seq: number | null): void;
  skipped(firing: Firing, reason: string): void;
  doubt(reason: string): void;
}

/** Without a hint, a run that waits is tried again this often. */
const POLL_MS = 1_000;
/** After a hint the message may be there for a moment: the event comes before the acknowledgement. */
const HINTED_RETRY_MS = 20;
const HINT_LASTS_MS = 500;
const SHARD_FULL = "overlap: the buffer of the shard is full";

interface Line {
  waiting: WaitingLine;
  hintedAt: number;
  hints: Subscription[];
  cancelTimer: () => void;
}

export class Overlaps {
  readonly #ports: OverlapPorts;
  readonly #outcomes: OverlapOutcomes;
  readonly #lines = new Map<string, Line>();
  /** The subject that a run tries next, where it is not the first; and who holds those before. */
  readonly #tries = new Map<Firing, { ticket: number; occupants: Occupant[] }>();
  #stopped = false;

  constructor(ports: OverlapPorts, outcomes: OverlapOutcomes) {
    this.#ports = ports;
    this.#outcomes = outcomes;
  }

  /** Runs that wait for others. */
  get waiting(): number {
    let sum = 0;
    for (const { waiting } of this.#lines.values()) if (waiting.isBlocked) sum += waiting.size;
    return sum;
  }

  /** Which of the schedule's subjects a run is to be published on. */
  ticketOf(firing: Firing): number {
    return this.#tries.get(firing)?.ticket ?? 1;
  }

  /** Whether it is a run's turn to be published; if not, it is kept until it is. */
  admits(firing: Firing): boolean {
    const { schedule } = this.#outcomes.definitionOf(firing);
    if (!takesTurns(schedule)) return true;
    const line = this.#lineOf(firing.scheduleId);
    if (line.waiting.offer(firing)) return true;
    this.#trim(line, schedule);
    const isOneTooMany = line.waiting.isBlocked && this.waiting > limits.waitingPerShard;
    if (isOneTooMany && line.waiting.holds(firing)) this.#outcomes.skipped(firing, SHARD_FULL);
    return false;
  }

  /** The subject that it was published on was taken. */
  async onTaken(firing: Firing): Promise<void> {
    try {
      const { messages, schedule } = this.#outcomes.definitionOf(firing);
      const ticket = this.ticketOf(firing);
      const by = await readTaken(this.#ports, firing, messages.subject(firing.slot, ticket));
      if (this.#stopped) return;
      if (by.kind === "this run") this.#outcomes.fired(firing, by.seq);
      else if (by.kind === "nobody") this.#again(firing);
      else await this.#onOccupied(firing, schedule, by.occupant);
    } catch (error) {
      this.#outcomes.doubt(`a taken subject could not be read: ${(error as Error).message}`);
    }
  }

  /** A run was refused for another reason, and is to be published again. */
  retry(firing: Firing): void {
    this.#lines.get(firing.scheduleId)?.waiting.retry();
  }

  /** It is published, or never will be: the next one has its turn. */
  forget(firing: Firing): void {
    this.#tries.delete(firing);
    const line = this.#lines.get(firing.scheduleId);
    if (line === undefined) return;
    line.waiting.remove(firing);
    if (line.waiting.size > 0) this.#tryNext(line);
    else {
      this.#quiet(line);
      this.#lines.delete(firing.scheduleId);
    }
  }

  stop(): void {
    this.#stopped = true;
    for (const line of this.#lines.values()) this.#quiet(line);
  }

  async #onOccupied(firing: Firing, schedule: Schedule, occupant: Occupant): Promise<void> {
    const ticket = this.ticketOf(firing);
    const occupants = [...(this.#tries.get(firing)?.occupants ?? []), occupant];
    if (schedule.overlap !== "allow" && ticket < schedule.maxConcurrent) {
      this.#tries.set(firing, { ticket: ticket + 1, occupants });
      this.#again(firing);
      return;
    }
    this.#tries.delete(firing);
    if (!takesTurns(schedule)) {
      this.#outcomes.skipped(firing, "overlap");
      return;
    }
    const oldest = occupants.reduce((a, b) => (a.seq < b.seq ? a : b));
    if (schedule.overlap === "terminate-other") {
      await this.#terminate(oldest, firing);
      if (!this.#stopped) this.#again(firing);
      return;
    }
    if (schedule.overlap === "cancel-other") this.#ports.cancellations.request(oldest.runId);
    this.#block(this.#lineOf(firing.scheduleId), schedule, occupants);
  }

  #again(firing: Firing): void {
    this.retry(firing);
    this.#outcomes.publish(firing);
  }

  /** The event first: a crash in between repeats both, and the run's end is told in any case. */
  async #terminate({ runId, seq }: Occupant, by: Firing): Promise<void> {
    const { runs, work, cancellations } = this.#ports;
    const data = { reason: "terminated", by: by.scheduleId };
    await runs.append({ runId, type: "cancelled", msgId: `${runId}/cancelled/${seq}`, data });
    await work.remove(seq);
    cancellations.request(runId);
  }

  #block(line: Line, schedule: Schedule, occupants: readonly Occupant[]): void {
    const { clock, ends } = this.#ports;
    this.#quiet(line);
    line.waiting.block();
    line.hints = occupants.map((occupant) => ends.listen(occupant, () => this.#onHint(line)));
    const isHinted = clock.monotonic() - line.hintedAt < HINT_LASTS_MS;
    line.cancelTimer = clock.after(isHinted ? HINTED_RETRY_MS : POLL_MS, () => this.#tryNext(line));
    this.#trim(line, schedule);
  }

  #onHint(line: Line): void {
    line.hintedAt = this.#ports.clock.monotonic();
    this.#quiet(line);
    this.#tryNext(line);
  }

  #tryNext(line: Line): void {
    const next = line.waiting.next;
    if (next !== null && !this.#stopped) this.#outcomes.publish(next);
  }

  #trim(line: Line, schedule: Schedule): void {
    for (const { firing, reason } of line.waiting.trim(schedule)) this.#outcomes.skipped(firing, reason);
  }

  #quiet(line: Line): void {
    line.cancelTimer();
    for (const hint of line.hints.splice(0)) void hint.stop();
  }

  #lineOf(scheduleId: string): Line {
    let line = this.#lines.get(scheduleId);
    if (line === undefined) {
      const hintedAt = Number.NEGATIVE_INFINITY;
      line = { waiting: new WaitingLine(), hintedAt, hints: [], cancelTimer: () => {} };
      this.#lines.set(scheduleId, line);
    }
    return line;
  }
}
