/**
 * A worker: pulls the jobs of one queue and runs a handler for each.
 *
 * Stopping is a drain. It stops to pull, lets the running jobs end, aborts those that take longer than
 * `drainTimeoutMs`, and gives them back for another worker.
 */
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import type { EndRecords, RunEnd } from "../core/end-record.js";
import { invalid, messageOf, PunctualError } from "../core/errors.js";
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
import { limits } from "../protocol/limits.js";
import { checkQueue } from "../protocol/names.js";
import { parseWith } from "../protocol/parse.js";
import type { Logger } from "../runtime/log.js";
import type { Handler } from "./context.js";
import { EndsTogether } from "./ends-together.js";
import { Execution } from "./execute.js";
import { type WorkerOptions, type WorkerSettings, workerOptions } from "./options.js";
import { Persistence } from "./persistence.js";
import { QueuePull } from "./queue-pull.js";
import { Turns } from "./turns.js";
import type { Workplace } from "./workplace.js";

export interface WorkerPorts {
  source: WorkSource;
  runs: RunLog & EndRecords;
  dead: DeadLetters;
  queues: Pick<QueueStore, "ensure" | "watch">;
  /** Without it the worker is not seen among the members; nothing else depends on it. */
  members?: Membership | undefined;
  /** Without them its runs cannot be cancelled. */
  cancellations?: Cancellations | undefined;
  clock: Clock;
  log: Logger;
}

/** An announcement fades after `limits.memberTtlMs`. */
const ANNOUNCE_MS = Math.floor(limits.memberTtlMs / 3);
/** A job that runs for longer than this has an event of its start. */
const TELL_STARTS_MS = 250;
/** After their grace, aborted jobs have this long to tell the server. */
const LAST_WORDS_MS = 5_000;

export class Worker {
  readonly id: string;
  readonly queue: string;
  readonly #ports: WorkerPorts;
  readonly #settings: WorkerSettings;
  readonly #handler: Handler;
  /** By sequence in WORK. */
  readonly #running = new Map<number, Execution>();
  readonly #timers = new Map<string, () => void>();
  #workplace: Workplace | undefined;
  #subscription: Subscription | undefined;
  #cancellations: Subscription | undefined;
  #member: Member | undefined;
  #state: "new" | "running" | "draining" | "stopped" = "new";
  #starting: Promise<this> | undefined;
  #stopping: Promise<void> | undefined;
  #onIdle: (() => void) | undefined;

  /** @throws invalid when the queue's name or an option is refused */
  constructor(ports: WorkerPorts, queue: string, options: WorkerOptions, handler: Handler) {
    this.#ports = ports;
    this.queue = checkQueue(queue);
    this.#settings = parseWith(workerOptions, options, "worker options");
    this.#handler = handler;
    this.id = this.#settings.id ?? newId();
  }

  /** Jobs that run now. */
  get runningCount(): number {
    return this.#running.size;
  }

  /** Makes the queue if there is none, and begins to pull. */
  start(): Promise<this> {
    if (this.#state !== "new")
      return Promise.reject(new PunctualError("conflict", `worker ${this.id}: was started before`));
    this.#state = "running";
    this.#starting = this.#begin();
    return this.#starting;
  }

  /** Drains and stops. Asked again, it answers with the same promise. Never rejects. */
  stop(): Promise<void> {
    this.#stopping ??= this.#drain();
    return this.#stopping;
  }

  async #begin(): Promise<this> {
    const { log, cancellations } = this.#ports;
    const pull = new QueuePull(this.#ports, this.queue, {
      concurrency: this.#settings.concurrency,
      onDelivery: (delivery) => this.#onDelivery(delivery),
      onNotice: (notice) => log.debug({ queue: this.queue, notice }, "worker"),
    });
    this.#subscription = pull;
    await pull.start((settings) => this.#follow(settings));
    this.#cancellations = cancellations?.listen((runId) => this.#cancel(runId));
    this.#every("starts", TELL_STARTS_MS, () => this.#tellStarts());
    await this.#join();
    return this;
  }

