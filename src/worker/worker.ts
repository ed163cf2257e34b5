/**
 * A worker: pulls the jobs of one queue and has a performer do each.
 *
 * Stopping is a drain. It stops to pull, lets the running jobs end, aborts those that are not over by the deadline,
 * and gives them back for another worker.
 */
import { hostname } from "node:os";
import type { EndRecords } from "../core/end-record.js";
import { invalid, messageOf, PunctualError } from "../core/errors.js";
import { Finished } from "../core/finished.js";
import type {
  Cancellations,
  Clock,
  DeadLetters,
  Delivery,
  Member,
  Membership,
  RunLog,
  Subscription,
  WorkSource,
} from "../core/ports.js";
import type { QueueSettings, QueueStore } from "../core/queue.js";
import type { WorkerTelemetry } from "../core/telemetry.js";
import type { Tracing } from "../core/tracing.js";
import { limits } from "../protocol/limits.js";
import { checkQueue } from "../protocol/names.js";
import { inPlaceOf } from "../protocol/redelivery-message.js";
import type { Logger } from "../runtime/log.js";
import { RunLogs } from "../runtime/run-log.js";
import { AtWork } from "./at-work.js";
import { Execution } from "./execute.js";
import type { LongWaits } from "./long-waits.js";
import { around } from "./middleware.js";
import type { WorkerSettings } from "./options.js";
import type { Performer } from "./performer.js";
import { Presence } from "./presence.js";
import { QueuePull } from "./queue-pull.js";
import { redactor } from "./redact.js";
import { Stalls } from "./stalls.js";
import { Sweeps } from "./sweeps.js";
import { Turns } from "./turns.js";
import { newWorkerId } from "./worker-id.js";
import { endsOf, type Workplace } from "./workplace.js";

export interface WorkerPorts {
  source: WorkSource;
  runs: RunLog & EndRecords;
  dead: DeadLetters;
  queues: Pick<QueueStore, "ensure" | "watch">;
  /** Without it the worker is not seen among the members; nothing else depends on it. */
  members?: Membership | undefined;
  /** Without them its runs cannot be cancelled. */
  cancellations?: Cancellations | undefined;
  longWaits?: LongWaits | undefined;
  telemetry: WorkerTelemetry;
  tracing: Tracing;
  clock: Clock;
  log: Logger;
}

/** How a worker is to stop. */
export interface StopOptions {
  /**
   * How long running jobs may go on; then they are aborted and given back, for which they have `abortGraceMs`, and the
   * server 5 s to hear of it. Default: the worker's `drainTimeoutMs`.
   */
  deadlineMs?: number | undefined;
}

/** An announcement fades after `limits.memberTtlMs`. */
const ANNOUNCE_MS = Math.floor(limits.memberTtlMs / 3);
/** A job that runs for longer than this has an event of its start. */
const TELL_MS = 250;
/** After their grace, aborted jobs have this long to tell the server. */
const LAST_WORDS_MS = 5_000;

/** A worker of a queue. Use `Punctual.work`. */
export class Worker {
  readonly id: string;
  readonly queue: string;
  readonly #ports: WorkerPorts;
  readonly #settings: WorkerSettings;
  readonly #performer: Performer;
  readonly #atWork: AtWork;
  readonly #sweeps: Sweeps;
  #workplace: Workplace | undefined;
  #subscription: Subscription | undefined;
  #cancellations: Subscription | undefined;
  #presence: Presence | undefined;
  #stalls: Stalls | undefined;
  #state: "new" | "running" | "draining" | "stopped" = "new";
  #starting: Promise<this> | undefined;
  #stopping: Promise<void> | undefined;

  /** @throws invalid when the queue's name is refused */
  constructor(ports: WorkerPorts, queue: string, settings: WorkerSettings, performer: Performer) {
    this.#ports = ports;
    this.queue = checkQueue(queue);
    this.#settings = settings;
    this.#performer = performer;
    this.#sweeps = new Sweeps(ports.clock);
    this.#atWork = new AtWork(ports.clock);
    this.id = settings.id ?? newWorkerId();
  }

