/**
 * Works backfills off: the orchestrator that holds a schedule's shard runs its slots of the past, batch by batch.
 *
 *   decide the next slots ── CAS ──► publish those that are to run ── CAS ──► count them, decide the next …
 *
 * A crash, a takeover or a doubt may cut this anywhere. Nothing is lost, as a slot is passed only by the write that also
 * holds it in `batch`, and an entry leaves `batch` only when it is known to be in WORK. Nothing is doubled either:
 *
 * - Who has lost a write does nothing more. So each slot is decided by one write, whoever holds the shard, and however
 *   many believe they do: holding it only says who tries.
 * - A run's id, and its message id, are the same whoever publishes it. While the server remembers the id it refuses the
 *   second as a duplicate; while the job is queued or running its subject, which no other run has, is taken. Both mean
 *   that it is in WORK.
 * - A batch that was found in the record may have been published long ago, and its jobs be done. So RUNS is asked first:
 *   the server itself tells there of each job of this lane that it stores, and workers tell of its end.
 * - Before each publish the time since the write is looked at, on the monotonic clock: who was paused publishes nothing
 *   when it wakes. What then is still possible, a message that lay in a socket for longer than the server remembers its
 *   id, and whose run is over by then, is the same that is possible for fires on such servers.
 *
 * A schedule whose delivery is `at-most-once` has what RUNS does not tell of in a found batch counted as missed instead.
 *
 * Slots that the shard has not decided yet, or is publishing, wait until it has: they may still fire by themselves.
 */
import { type Backfill, type BackfillStore, decided, type Settled, settled } from "../core/backfill.js";
import { messageOf } from "../core/errors.js";
import { shardOf } from "../core/hash.js";
import type { CasOutcome, ScheduleStore, Subscription, Versioned } from "../core/ports.js";
import type { Instant } from "../core/schedule.js";
import type { Logger } from "../runtime/log.js";
import { type ChoicePorts, chooseSlots, type Past, pastOf } from "./backfill-choice.js";
import { BackfillPublisher, type BackfillPublisherPorts, type Batch } from "./backfill-publisher.js";
import type { Definition, Definitions } from "./definitions.js";

export interface BackfillerPorts extends BackfillPublisherPorts, ChoicePorts {
  log: Logger;
  shards: number;
  backfills: BackfillStore;
  schedules: ScheduleStore;
}

const EVERY_MS = 200;
const RETRY_MS = 1_000;
const TRIES = 5;

/** A backfill that is running, as far as it is known here. */
interface Task {
  backfill: Backfill;
  isUnderWay: boolean;
  notBefore: Instant;
  /** Read once, and again when slots were held up by what it says. */
  past: Past | undefined;
}

export class Backfiller implements Subscription {
  readonly #ports: BackfillerPorts;
  readonly #definitions: Definitions;
  readonly #isMine: (shard: number) => boolean;
  readonly #tasks = new Map<string, Task>();
  #watch: Subscription | undefined;
  #cancelTimer: () => void = () => {};
  #stopped = false;

  /** @param isMine whether the shard is held here: a matter of who tries, not of safety */
  constructor(ports: BackfillerPorts, definitions: Definitions, isMine: (shard: number) => boolean) {
    this.#ports = ports;
    this.#definitions = definitions;
    this.#isMine = isMine;
  }

  async start(): Promise<this> {
    this.#watch = await this.#ports.backfills.watch((id, backfill) => this.#onChange(id, backfill));
    this.#keepGoing();
    return this;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelTimer();
    await this.#watch?.stop();
  }

  /** Begins a pass for each backfill that is due. */
  runOnce(): void {
    const now = this.#ports.clock.now();
    for (const [id, task] of this.#tasks) {
      const shard = shardOf(task.backfill.scheduleId, this.#ports.shards);
      if (task.isUnderWay || now < task.notBefore || !this.#isMine(shard)) continue;
      task.isUnderWay = true;
      void this.#pass(id, task).finally(() => {
        task.isUnderWay = false;
      });
    }
  }