  async #drain(): Promise<void> {
    const { drainTimeoutMs, abortGraceMs } = this.#settings;
    await this.#starting?.catch(() => {});
    await this.#quietly("ending the pull", () => this.#subscription?.stop());
    if (!(await this.#idleWithin(drainTimeoutMs))) {
      this.#ports.log.warn(
        { queue: this.queue, jobs: this.#running.size },
        "jobs are aborted: the worker stops",
      );
      this.#state = "draining";
      for (const execution of this.#running.values()) execution.interrupt();
      await this.#idleWithin(abortGraceMs + LAST_WORDS_MS);
    }
    this.#state = "stopped";
    for (const cancel of this.#timers.values()) cancel();
    await this.#quietly("hearing no more", () => this.#cancellations?.stop());
    const { members } = this.#ports;
    const member = this.#member;
    if (members && member) await this.#quietly("leaving", () => members.leave(member));
  }

  /** Resolves when the worker has done with the delivery, settled or not. */
  async #onDelivery(delivery: Delivery): Promise<void> {
    const place = this.#workplace;
    if (place === undefined || this.#state !== "running") return this.#giveBack(delivery);
    if (this.#running.get(delivery.seq)?.adopt(delivery)) return;
    place.turns.onDelivery();
    const execution = new Execution(place, delivery);
    this.#running.set(delivery.seq, execution);
    await execution.run();
    this.#onEnd(delivery.seq, execution);
  }

  /** It came too late: another worker may have it at once. */
  #giveBack(delivery: Delivery): void {
    try {
      delivery.nak(0);
    } catch (error) {
      this.#ports.log.debug({ worker: this.id, error: messageOf(error) }, "a job could not be given back");
    }
  }

  #onEnd(seq: number, execution: Execution): void {
    if (this.#running.get(seq) === execution) this.#running.delete(seq);
    if (this.#running.size === 0) this.#onIdle?.();
  }

  /** One sweep for all jobs: a timer each would cost more than the jobs. */
  #beat(): void {
    for (const execution of this.#running.values()) execution.beat();
  }

  #cancel(runId: string): void {
    for (const execution of this.#running.values()) if (execution.runId === runId) execution.cancel();
  }

  #tellStarts(): void {
    for (const execution of this.#running.values()) execution.tellStart();
  }

  #idleWithin(ms: number): Promise<boolean> {
    if (this.#running.size === 0) return Promise.resolve(true);
    return new Promise((resolve) => {
      const cancel = this.#ports.clock.after(ms, () => resolve(false));
      this.#onIdle = () => {
        cancel();
        resolve(true);
      };
    });
  }

  /** At first, and whenever they change. A beat at once, as the wait of jobs in hand may be a shorter one now. */
  #follow({ ackWaitMs, maxAttempts, history }: QueueSettings): void {
    const heartbeatMs = this.#heartbeatWithin(ackWaitMs);
    this.#workplace = { ...(this.#workplace ?? this.#emptyWorkplace()), maxAttempts, history };
    this.#timers.get("heartbeat")?.();
    this.#beat();
    this.#every("heartbeat", heartbeatMs, () => this.#beat());
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

  #emptyWorkplace(): Omit<Workplace, "maxAttempts" | "history"> {
    const { runs, dead, clock, log } = this.#ports;
    const { abortGraceMs, schema, settleWithinMs, concurrency } = this.#settings;
    return {
      runs,
      dead,
      clock,
      log,
      queue: this.queue,
      worker: this.id,
      abortGraceMs,
      schema: schema ?? this.#handler.schema,
      handler: this.#handler,
      turns: new Turns(clock, settleWithinMs, concurrency),
      ends: new EndsTogether((ends) => this.#storeEnds(ends)),
    };
  }

  #storeEnds(ends: readonly RunEnd[]): Promise<void> {
    const { clock, log, runs } = this.#ports;
    const [{ runId, seq, attempt }] = ends as [RunEnd];
    const record = { queue: this.queue, worker: this.id, msgId: `${runId}/ends/${seq}/${attempt}`, ends };
    const persistence = new Persistence(clock, (what, error) =>
      log.warn({ ends: ends.length, error: messageOf(error) }, `${what} failed: tried again`),
    );
    return persistence.of("storing successes", () => runs.appendEnds(record));
  }

  async #join(): Promise<void> {
    const { members, clock } = this.#ports;
    if (members === undefined) return;
    const startedAt = clock.now();
    const place = { host: hostname(), pid: process.pid, startedAt, queues: [this.queue] };
    const member: Member = { role: "worker", id: this.id, ...place };
    this.#member = member;
    const announce = () => this.#quietly("announcing", () => members.announce(member));
    await announce();
    this.#every("announcement", ANNOUNCE_MS, announce);
  }

  #every(name: string, ms: number, action: () => unknown): void {
    if (this.#state === "stopped") return;
    const cancel = this.#ports.clock.after(ms, () => {
      this.#every(name, ms, action);
      action();
    });
    this.#timers.set(name, cancel);
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

/**
 * Starts a worker on a queue; resolves when it pulls.
 *
 * @throws invalid when the queue's name or an option is refused, unavailable when the server cannot be asked
 */
export function startWorker<T = unknown>(
  ports: WorkerPorts,
  queue: string,
  options: WorkerOptions<T>,
  handler: Handler<T>,
): Promise<Worker> {
  return new Worker(ports, queue, options, handler as Handler).start();
}

function newId(): string {
  const host = hostname()
    .replace(/[^A-Za-z0-9_-]/g, "-")
    .replace(/^[-_]+/, "");
  return `${host.slice(0, 40) || "worker"}-${randomUUID().slice(0, 8)}`;
}
