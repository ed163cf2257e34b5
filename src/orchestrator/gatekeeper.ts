/**
 * Keeps the gate of one queue: reads who waits there, asks the gate who may pass, has them carried through, and tells
 * the gate what became of them. One orchestrator does so for a queue; a second one would do no harm but to rates.
 *
 * Who waits is read in the order of storing and only as far as there is room, so that memory is bounded. That there is
 * somebody new, or that a ticket is free, is hinted at; a slow poll stands in for hints that are lost. What comes into the
 * queue past its gate is heard of where it has a rate to be counted in.
 */
import { messageOf } from "../core/errors.js";
import { Gate, type GateLimits, type Pass } from "../core/gate.js";
import type { Waiting } from "../core/gate-store.js";
import type { Subscription } from "../core/ports.js";
import { Alarm } from "../runtime/alarm.js";
import { type PassagePorts, Passages, type Passed, type Turn } from "./passage.js";
import { WaitingNews } from "./waiting-news.js";

export interface GatekeeperOptions {
  queue: string;
  limits: GateLimits;
  /** Whether the gate is ours, now. */
  isOurs(): boolean;
  /** Whether the history of the queue has it that jobs wait. Default: it has. */
  isTold?(): boolean;
  /** Jobs that are held in memory. Default 10,000. */
  window?: number;
}

/** Jobs that are being carried through at once. */
const MOST_UNDER_WAY = 256;
const BATCH = 256;
const POLL_MS = 1_000;
const RETRY_MS = 250;
const STOP_WITHIN_MS = 1_000;
const LOOKS_AT_ONCE = 64;
/** Departures are told before the answer to a publish, now and then. */
const DEPARTURES_REMEMBERED = 4_096;

export class Gatekeeper implements Subscription {
  readonly #ports: PassagePorts;
  readonly #options: GatekeeperOptions;
  readonly #gate: Gate<Waiting>;
  readonly #passages: Passages;
  readonly #alarm: Alarm;
  readonly #news: WaitingNews;
  readonly #departed = new Set<number>();
  #limits: GateLimits;
  #subscriptions: Subscription[] = [];
  #bypass: Subscription | undefined;
  #readTo = 0;
  /** There may be more to read. */
  #hasMore = true;
  #isNearEnd = true;
  #isListening = false;
  /** Whoever waits at or before it did so before we came, or may have. */
  #inheritedTo = Number.POSITIVE_INFINITY;
  #quietSince: number | undefined;
  readonly #underWay = new Set<Promise<void>>();
  #lastTurn: Promise<void> = Promise.resolve();
  #cancelTimer: () => void = () => {};
  #stopped = false;
  #ended: Promise<void> = Promise.resolve();

  constructor(ports: PassagePorts, options: GatekeeperOptions) {
    this.#ports = ports;
    this.#options = options;
    this.#limits = options.limits;
    this.#gate = new Gate(options.limits, ports.clock.monotonic(), options.window);
    this.#passages = new Passages(ports, () => !this.#stopped && options.isOurs());
    this.#alarm = new Alarm(ports.clock);
    this.#news = new WaitingNews(ports, options.queue, () => options.isTold?.() ?? true);
  }

  start(): this {
    const { gates } = this.#ports;
    this.#subscriptions.push(gates.onDeparture(this.#options.queue, (seq) => this.#onDeparture(seq)));
    this.#watchBypass();
    this.#ended = this.#read();
    return this;
  }

