/** A gate and what is around it, in the smallest form: jobs in stored order, a queue with mutexes, times that pass. */
import { Gate, type GateLimits, type Pass } from "../../src/core/gate.js";
import { concurrencyOf, type GateHead } from "../../src/core/gate-line.js";
import type { Lane } from "../../src/core/lane.js";

export interface Running {
  head: GateHead;
  /** In the queue. */
  seq: number;
  subject: string;
  from: number;
  until: number;
}

/** How long things take: of a job, of the answer to its publish, of its removal from the gate. */
export interface Delays {
  runMs: number;
  answerMs: number;
  removeMs: number;
}

const POLL_MS = 1_000;
const IN_FLIGHT = 50;

type Later = { at: number; act: () => void };

export class GateWorld {
  now = 0;
  limits: GateLimits;
  gate: Gate<GateHead>;
  /** At the gate, in order. */
  waiting: GateHead[] = [];
  /** All that was ever put into the queue. */
  readonly ran: Running[] = [];
  /** Times at which something came past the gate. */
  readonly fires: number[] = [];
  readonly #queue = new Map<string, Running>();
  readonly #window: number;
  readonly #batch: number;
  readonly #delays: () => Delays;
  #later: Later[] = [];
  #seq = 0;
  #workSeq = 0;
  #readTo = 0;
  #inFlight = 0;
  /** The most that was held. */
  most = { jobs: 0, keys: 0, holders: 0 };

  constructor(limits: GateLimits, delays: () => Delays, window = 10_000, batch = 7) {
    this.limits = limits;
    this.#delays = delays;
    this.#window = window;
    this.#batch = batch;
    this.gate = new Gate(limits, 0, window);
  }

  add(key: string | null, lane: Lane = "work"): void {
    this.waiting.push({ seq: ++this.#seq, key, lane });
  }

  limit(limits: GateLimits): void {
    this.limits = limits;
    this.gate.limit(limits, this.now);
  }

  /** A job is in the queue already, past the gate. */
  occupy(subject: string, untilMs: number): void {
    if (this.#queue.has(subject)) return;
    const seq = ++this.#workSeq;
    const running = {
      head: { seq: 0, key: null, lane: "work" as const },
      seq,
      subject,
      from: this.now,
      until: this.now + untilMs,
    };
    this.#queue.set(subject, running);
    this.#after(untilMs, () => this.#end(running));
  }

  /** Fires come past the gate. */
  fire(count: number): void {
    for (let i = 0; i < count; i++) {
      this.fires.push(this.now);
      this.gate.bypassed(this.now);
    }
  }

  /** Somebody else goes on, who knows only what is stored. What is under way is carried out; nobody hears of it. */
  takeOver(): void {
    this.gate = new Gate(this.limits, this.now, this.#window);
    this.#readTo = 0;
  }

  /** Lets time pass for so long, or until all is done. */
  pass(ms: number): void {
    const end = this.now + ms;
    while (this.waiting.length > 0 || this.#later.length > 0) {
      this.#step();
      const isBusy = this.#inFlight >= IN_FLIGHT;
      const wait = isBusy ? POLL_MS : Math.min(Math.max(this.gate.untilNext(this.now), 1e-6), POLL_MS);
      const next = Math.min(this.now + wait, ...this.#later.map(({ at }) => at));
      if (next > end) break;
      this.now = Math.max(this.now, next);
      this.#ring();
    }
    this.now = end;
    this.#ring();
  }

  #step(): void {
    for (let before = -1; before !== this.#seen; ) {
      before = this.#seen;
      this.#read();
      while (this.#inFlight < IN_FLIGHT) {
        const pass = this.gate.next(this.now);
        if (pass === null) break;
        this.#carryOut(pass);
      }
      for (const seq of this.gate.suspects(this.now, POLL_MS, 100))
        if (![...this.#queue.values()].some((running) => running.seq === seq)) this.gate.ended(seq, this.now);
    }
  }

  get #seen(): number {
    return this.#readTo + this.ran.length * 1e6;
  }

  #read(): void {
    for (const refill of this.gate.refills()) {
      const of = this.waiting.filter(({ key, seq }) => key === refill.key && seq > refill.after);
      this.gate.refill(refill, of.slice(0, refill.limit), this.now);
    }
    const rest = this.waiting.filter(({ seq }) => seq > this.#readTo);
    for (const head of rest.slice(0, Math.min(this.#batch, this.gate.room))) {
      this.#readTo = head.seq;
      this.gate.offer(head, this.now);
    }
    const { jobs, keys, holders } = this.gate.size;
    this.most = {
      jobs: Math.max(jobs, this.most.jobs),
      keys: Math.max(keys, this.most.keys),
      holders: Math.max(holders, this.most.holders),
    };
  }

  #carryOut(pass: Pass<GateHead>): void {
    const { gate } = this;
    this.#inFlight++;
    const { head, ticket } = pass;
    const { runMs, answerMs, removeMs } = this.#delays();
    const known = this.ran.find((running) => running.head.seq === head.seq);
    const subject = ticket === null ? `job-${head.seq}` : `${head.key}~${ticket}`;
    const other = this.#queue.get(subject);
    if (known === undefined && other !== undefined) {
      this.#after(answerMs, () => {
        this.#inFlight--;
        gate.occupied(pass, other.seq, this.now);
      });
      return;
    }
    const running = known ?? this.#start(head, subject, runMs);
    this.#after(answerMs, () => {
      gate.landed(pass, running.seq, this.now);
      if (this.#queue.get(running.subject) !== running) gate.ended(running.seq, this.now);
      this.#after(removeMs, () => {
        this.#inFlight--;
        this.waiting = this.waiting.filter(({ seq }) => seq !== head.seq);
        gate.left(pass, this.now);
      });
    });
  }

  #start(head: GateHead, subject: string, runMs: number): Running {
    const seq = ++this.#workSeq;
    const running = { head, seq, subject, from: this.now, until: this.now + runMs };
    this.ran.push(running);
    this.#queue.set(subject, running);
    this.#after(runMs, () => this.#end(running));
    return running;
  }

  #end(running: Running): void {
    this.#queue.delete(running.subject);
    this.gate.ended(running.seq, this.now);
  }

  #after(ms: number, act: () => void): void {
    this.#later.push({ at: this.now + ms, act });
  }

  #ring(): void {
    for (;;) {
      const due = this.#later.filter(({ at }) => at <= this.now).sort((a, b) => a.at - b.at);
      if (due.length === 0) return;
      this.#later = this.#later.filter(({ at }) => at > this.now);
      for (const { act } of due) act();
    }
  }

  /** Runs of one key that were under way at once, at most. */
  mostAtOnce(key: string): number {
    const of = this.ran.filter(({ head }) => head.key === key);
    return Math.max(
      0,
      ...of.map(({ from }) => of.filter((other) => other.from <= from && from < other.until).length),
    );
  }

  get concurrency(): number | undefined {
    return this.limits.perKey === undefined ? undefined : concurrencyOf(this.limits.perKey);
  }
}
