/**
 * Pulling from a durable consumer, never more than can be worked on.
 *
 * The client's own `consume()` asks for more as soon as a message is handed out, so a slow handler ends up with
 * the whole of `max_ack_pending`, each message burning its ack wait; and after a leader change it waits for two
 * missed heartbeats, 30 s by default, before it asks again. Here a slot is asked for only when it is free:
 *
 *   free = concurrency − handed out and not done with − asked for and not come
 *
 * and when the server is silent for longer than two heartbeats, what was asked for is asked anew.
 */
import { createInbox, type Msg, type NatsConnection, nanos } from "@nats-io/transport-node";
import { Patience } from "../core/patience.js";
import type { Clock, ConsumeOptions, Subscription } from "../core/ports.js";
import { momentMs } from "./brief-pull.js";
import { Deadline } from "./deadline.js";
import { type Place, readDelivery } from "./delivery.js";
import type { LowerLane } from "./lower-lane.js";
import { Slots } from "./slots.js";
import type { UpperLane } from "./upper-lane.js";

const EXPIRES_MS = 30_000;
/** Beside other lanes: they wait for their turn no longer than this, the longer the quieter it is. */
const EXPIRES_BESIDE_OTHERS_MS = { least: 250, most: 2_000, mostOfSingleSlot: 500 };
const HEARTBEAT_MS = 1_000;
/** Noticed after this long: well below the 5 s that are promised. */
const SILENT_MS = 2_500;
const SWEEP_MS = 500;
const PAUSE_AFTER_REFUSAL_MS = 250;

const IDLE_HEARTBEAT = 100;
const NO_RESPONDERS = 503;

interface Request {
  batch: number;
  /** How many of its messages have not come. */
  open: number;
  deadline: Deadline;
}

/** The lanes that share slots with this one. */
export interface OtherLanes {
  slots: Slots;
  patience: Patience;
  upper: UpperLane;
  lower: LowerLane;
}

export class Pull implements Subscription {
  readonly #connection: NatsConnection;
  readonly #clock: Clock;
  readonly #subject: string;
  readonly #place: Place;
  readonly #options: ConsumeOptions;
  readonly #slots: Slots;
  readonly #patience: Patience;
  readonly #others: OtherLanes | undefined;
  readonly #inbox = createInbox();
  readonly #requests = new Map<string, Request>();
  #subscription: { drain(): Promise<void> } | undefined;
  #requested = 0;
  #number = 0;
  #filling = false;
  /** Requests in a row that were not used up. */
  #quiet = 0;
  /** Whether the last request had anything. */
  #hadJobs = false;
  /** There was nothing: what is less urgent has its turn. */
  #leavesRest = false;
  #pausedUntil = 0;
  /** When the server last said anything on our inbox. */
  #heardAt = 0;
  #cancelSweep: () => void = () => {};
  #stopped = false;

  constructor(
    connection: NatsConnection,
    clock: Clock,
    place: Place,
    options: ConsumeOptions,
    others?: OtherLanes,
  ) {
    this.#connection = connection;
    this.#clock = clock;
    this.#place = place;
    this.#subject = `$JS.API.CONSUMER.MSG.NEXT.${place.stream}.${place.consumer}`;
    this.#options = options;
    this.#slots = others?.slots ?? new Slots(options.concurrency);
    this.#patience = others?.patience ?? new Patience();
    this.#others = others;
  }