  /** Jobs that run now. */
  get runningCount(): number {
    return this.#atWork.count;
  }

  /** What keeps it from pulling; null when nothing does. */
  get problem(): string | null {
    if (this.#stopping !== undefined) return "is stopping";
    return this.#subscription === undefined ? "is starting" : null;
  }

  get isOver(): boolean {
    return this.#state === "stopped";
  }

  /** Makes the queue if there is none, and begins to pull. */
  start(): Promise<this> {
    if (this.#state !== "new")
      return Promise.reject(new PunctualError("conflict", `worker ${this.id}: was started before`));
    this.#state = "running";
    this.#starting = this.#begin();
    return this.#starting;
  }

  /** Drains and stops. Asked again, the promise is the same, and an earlier deadline holds. Never rejects. */
  stop({ deadlineMs }: StopOptions = {}): Promise<void> {
    if (this.#stopping === undefined)
      this.#stopping = this.#drain(deadlineMs ?? this.#settings.drainTimeoutMs);
    else if (deadlineMs !== undefined) this.#sweeps.once("deadline", deadlineMs, () => this.#interrupt());
    return this.#stopping;
  }

  /** `stop` with a deadline: no more jobs, and those that run have `deadlineMs` to end. */
  drain(deadlineMs: number): Promise<void> {
    return this.stop({ deadlineMs });
  }

  async #begin(): Promise<this> {
    const { log, cancellations } = this.#ports;
    await this.#performer.start?.();
    const pull = new QueuePull(this.#ports, this.queue, {
      concurrency: this.#settings.concurrency,
      onDelivery: (delivery) => this.#onDelivery(delivery),
      onNotice: (notice) => log.debug({ queue: this.queue, notice }, "worker"),
    });
    this.#subscription = pull;
    await pull.start((settings) => this.#follow(settings));
    this.#cancellations = cancellations?.listen((runId) => this.#atWork.cancel(runId));
    this.#sweeps.every("telling", TELL_MS, () => {
      this.#stalls?.look();
      this.#atWork.tell();
    });
    await this.#join();
    return this;
  }

  async #drain(deadlineMs: number): Promise<void> {
    await this.#starting?.catch(() => {});
    await this.#quietly("ending the pull", () => this.#subscription?.stop());
    this.#performer.drain?.();
    if (!(await this.#atWork.idleWithin(deadlineMs))) {
      this.#interrupt();
      await this.#atWork.idleWithin(this.#settings.abortGraceMs + LAST_WORDS_MS);
    }
    this.#state = "stopped";
    this.#sweeps.stop();
    await this.#quietly("hearing no more", () => this.#cancellations?.stop());
    await this.#quietly("closing", () => this.#performer.close?.());
    await this.#presence?.leave();
  }