  /** Lets nobody pass any more. Resolves when nobody is under way, or soon. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelTimer();
    this.#alarm.ring();
    const subscriptions = [...this.#subscriptions.splice(0), this.#bypass];
    await Promise.allSettled(subscriptions.map((subscription) => subscription?.stop()));
    const soon = new Promise<void>((resolve) => this.#ports.clock.after(STOP_WITHIN_MS, resolve));
    await Promise.race([Promise.allSettled([this.#ended, ...this.#underWay]), soon]);
  }

  limit(limits: GateLimits): void {
    this.#limits = limits;
    this.#gate.limit(limits, this.#now);
    this.#watchBypass();
    this.#pump();
  }

  get #now(): number {
    return this.#ports.clock.monotonic();
  }

  #watchBypass(): void {
    if (this.#limits.rate === undefined) {
      void this.#bypass?.stop();
      this.#bypass = undefined;
    } else if (!this.#stopped)
      this.#bypass ??= this.#ports.gates.onBypass(this.#options.queue, () => this.#gate.bypassed(this.#now));
  }

  async #read(): Promise<void> {
    while (!this.#stopped) {
      try {
        const isIdle = !(await this.#readSome());
        this.#pump();
        if (!isIdle) continue;
        await this.#alarm.wait(POLL_MS);
        await this.#look();
      } catch (error) {
        const { queue } = this.#options;
        this.#ports.log.warn({ queue, error: messageOf(error) }, "a gate could not be read: tried again");
        await this.#alarm.wait(POLL_MS);
      }
    }
  }

  /** False when there is nothing to read, or no room for it. */
  async #readSome(): Promise<boolean> {
    const { gates } = this.#ports;
    const { queue } = this.#options;
    if (hasRate(this.#limits)) this.#quietSince ??= await gates.quietSince(queue);
    const refills = this.#gate.refills();
    for (const refill of refills) this.#gate.refill(refill, await gates.waiting(queue, refill), this.#now);
    const limit = Math.min(BATCH, this.#gate.room);
    if (!this.#hasMore || limit === 0) return refills.length > 0;
    const isHeard = this.#isListening;
    this.#listen();
    // To look for a few among millions of other messages takes its time, so they are not looked at again and again.
    const last = this.#isNearEnd ? await gates.lastSequence() : 0;
    const found = await gates.waiting(queue, { after: this.#readTo, limit });
    this.#offer(found);
    this.#isNearEnd = found.length < limit;
    if (this.#isNearEnd) this.#readTo = Math.max(this.#readTo, last);
    // What came between the last read and our listening is found by one more.
    this.#hasMore = found.length === limit || !isHeard || !this.#isListening;
    if (this.#isNearEnd) this.#inheritedTo = Math.min(this.#inheritedTo, this.#readTo);
    return true;
  }

  #offer(found: readonly Waiting[]): void {
    const newest = found.at(-1);
    if (newest === undefined) return;
    this.#gate.credit(newest.storedAt - (this.#quietSince ?? newest.storedAt), this.#now);
    for (const one of found) {
      this.#gate.offer(one, this.#now);
      this.#news.came(one);
    }
    this.#readTo = newest.seq;
  }

  #listen(): void {
    if (this.#isListening) return;
    this.#isListening = true;
    const arrival = this.#ports.gates.onArrival(this.#options.queue, () => {
      this.#subscriptions = this.#subscriptions.filter((subscription) => subscription !== arrival);
      this.#isListening = false;
      this.#hasMore = true;
      this.#alarm.ring();
    });
    this.#subscriptions.push(arrival);
  }

  /** Lets pass whoever may. */
  #pump(): void {
    this.#cancelTimer();
    while (!this.#stopped && this.#underWay.size < MOST_UNDER_WAY && this.#options.isOurs()) {
      const pass = this.#gate.next(this.#now);
      if (pass === null) break;
      this.#news.passed(pass.head);
      const carrying = this.#carry(pass, this.#turn()).finally(() => {
        this.#underWay.delete(carrying);
        this.#pump();
      });
      this.#underWay.add(carrying);
    }
    if (this.#gate.room > 0 && (this.#hasMore || this.#gate.refills().length > 0)) this.#alarm.ring();
    const wait = this.#gate.untilNext(this.#now);
    if (this.#stopped || wait > POLL_MS) return;
    this.#cancelTimer = this.#ports.clock.after(Math.max(1, wait), () => this.#pump());
  }

  #turn(): Turn {
    let over = () => {};
    const come = this.#lastTurn;
    this.#lastTurn = new Promise((resolve) => {
      over = resolve;
    });
    return { come, over };
  }

  async #carry(pass: Pass<Waiting>, turn: Turn): Promise<void> {
    const { queue } = this.#options;
    const passed = await this.#pass(pass, turn).finally(turn.over);
    this.#tell(pass, passed);
    if (passed.kind !== "landed") return;
    try {
      await this.#passages.leave(pass.head.seq);
      this.#gate.left(pass, this.#now);
    } catch (error) {
      this.#ports.log.debug(
        { queue, error: messageOf(error) },
        "a job is left at its gate, for the next keeper",
      );
    }
  }

  async #pass({ head, ticket }: Pass<Waiting>, turn: Turn): Promise<Passed> {
    const one = { ...head, ticket, isInherited: head.seq <= this.#inheritedTo };
    try {
      return await this.#passages.pass(one, turn);
    } catch (error) {
      const { queue } = this.#options;
      this.#ports.log.warn({ queue, error: messageOf(error) }, "a job could not pass its gate: tried again");
      turn.over();
      await new Promise<void>((resolve) => this.#ports.clock.after(RETRY_MS, resolve));
      return { kind: "waits" };
    }
  }

  #tell(pass: Pass<Waiting>, passed: Passed): void {
    const now = this.#now;
    switch (passed.kind) {
      case "landed":
        this.#gate.landed(pass, passed.seq, now);
        if (!passed.isThere || this.#departed.delete(passed.seq)) this.#gate.ended(passed.seq, now);
        return;
      case "occupied":
        this.#gate.occupied(pass, passed.seq, now);
        return;
      case "gone":
        this.#gate.dropped(pass, now);
        return;
      case "waits":
        this.#gate.putBack(pass, now);
    }
  }

  #onDeparture(seq: number): void {
    this.#departed.add(seq);
    const [oldest] = this.#departed;
    if (this.#departed.size > DEPARTURES_REMEMBERED && oldest !== undefined) this.#departed.delete(oldest);
    this.#gate.ended(seq, this.#now);
    this.#pump();
  }

  /** Looks after those of whom nothing was heard. */
  async #look(): Promise<void> {
    const { work } = this.#ports;
    const suspects = this.#gate.suspects(this.#now, POLL_MS, LOOKS_AT_ONCE);
    const isGone = await Promise.all(suspects.map(async (seq) => (await work.at(seq)) === null));
    for (const [index, seq] of suspects.entries()) if (isGone[index]) this.#gate.ended(seq, this.#now);
    this.#hasMore = true;
    await this.#news.tell();
  }
}

const hasRate = ({ rate, perKey }: GateLimits): boolean => rate !== undefined || perKey?.rate !== undefined;
