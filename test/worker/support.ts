/** A worker among fakes: a journal of what it did, in order, and a clock that is turned by hand. */
import type { RunEnd } from "../../src/core/end-record.js";
import type {
  Clock,
  ConsumeOptions,
  DeadLetter,
  Delivery,
  Member,
  Membership,
  PublishOutcome,
  RunEvent,
  WorkMessage,
} from "../../src/core/ports.js";
import {
  defaultQueueSettings,
  type QueueRequest,
  type QueueSettings,
  settingsOf,
} from "../../src/core/queue.js";
import { silentTelemetry } from "../../src/core/telemetry.js";
import { noTracing } from "../../src/core/tracing.js";
import { headers as h } from "../../src/protocol/headers.js";
import { silentLogger } from "../../src/runtime/log.js";
import type { Handler, JobContext } from "../../src/worker/context.js";
import type { WorkerOptions } from "../../src/worker/options.js";
import { startWorker } from "../../src/worker/start.js";
import type { Worker, WorkerPorts } from "../../src/worker/worker.js";

/** Lines in the order in which they came, and a way to wait for one. */
export class Journal {
  readonly lines: string[] = [];
  #waiting: (() => void)[] = [];

  add(line: string): void {
    this.lines.push(line);
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  /** Resolves when `line` has come `times` times. */
  async until(line: string, times = 1): Promise<void> {
    while (this.lines.filter((other) => other === line).length < times) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }
}

export class HandClock implements Clock {
  readonly #timers = new Set<{ at: number; callback: () => void }>();
  readonly #journal: Journal;
  #elapsed = 0;

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  now(): number {
    return Date.UTC(2026, 0, 1) + this.#elapsed;
  }

  monotonic(): number {
    return this.#elapsed;
  }

  /** Every timer is a line of the journal: `timer 500`. */
  after(delayMs: number, callback: () => void): () => void {
    const timer = { at: this.#elapsed + delayMs, callback };
    this.#timers.add(timer);
    this.#journal.add(`timer ${delayMs}`);
    return () => this.#timers.delete(timer);
  }

  get pending(): number {
    return this.#timers.size;
  }

  /** Time passes and nothing rings: the program stood still. */
  stall(ms: number): void {
    this.#elapsed += ms;
  }

  /** Turns the clock, ringing what falls due in order. */
  advance(ms: number): void {
    const end = this.#elapsed + ms;
    for (;;) {
      const due = [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.#timers.delete(due);
      this.#elapsed = Math.max(this.#elapsed, due.at);
      due.callback();
    }
    this.#elapsed = end;
  }
}

export interface JobInput {
  seq?: number;
  attempt?: number;
  payload?: unknown;
  body?: string;
  /** After the fire time, in milliseconds. */
  storedLate?: number;
  headers?: Record<string, string>;
  key?: string;
}

const FIRE_TIME = Date.UTC(2026, 0, 1);
export const RUN_ID = "nightly:20260101T000000Z";

/** What a schedule would have put there. */
export const firedHeaders: Readonly<Record<string, string>> = {
  [h.runId]: RUN_ID,
  [h.scheduleId]: "nightly",
  [h.fireTime]: new Date(FIRE_TIME).toISOString(),
};

export class Bench {
  readonly journal = new Journal();
  readonly clock = new HandClock(this.journal);
  readonly events: RunEvent[] = [];
  readonly letters: DeadLetter[] = [];
  readonly waiting: WorkMessage[] = [];
  readonly ends: RunEnd[] = [];
  readonly members: Member[] = [];
  /** Event types that RUNS knows of every run. */
  readonly known = new Set<string>();
  settings: QueueSettings = { ...defaultQueueSettings, ackWaitMs: 30_000 };
  /** Operations that fail: `append succeeded`, `bury`, `has`. */
  readonly broken = new Set<string>();
  consumed: ConsumeOptions | undefined;
  /** Changes what was asked of the queue. */
  change: (asked: QueueRequest) => void = () => {};
  /** Asks for the end of a run. */
  cancel: (runId: string) => void = () => {};

  readonly ports: WorkerPorts = {
    clock: this.clock,
    log: silentLogger,
    telemetry: silentTelemetry,
    tracing: noTracing,
    queues: {
      ensure: async () => this.settings,
      watch: async (onChange) => {
        this.change = (asked) =>
          onChange({
            queue: "mail",
            record: { queue: "mail", revision: 1, asked, settings: settingsOf(asked) },
          });
        return { stop: async () => {} };
      },
    },
    cancellations: {
      request: () => {},
      ask: async () => false,
      listen: (onRequest) => {
        this.cancel = onRequest;
        return { stop: async () => {} };
      },
    },
    source: {
      consume: async (_queue, options) => {
        this.consumed = options;
        this.journal.add("pull began");
        return { stop: async () => this.journal.add("pull ended") };
      },
    },
    runs: {
      append: async (event) => {
        await this.#perform(`append ${event.type}`);
        this.events.push(event);
      },
      has: async (_runId, type) => {
        await this.#perform("has");
        return this.known.has(type);
      },
      hasAny: async () => this.known.size > 0,
      appendSlots: async () => {},
      appendEnds: async ({ ends }) => {
        await this.#perform(`append ${ends.length} ends`);
        this.ends.push(...ends);
      },
      slotsAfter: async (_shard, last) => ({ fired: [], last }),
      lastSequence: async () => this.events.length,
    },
    dead: {
      bury: async (letter) => {
        await this.#perform("bury");
        this.letters.push(letter);
      },
    },
  };

  /** A worker on the queue `mail`. */
  async start<T>(handler: Handler<T>, options: WorkerOptions<T> = {}): Promise<Worker> {
    return startWorker(this.ports, "mail", { id: "w1", settleWithinMs: 0, ...options }, handler);
  }

  /** Hands a job to the worker. */
  deliver(input: JobInput = {}): void {
    if (this.consumed === undefined) throw new Error("nobody pulls");
    this.consumed.onDelivery(this.delivery(input));
  }

  delivery({ seq = 7, attempt = 1, payload, body, storedLate = 0, headers, key }: JobInput): Delivery {
    const text = body ?? (payload === undefined ? "" : JSON.stringify(payload));
    return {
      subject: `punctual.work.mail.${key ?? "nightly"}`,
      headers: headers ?? firedHeaders,
      body: new TextEncoder().encode(text),
      seq,
      attempt,
      storedAt: FIRE_TIME + storedLate,
      ack: () => this.journal.add("ack"),
      nak: (delayMs) => this.journal.add(`nak ${delayMs}`),
      working: () => this.journal.add("working"),
      term: (reason) => this.journal.add(`term: ${reason}`),
    };
  }

  /** Stores what waits elsewhere. */
  async wait(message: WorkMessage): Promise<PublishOutcome> {
    await this.#perform("wait");
    this.waiting.push(message);
    return { kind: "stored", seq: 1 };
  }

  /** The data of the first event of a type. */
  dataOf(type: string): Readonly<Record<string, unknown>> | undefined {
    return this.events.find((event) => event.type === type)?.data;
  }

  /** Resolves when what can go on has gone on, up to the next timer or answer. */
  idle(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve));
  }