  /** The deadline has come. */
  #interrupt(): void {
    this.#state = "draining";
    this.#ports.log.warn(
      { queue: this.queue, jobs: this.#atWork.count },
      "jobs are aborted: the worker stops",
    );
    this.#atWork.interrupt();
  }

  /** Resolves when the worker has done with the delivery, settled or not. */
  async #onDelivery(delivery: Delivery): Promise<void> {
    const place = this.#workplace;
    if (place === undefined || this.#state !== "running") return this.#giveBack(delivery);
    if (this.#atWork.adopts(delivery)) return;
    if (isFinished(place.finished, delivery)) return delivery.ack();
    place.turns.onDelivery();
    await this.#atWork.run(delivery.seq, new Execution(place, delivery));
  }

  /** It came too late: another worker may have it at once. */
  #giveBack(delivery: Delivery): void {
    try {
      delivery.nak(0);
    } catch (error) {
      this.#ports.log.debug({ worker: this.id, error: messageOf(error) }, "a job could not be given back");
    }
  }

  /** At first, and whenever they change. A beat at once, as the wait of jobs in hand may be a shorter one now. */
  #follow({ ackWaitMs, maxAttempts, history }: QueueSettings): void {
    const heartbeatMs = this.#heartbeatWithin(ackWaitMs);
    this.#workplace = this.#workplaceUnder({ maxAttempts, history });
    this.#stalls = new Stalls(this.#ports.clock, TELL_MS, ackWaitMs / 2, (blockedMs) =>
      this.#ports.log.warn(
        { queue: this.queue, worker: this.id, blockedMs, ackWaitMs },
        "the event loop was blocked, and heartbeats with it: jobs may be delivered twice; threads help",
      ),
    );
    this.#atWork.beat();
    this.#sweeps.every("heartbeats", heartbeatMs, () => this.#atWork.beat());
  }

  #heartbeatWithin(ackWaitMs: number): number {
    const third = Math.max(1, Math.floor(ackWaitMs / 3));
    const heartbeatMs = this.#settings.heartbeatMs ?? third;
    if (heartbeatMs < ackWaitMs) return heartbeatMs;
    const expected = `expected less than ${ackWaitMs}, the ack wait of queue ${this.queue}`;
    if (this.#workplace === undefined) throw invalid("heartbeatMs", `${expected}, got ${heartbeatMs}`);
    this.#ports.log.warn(
      { queue: this.queue, heartbeatMs, ackWaitMs },
      "the ack wait is shorter now: told more often",
    );
    return third;
  }

  /**
   * Written out, not spread from the former: V8 may take each object that is spread together for one of another kind, and
   * then throws away what it has made fast for the last one.
   */
  #workplaceUnder({ maxAttempts, history }: Pick<QueueSettings, "maxAttempts" | "history">): Workplace {
    const { runs, dead, clock, log, longWaits, telemetry, tracing } = this.#ports;
    const { abortGraceMs, schema, settleWithinMs, concurrency, middleware, redact } = this.#settings;
    const { handle } = this.#performer;
    const former = this.#workplace;
    return {
      runs,
      dead,
      clock,
      log,
      queue: this.queue,
      worker: this.id,
      maxAttempts,
      history,
      abortGraceMs,
      schema: schema ?? handle.schema,
      handler: former?.handler ?? around(middleware, handle),
      turns: former?.turns ?? new Turns(clock, settleWithinMs, concurrency),
      finished: former?.finished ?? new Finished(),
      longWaits,
      ends: former?.ends ?? endsOf({ runs, clock, log, queue: this.queue, worker: this.id }),
      logs: former?.logs ?? new RunLogs(log),
      redacted: redact,
      redact: former?.redact ?? redactor(redact),
      telemetry,
      tracing,
    };
  }

  async #join(): Promise<void> {
    const { members, clock, log } = this.#ports;
    if (members === undefined) return;
    const { labels } = this.#settings;
    const place = { host: hostname(), pid: process.pid, startedAt: clock.now(), queues: [this.queue] };
    const member: Member = { role: "worker", id: this.id, ...place, labels };
    const presence = new Presence(members, member, log);
    this.#presence = presence;
    await presence.announce();
    this.#sweeps.every("announcement", ANNOUNCE_MS, () => presence.announce());
  }

  /** For what people would like to see and nothing depends on. */
  async #quietly(what: string, action: () => Promise<void> | undefined): Promise<void> {
    try {
      await action();
    } catch (error) {
      this.#ports.log.debug({ worker: this.id, error: messageOf(error) }, `${what} failed`);
    }
  }
}

/** Or was put in the place of one that is. */
function isFinished(finished: Finished, delivery: Delivery): boolean {
  const former = inPlaceOf(delivery.headers);
  if (former !== null && finished.has(former)) finished.add(delivery);
  return finished.has(delivery);
}