  #keepGoing(): void {
    this.#cancelTimer = this.#ports.clock.after(EVERY_MS, () => {
      if (this.#stopped) return;
      this.runOnce();
      this.#keepGoing();
    });
  }

  #onChange(id: string, backfill: Backfill): void {
    const task = this.#tasks.get(id);
    if (backfill.state !== "running") this.#tasks.delete(id);
    else if (task !== undefined) task.backfill = backfill;
    else {
      const { notBefore } = backfill;
      this.#tasks.set(id, { backfill, notBefore, isUnderWay: false, past: undefined });
    }
  }

  async #pass(id: string, task: Task): Promise<void> {
    try {
      const record = await this.#ports.backfills.get(id);
      if (record === null || record.value.state !== "running") this.#tasks.delete(id);
      else await this.#goOn(id, task, record);
    } catch (error) {
      this.#ports.log.warn(
        { backfill: id, error: messageOf(error) },
        "a backfill could not go on: tried again",
      );
      this.#rest(task);
    }
  }

  async #goOn(id: string, task: Task, record: Versioned<Backfill>): Promise<void> {
    const { clock } = this.#ports;
    const definition = await this.#definitionOf(record.value);
    if (typeof definition === "string") return this.#fail(id, record, definition);
    const { batch } = record.value;
    const foundAt = clock.monotonic();
    if (batch.length > 0)
      return this.#publish(id, record, definition, { slots: batch, isInherited: true, startedAt: foundAt });
    if (clock.now() < record.value.notBefore) {
      task.notBefore = record.value.notBefore;
      return;
    }
    task.past ??= await pastOf(this.#ports, record.value, definition.schedule);
    const { slots, isHeldUp } = await chooseSlots(this.#ports, record.value, definition, task.past);
    if (isHeldUp) {
      this.#rest(task);
      task.past = undefined;
      if (slots.length === 0) return;
    }
    const startedAt = clock.monotonic();
    const next = decided(record.value, slots, clock.now());
    const outcome = await this.#ports.backfills.write(id, next, record.revision);
    if (outcome.kind !== "stored") return this.#onNotStored(task, outcome);
    task.notBefore = Math.max(next.notBefore, isHeldUp ? task.notBefore : 0);
    const written = { value: next, revision: outcome.revision };
    if (next.batch.length > 0)
      await this.#publish(id, written, definition, { slots: next.batch, isInherited: false, startedAt });
  }

  async #publish(
    id: string,
    record: Versioned<Backfill>,
    definition: Definition,
    batch: Batch,
  ): Promise<void> {
    const publisher = new BackfillPublisher(this.#ports, id, definition, () => this.#stopped);
    await this.#count(id, record, await publisher.publish(batch));
  }

  /** Somebody may have cancelled it meanwhile: what was queued is counted all the same. */
  async #count(id: string, { value, revision }: Versioned<Backfill>, result: Settled): Promise<void> {
    const { backfills, clock } = this.#ports;
    let [current, at] = [value, revision];
    for (let tries = 0; tries < TRIES; tries++) {
      const outcome = await backfills.write(id, settled(current, result, clock.now()), at);
      if (outcome.kind === "stored") return;
      const record = await backfills.get(id);
      // With another batch, or none, it was counted: by whoever holds the shard now, or by ourselves.
      if (record === null || String(record.value.batch) !== String(value.batch)) return;
      [current, at] = [record.value, record.revision];
    }
  }

  #fail(id: string, { value, revision }: Versioned<Backfill>, reason: string): Promise<void> {
    const failed: Backfill = { ...value, state: "failed", reason, changedAt: this.#ports.clock.now() };
    return this.#ports.backfills.write(id, failed, revision).then(() => {});
  }

  /** Somebody else has written, or it is in doubt: the record says what holds. */
  #onNotStored(task: Task, { kind }: CasOutcome): void {
    if (kind === "unknown") this.#rest(task);
  }

  #rest(task: Task): void {
    task.notBefore = this.#ports.clock.now() + RETRY_MS;
  }

  /** The definition as it was when the backfill was made, or why there is none to go on with. */
  async #definitionOf({ scheduleId, revision }: Backfill): Promise<Definition | string> {
    const shard = shardOf(scheduleId, this.#ports.shards);
    const current = this.#definitions.get({ id: scheduleId, shard });
    if (current?.schedule.deleted === true) return "the schedule was deleted";
    if (current?.schedule.revision === revision) return current;
    const kept = await this.#ports.schedules.getRevision(scheduleId, revision);
    if (kept === null) return `revision ${revision} of the schedule is no longer kept`;
    return this.#definitions.compile(kept);
  }
}