  start(): this {
    this.#subscription = this.#connection.subscribe(`${this.#inbox}.*`, {
      callback: (error, message) => {
        if (error === null) this.#onMessage(message);
        else this.#options.onNotice?.(`${this.#place.consumer}: ${error.message}`);
      },
    });
    this.#slots.onFree(() => this.#fillSoon());
    this.#fill();
    this.#sweep();
    return this;
  }

  /** Asks for nothing more; what the server has sent already goes back at once. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelSweep();
    for (const { deadline } of this.#requests.values()) deadline.end();
    // Without an interest the server drops what is still asked for.
    if (!this.#connection.isClosed()) await this.#subscription?.drain();
  }

  #fill(): void {
    if (
      this.#stopped ||
      this.#connection.isClosed() ||
      this.#connection.isDraining() ||
      this.#clock.monotonic() < this.#pausedUntil
    )
      return;
    if (!this.#serveOthers()) return;
    const { free } = this.#slots;
    // Few large requests, but never an idle slot while nothing is asked for.
    if (free < 1 || (this.#requested > 0 && free < this.#options.concurrency / 2)) return;
    const inbox = `${this.#inbox}.${++this.#number}`;
    if (this.#requests.size === 0) this.#heardAt = this.#clock.monotonic();
    const waitMs = this.#waitMs;
    const deadline = new Deadline(this.#clock, this.#patience, waitMs, () => {
      this.#forget(inbox);
      this.#fillSoon();
    });
    this.#requests.set(inbox, { batch: free, open: free, deadline });
    this.#requested += free;
    this.#slots.take(free);
    // The server wants a heartbeat at least twice within the time.
    const beats = waitMs >= 2 * HEARTBEAT_MS;
    const request = {
      batch: free,
      expires: nanos(waitMs),
      ...(beats && { idle_heartbeat: nanos(HEARTBEAT_MS) }),
    };
    this.#connection.publish(this.#subject, JSON.stringify(request), { reply: inbox });
  }

  /** Whether this lane may have what is free then. */
  #serveOthers(): boolean {
    if (this.#others === undefined) return true;
    const { upper, lower, slots } = this.#others;
    lower.takeTurn();
    // In a quiet time a slot may wait above, if there is another for this lane.
    if (this.#quiet > 0 && (this.#requested > 0 || slots.free > 1)) upper.reserve();
    const mayGoOn = upper.takeFirst();
    if (mayGoOn && this.#leavesRest && slots.free > 0) {
      this.#leavesRest = false;
      lower.takeRest();
    }
    return mayGoOn;
  }

  /**
   * Beside other lanes the longer, the quieter it is; and long while there are jobs, whose ends give slots to the others. A
   * moment, where another lane has jobs that wait.
   */
  get #waitMs(): number {
    if (this.#others === undefined) return EXPIRES_MS;
    const { upper, lower } = this.#others;
    if (upper.isWaiting || lower.isWaiting) return momentMs(this.#hadJobs);
    const { least, most, mostOfSingleSlot } = EXPIRES_BESIDE_OTHERS_MS;
    const longest = this.#options.concurrency === 1 ? mostOfSingleSlot : most;
    return this.#hadJobs ? longest : Math.min(longest, least * 2 ** this.#quiet);
  }

  #onMessage(message: Msg): void {
    this.#heardAt = this.#clock.monotonic();
    const status = message.headers?.code ?? 0;
    if (status !== 0) this.#onStatus(message, status);
    else {
      // One that comes after its request was given up has no slot: it is taken all the same.
      if (!this.#countDown()) this.#slots.take(1);
      this.#handOut(message);
    }
  }

  /**
   * A job comes under its own subject, not the request's: the server serves the oldest request first. False: there is
   * none.
   */
  #countDown(): boolean {
    const [oldest] = this.#requests;
    if (oldest === undefined) return false;
    const [inbox, request] = oldest;
    request.open--;
    this.#requested--;
    if (request.open > 0) return true;
    request.deadline.end();
    this.#requests.delete(inbox);
    this.#quiet = 0;
    this.#hadJobs = true;
    this.#fillSoon();
    return true;
  }

  #handOut(message: Msg): void {
    this.#others?.upper.onOtherServed();
    this.#others?.lower.onServed();
    const delivery = readDelivery(this.#connection, message);
    if (this.#stopped) delivery.nak(0);
    void Promise.resolve(this.#stopped ? undefined : this.#options.onDelivery(delivery)).then(() => {
      this.#slots.release(1);
    });
  }

  /** Everything but a heartbeat ends the request. A time-out is the usual end, the rest is a reason to wait a little. */
  #onStatus(message: Msg, status: number): void {
    if (status === IDLE_HEARTBEAT || !this.#requests.has(message.subject)) return;
    this.#forget(message.subject, { isAnswer: true });
    const text = message.headers?.description ?? "";
    const usual = status === 404 || (status === 408 && !/bad/i.test(text));
    if (!usual) this.#onRefusal(`${status} ${text}`, status);
    this.#fillSoon();
  }

  #onRefusal(text: string, status: number): void {
    const why = status === NO_RESPONDERS ? "nobody answers for the consumer" : text;
    this.#options.onNotice?.(`${this.#place.consumer}: ${why}: asked anew`);
    this.#pausedUntil = this.#clock.monotonic() + PAUSE_AFTER_REFUSAL_MS;
  }

  /** Many jobs often end together: asked for once. */
  #fillSoon(): void {
    if (this.#filling) return;
    this.#filling = true;
    queueMicrotask(() => {
      this.#filling = false;
      this.#fill();
    });
  }

  #sweep(): void {
    this.#cancelSweep = this.#clock.after(SWEEP_MS, () => {
      if (this.#requests.size > 0 && this.#clock.monotonic() - this.#heardAt > SILENT_MS) {
        for (const inbox of this.#requests.keys()) this.#forget(inbox);
        this.#options.onNotice?.(`${this.#place.consumer}: the pull was silent: asked anew`);
      }
      this.#fill();
      this.#sweep();
    });
  }

  /** It ended, and was not used up. */
  #forget(inbox: string, how?: { isAnswer: boolean }): void {
    const request = this.#requests.get(inbox);
    if (request === undefined) return;
    const { batch, open, deadline } = request;
    deadline.end(how);
    this.#quiet++;
    this.#hadJobs = open < batch;
    this.#leavesRest = true;
    this.#requested -= open;
    this.#requests.delete(inbox);
    this.#slots.release(open);
  }
}