  /** The journal without timers. */
  get done(): string[] {
    return this.journal.lines.filter((line) => !line.startsWith("timer ") && line !== "pull began");
  }

  membership(): Membership {
    return {
      announce: async (member) => {
        this.members.push(member);
        this.journal.add("announced");
      },
      leave: async () => this.journal.add("left"),
      list: async () => this.members,
      watch: async () => ({ stop: async () => {} }),
      answerProbes: () => ({ stop: async () => {} }),
      probe: async () => "alive",
    };
  }

  /** A store answers later: what does not wait for it is found out by the order of the journal. */
  async #perform(operation: string): Promise<void> {
    await this.idle();
    const fails = this.broken.has(operation);
    this.journal.add(fails ? `${operation} failed` : operation);
    if (fails) throw new Error("the store does not answer");
  }
}

/** A handler that runs until it is told to end. */
export class HeldHandler {
  readonly jobs: JobContext[] = [];
  readonly #journal: Journal;
  #ends: { resolve(value: unknown): void; reject(error: unknown): void }[] = [];

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  readonly handle = (job: JobContext): Promise<unknown> => {
    this.jobs.push(job);
    this.#journal.add("handler");
    job.signal.addEventListener("abort", () => this.#journal.add("aborted"));
    return new Promise((resolve, reject) => this.#ends.push({ resolve, reject }));
  };

  resolve(value?: unknown): void {
    for (const end of this.#ends.splice(0)) end.resolve(value);
  }

  reject(error: unknown): void {
    for (const end of this.#ends.splice(0)) end.reject(error);
  }
}

/** A job's context for calling a ready-made handler directly. */
export function jobContext(payload: unknown, more: Partial<JobContext> = {}): JobContext {
  return {
    payload,
    runId: RUN_ID,
    scheduleId: "nightly",
    fireTime: new Date(FIRE_TIME),
    previousFireTime: null,
    trigger: "schedule",
    parent: null,
    group: null,
    interval: null,
    attempt: 1,
    maxAttempts: 5,
    queue: "mail",
    headers: {},
    signal: new AbortController().signal,
    log: silentLogger,
    progress: () => {},
    ...more,
  };
}
